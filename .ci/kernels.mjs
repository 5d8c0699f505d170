// Where examples/get-kernels puts what it fetches.
import os from 'node:os';
import path from 'node:path';

/** EFIKIT_KERNELS, else ~/.cache/efikit/kernels. */
export const kernelFolder = process.env.EFIKIT_KERNELS ?? path.join(os.homedir(), '.cache/efikit/kernels');

/** The file of `6.1-cloud`, say. */
export const kernelFile = (name) => path.join(kernelFolder, `vmlinuz-${name}`);
