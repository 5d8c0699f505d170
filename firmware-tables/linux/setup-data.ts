import { struct, u32, u64 } from '../layout.js';

/** struct setup_data: a piece of the chain that boot_params.hdr.setup_data begins. Linux Documentation/arch/x86/boot.rst. */
export const SetupData = struct('setup_data', 16, [
  u64('next'), // guest-physical; 0 ends the chain
  u32('type'),
  u32('len'), // bytes behind this header
]);

/** Values of type. Linux arch/x86/include/uapi/asm/setup_data.h. */
export const SetupDataType = {
  NONE: 0,
  E820_EXT: 1,
  DTB: 2,
  PCI: 3,
  EFI: 4,
  APPLE_PROPERTIES: 5,
  JAILHOUSE: 6,
  CC_BLOB: 7,
  IMA: 8,
  RNG_SEED: 9,
  KEXEC_KHO: 10,
} as const;
