import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from './files.js';

const file = 'proposal-linux/proposal-linux.efi';
/** dist/guests of a package, seen from the bundle (dist/) and from dist/src/host; examples/ of a checkout from there and from src/host. */
const folders = ['guests', '../../guests', '../../examples', '../../../examples', '../examples'];

/** The EFI application that starts the kernel in the door `proposal`. Throws when the installation lacks it. */
export function loadProposalLinux(): Uint8Array {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const found = folders.map((folder) => path.join(here, folder, file)).find((candidate) => existsSync(candidate));
  if (found === undefined)
    throw new InputError('proposal-linux.efi is missing: build it with examples/build, or install efikit again');
  return readFileSync(found);
}
