import { bytes, struct, u32, u64, u8 } from '../layout.js';

/** Firmware ACPI Control Structure: no header like the other tables', and no checksum. ACPI 6.5 section 5.2.10. */
export const Facs = struct('Facs', 64, [
  bytes('Signature', 4), // "FACS"
  u32('Length'),
  u32('HardwareSignature'),
  u32('FirmwareWakingVector'), // physical, real mode
  u32('GlobalLock'),
  u32('Flags'),
  u64('X_FirmwareWakingVector'),
  u8('Version'),
  bytes('Reserved', 31),
]);
