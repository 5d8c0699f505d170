import { readImage } from '../loaders/read-image.js';
import type { LoadedImage } from '../loaders/image.js';
import { BootError, type BootProtocol } from './boot-protocol.js';
import { efi, type EfiTarget } from './efi.js';

/** Why proposal-linux cannot start the image, as a sentence; undefined when it can. */
export const proposalRefuses = (image: LoadedImage): string | undefined =>
  image.kind === 'bzimage'
    ? undefined
    : 'no bzImage: proposal-linux starts a Linux kernel as distributions ship it (vmlinuz)';

/**
 * The proposal of 2016 for a Linux kernel: examples/proposal-linux enters as an EFI application, finds the unmodified
 * kernel as module 0 of the Xen configuration table, the initrd as module 1 and the command line beside them, and enters
 * the kernel by the 64-bit boot protocol. `loader` is the file of that application. Meant for the profile `proposal`.
 */
export function proposalDoor(loader: Uint8Array): BootProtocol<EfiTarget> {
  return {
    name: 'proposal',
    refuses: proposalRefuses,
    enter(target, image, { commandLine, initrd, modules }) {
      const refusal = proposalRefuses(image);
      if (refusal !== undefined) throw new BootError(refusal);
      const initrds = initrd === undefined ? [] : [{ bytes: initrd }];
      return efi.enter(target, readImage(loader), {
        commandLine,
        modules: [{ bytes: image.bytes }, ...initrds, ...modules],
      });
    },
  };
}
