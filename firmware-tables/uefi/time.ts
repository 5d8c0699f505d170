import { struct, u16, u32, u8 } from '../layout.js';

/** EFI_TIME. UEFI 2.10 section 8.3.1. */
export const Time = struct('EFI_TIME', 16, [
  u16('Year'), // 1900 to 9999
  u8('Month'), // 1 to 12
  u8('Day'), // 1 to 31
  u8('Hour'), // 0 to 23
  u8('Minute'),
  u8('Second'),
  u8('Pad1'),
  u32('Nanosecond'),
  u16('TimeZone'), // signed minutes from UTC, or EFI_UNSPECIFIED_TIMEZONE
  u8('Daylight'),
  u8('Pad2'),
]);

/** EFI_TIME_CAPABILITIES. UEFI 2.10 section 8.3.1. */
export const TimeCapabilities = struct('EFI_TIME_CAPABILITIES', 12, [
  u32('Resolution'), // counts a second
  u32('Accuracy'), // millionths of a part in a million
  u8('SetsToZero'),
  u8('Pad1'),
  u16('Pad2'),
]);
