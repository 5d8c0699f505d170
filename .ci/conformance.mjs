// Writes docs/conformance.md: which clause of UEFI 2.10 has which test, and the lines of code behind each service.
//
//   node --import tsx .ci/conformance.mjs
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './sources.mjs';

const { conformancePage } = await import(pathToFileURL(path.join(root, 'test/efi/conformance-page.ts')).href);
writeFileSync(path.join(root, 'docs/conformance.md'), conformancePage());
