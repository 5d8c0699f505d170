import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const file = 'examples/proposal-linux/proposal-linux.efi';

/** The EFI application in front of the kernel in the door `proposal`: seen from src/host, dist/src/host and the bundle (dist/). */
export function loadProposalLinux(): Uint8Array {
  const here = path.dirname(fileURLToPath(import.meta.url));
  for (const root of ['../..', '../../..', '..']) {
    const candidate = path.join(here, root, file);
    if (existsSync(candidate)) return readFileSync(candidate);
  }
  throw new Error(`${file} is missing: install efikit again, or restore the file in the checkout`);
}
