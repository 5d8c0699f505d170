import { nested, struct, u32, u64 } from '../layout.js';
import { TableHeader } from './table-header.js';

/** "IBI SYST". UEFI 2.10 section 4.3. */
export const systemTableSignature = 0x5453_5953_2049_4249n;

/** EFI_SYSTEM_TABLE. UEFI 2.10 section 4.3. Pointers are physical until SetVirtualAddressMap. */
export const SystemTable = struct('EFI_SYSTEM_TABLE', 120, [
  nested('Hdr', TableHeader),
  u64('FirmwareVendor'), // CHAR16 *
  u32('FirmwareRevision'),
  u32('Pad'),
  u64('ConsoleInHandle'), // from here to BootServices cleared by ExitBootServices, but for RuntimeServices
  u64('ConIn'),
  u64('ConsoleOutHandle'),
  u64('ConOut'),
  u64('StandardErrorHandle'),
  u64('StdErr'),
  u64('RuntimeServices'),
  u64('BootServices'),
  u64('NumberOfTableEntries'),
  u64('ConfigurationTable'), // EFI_CONFIGURATION_TABLE *
]);
