import { struct, u64, u8 } from '../layout.js';

/** Generic Address Structure. ACPI 6.5 section 5.2.3.2. */
export const GenericAddress = struct('GenericAddress', 12, [
  u8('AddressSpaceID'),
  u8('RegisterBitWidth'),
  u8('RegisterBitOffset'),
  u8('AccessSize'), // 0 undefined, 1 byte, 2 word, 3 dword, 4 qword
  u64('Address'),
]);

/** Values of AddressSpaceID. */
export const AddressSpace = { systemMemory: 0, systemIo: 1 } as const;
