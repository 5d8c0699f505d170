import { struct, u64 } from '../../layout.js';

/** The functions of EFI_SIMPLE_TEXT_INPUT_PROTOCOL in its order. UEFI 2.10 section 12.3. */
export const textInputFunctions = [
  { name: 'Reset', section: '12.3.2' },
  { name: 'ReadKeyStroke', section: '12.3.3' },
] as const;

export type TextInputFunctionName = (typeof textInputFunctions)[number]['name'];

/** EFI_SIMPLE_TEXT_INPUT_PROTOCOL. UEFI 2.10 section 12.3.1. */
export const SimpleTextInputProtocol = struct('EFI_SIMPLE_TEXT_INPUT_PROTOCOL', 24, [
  ...textInputFunctions.map((f) => u64(f.name)),
  u64('WaitForKey'), // EFI_EVENT
]);
