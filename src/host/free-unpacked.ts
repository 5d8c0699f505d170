import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LoadedImage } from '../loaders/image.js';

/**
 * Gives the memory of an image's unpacked payload back. Left to itself the garbage collector lets such tens of MiB lie
 * until its own heap has grown, which it may never do. Whatever elf() gave before is gone.
 */
export function freeUnpacked(image: LoadedImage): void {
  const bytes = image.release?.();
  if (bytes === undefined) return;
  if (!moveAway(bytes)) setImmediate(collect); // later, when nothing on the stack refers to it any more
}

/**
 * Moves the memory to a new owner, which goes with the first, cheap collection of young objects. False for the memory of
 * a WebAssembly module: some Nodes refuse to move that, others ignore it.
 */
function moveAway(bytes: Uint8Array): boolean {
  try {
    structuredClone(null, { transfer: [bytes.buffer as ArrayBuffer] });
  } catch {
    return false;
  }
  return bytes.length === 0;
}

function collect(): void {
  try {
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
  } catch {
    // a host that forbids it: the memory goes when the collector sees fit
  }
}
