import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Context } from 'mocha';
import { cpio, padding } from './cpio.js';
import { root } from './efikit.js';
import { cachedFile, type KernelName } from './kernels.js';

/**
 * An initramfs for a kernel of the cache: busybox at /bin/busybox, the kernel's module /efivarfs.ko, /guest-tool and
 * `script`, a file of test/boots/linux, as /init; and `more`, by name. Skips or fails as cachedFile() does.
 */
export function initramfs(
  context: Context,
  kernel: KernelName,
  script: string,
  more: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array {
  const own = (name: string): Uint8Array => readFileSync(path.join(root, 'test/boots/linux', name));
  const busybox = cachedFile(context, 'initrd.gz');
  const files = {
    init: own(script), // instead of busybox's: what comes later replaces what was there
    'guest-tool': own('guest-tool'),
    'efivarfs.ko': cachedFile(context, `efivarfs-${kernel}.ko`),
    ...more,
  };
  const behind = cpio(Object.entries(files).map(([name, data]) => ({ name, data })));
  return Buffer.concat([busybox, padding(busybox.length), behind]); // each archive begins at a multiple of 4
}
