// What the profile `linux` is justified by, and where that is written.
import path from 'node:path';
import { root } from '../sources.mjs';

/** As examples/get-kernels names them. */
export const kernels = ['6.1-cloud', '6.12-cloud', 'latest-cloud'];
export { kernelFile, kernelFolder as folder } from '../kernels.mjs';
export const commandLine = 'console=ttyS0 ignore_loglevel';
export const memoryMiB = 1024;
export const resultsFile = path.join(root, '.ci/justify/results.json');
export const pageFile = path.join(root, 'docs/linux-profile.md');

/** The entries of a profile, as the targets of overrides. */
export const entriesOf = (profile) => [
  ...Object.keys(profile.services),
  ...Object.keys(profile.protocols).map((name) => `protocol:${name}`),
  ...Object.keys(profile.configurationTables).map((name) => `table:${name}`),
];
export const isService = (entry) => !entry.includes(':');
