import { struct, u32, u64 } from '../layout.js';

/** EFI_TABLE_HEADER: opens every EFI table. UEFI 2.10 section 4.2. */
export const TableHeader = struct('EFI_TABLE_HEADER', 24, [
  u64('Signature'), // eight ASCII characters
  u32('Revision'), // major << 16 | minor
  u32('HeaderSize'), // bytes, the whole table
  u32('CRC32'), // over HeaderSize bytes, this field taken as 0
  u32('Reserved'),
]);

/** EFI_2_100_SYSTEM_TABLE_REVISION: the revision that every table of ours carries. UEFI 2.10 section 4.3. */
export const revision210 = 0x0002_0064;
