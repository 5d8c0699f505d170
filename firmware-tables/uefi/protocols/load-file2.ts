import { struct, u64 } from '../../layout.js';

/** The functions of EFI_LOAD_FILE2_PROTOCOL. UEFI 2.10 section 13.2. */
export const loadFile2Functions = [{ name: 'LoadFile', section: '13.2.2' }] as const;

/** EFI_LOAD_FILE2_PROTOCOL. UEFI 2.10 section 13.2. */
export const LoadFile2Protocol = struct(
  'EFI_LOAD_FILE2_PROTOCOL',
  8,
  loadFile2Functions.map((f) => u64(f.name)),
);
