import { struct, u32, u64, u8, bytes } from '../../layout.js';

/** The functions of EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL in its order. UEFI 2.10 section 12.4. */
export const textOutputFunctions = [
  { name: 'Reset', section: '12.4.2' },
  { name: 'OutputString', section: '12.4.3' },
  { name: 'TestString', section: '12.4.4' },
  { name: 'QueryMode', section: '12.4.5' },
  { name: 'SetMode', section: '12.4.6' },
  { name: 'SetAttribute', section: '12.4.7' },
  { name: 'ClearScreen', section: '12.4.8' },
  { name: 'SetCursorPosition', section: '12.4.9' },
  { name: 'EnableCursor', section: '12.4.10' },
] as const;

export type TextOutputFunctionName = (typeof textOutputFunctions)[number]['name'];

/** EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL. UEFI 2.10 section 12.4.1. */
export const SimpleTextOutputProtocol = struct('EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL', 80, [
  ...textOutputFunctions.map((f) => u64(f.name)),
  u64('Mode'), // SIMPLE_TEXT_OUTPUT_MODE *
]);

/** SIMPLE_TEXT_OUTPUT_MODE; the first five are INT32. UEFI 2.10 section 12.4.1. */
export const SimpleTextOutputMode = struct('SIMPLE_TEXT_OUTPUT_MODE', 24, [
  u32('MaxMode'),
  u32('Mode'),
  u32('Attribute'),
  u32('CursorColumn'),
  u32('CursorRow'),
  u8('CursorVisible'),
  bytes('Pad', 3),
]);
