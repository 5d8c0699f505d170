import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Context } from 'mocha';

export const kernelNames = ['6.1-cloud', '6.12-cloud', 'latest-cloud'] as const;
export type KernelName = (typeof kernelNames)[number];

/** Where the kernels are cached: EFIKIT_KERNELS, else ~/.cache/efikit/kernels. */
export const kernelFolder = process.env['EFIKIT_KERNELS'] ?? join(homedir(), '.cache', 'efikit', 'kernels');

/**
 * A file of the cache, such as 'vmlinuz-6.1-cloud'. Where it is absent the calling test (or hook) is skipped by name
 * with the reason; under CI it fails. Call it with the `this` of a `function` test.
 */
export function cachedFile(context: Context, name: string): Uint8Array {
  const path = join(kernelFolder, name);
  if (existsSync(path)) return new Uint8Array(readFileSync(path));
  const reason = `${name} is not in ${kernelFolder}`;
  if (process.env['CI'] === 'true') throw new Error(`${reason}: fetch the kernels first`);
  if (context.test !== undefined) context.test.title += ` (skipped: ${reason})`;
  return context.skip();
}

export const cachedKernel = (context: Context, name: KernelName): Uint8Array => cachedFile(context, `vmlinuz-${name}`);
