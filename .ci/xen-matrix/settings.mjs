// The detection matrix of Xen: which boots, and where what they gave is kept.
import path from 'node:path';
import { root } from '../sources.mjs';

/** As examples/get-kernels names them. */
export const kernels = ['6.1-cloud', '6.12-cloud'];
export { kernelFile, kernelFolder as folder } from '../kernels.mjs';
export const commandLine = 'console=ttyS0 ignore_loglevel';
export const memoryMiB = 512;
export const resultsFile = path.join(root, '.ci/xen-matrix/results.json');
export const pageFile = path.join(root, 'docs/xen-detection.md');

const both = [true, false];
/** The FADT's boot flags: as under Xen first. */
const flags = both.flatMap((noVga) => both.map((noRtc) => ({ noVga, noRtc })));

/**
 * The boots of one kernel. `leaves`: Xen's CPUID leaves, and Xen behind them. `table`: the Xen configuration table; there
 * is none through other doors. Of the newer kernel, fewer boots without it. `subarch`: hardware_subarch of boot_params.
 */
export const cellsOf = (kernel) => [
  ...both.flatMap((leaves) =>
    both.flatMap((table) =>
      flags
        .filter(({ noVga, noRtc }) => table || kernel === kernels[0] || (noVga && noRtc))
        .map((flag) => ({ door: 'efi', leaves, table, ...flag })),
    ),
  ),
  ...both.flatMap((leaves) => flags.map((flag) => ({ door: 'pvh', leaves, ...flag }))),
  ...['pc', 'xen'].flatMap((subarch) => [
    { door: 'linux64', subarch, leaves: true, noVga: true, noRtc: true },
    { door: 'linux64', subarch, leaves: true, noVga: true, noRtc: false },
    { door: 'linux64', subarch, leaves: true, noVga: false, noRtc: true },
    { door: 'linux64', subarch, leaves: false, noVga: true, noRtc: false },
  ]),
];

const yes = (value, text = 'yes') => (value ? text : 'no');
export const nameOf = ({ door, subarch, leaves, table, noVga, noRtc }) =>
  [
    `door ${door}`,
    ...(subarch === undefined ? [] : [`subarch ${subarch}`]),
    `leaves ${yes(leaves)}`,
    ...(table === undefined ? [] : [`table ${yes(table)}`]),
    `no-VGA ${yes(noVga)}`,
    `no-RTC ${yes(noRtc)}`,
  ].join(', ');
