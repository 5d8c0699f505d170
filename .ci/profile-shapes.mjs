// Boots kernels in the cold tier alone, counts how often each shape runs, and writes the commonest to
// src/cpu/cold/common-shapes.ts: those get a case of the dispatch loop.
//
//   node --import tsx .ci/profile-shapes.mjs KERNEL INITRD [COUNT]
import { readFileSync, writeFileSync } from 'node:fs';
import { loadProcessorArtifacts } from '../src/host/processor-artifacts.ts';
import { buildCold } from '../src/cpu/cold/build.ts';
import { Machine } from '../src/machine.ts';
import { linux } from '../src/firmware/index.ts';
import { doors } from '../src/boot/index.ts';
import { readImage } from '../src/loaders/read-image.ts';
import { PROFILE } from '../src/cpu/state-layout.ts';

const [kernel, initrd, count = '200'] = process.argv.slice(2);
const artifacts = { ...loadProcessorArtifacts(), ...buildCold({ countHandlers: true }) };
const image = readImage(readFileSync(kernel));
await image.prepare();
const totals = new Map();
for (const door of doors.filter(({ name }) => name === 'pvh' || name === 'efi')) {
  const machine = new Machine({ artifacts, memoryBytes: 512 << 20, profile: linux, compileAfter: 'never' });
  machine.boot(door, image, { commandLine: 'console=ttyS0', initrd: readFileSync(initrd), modules: [] });
  while (machine.outcome === undefined) {
    machine.run(1e8);
    if (machine.idle) machine.skipTo(machine.idleUntil() ?? machine.ticks + 1e9);
  }
  const view = new DataView(machine.processor.wasm.buffer);
  artifacts.names.forEach((name, i) => {
    totals.set(name, (totals.get(name) ?? 0) + Number(view.getBigUint64(PROFILE + 8 * i, true)));
  });
  process.stderr.write(`${door.name}: ${machine.outcome.reason}\n`);
}
const shapes = [...totals].filter(([name]) => !name.startsWith('(')).sort((a, b) => b[1] - a[1]);
const sum = shapes.reduce((total, [, n]) => total + n, 0);
const common = shapes.slice(0, Number(count));
const share = (100 * common.reduce((total, [, n]) => total + n, 0)) / sum;
process.stderr.write(`${common.length} of ${shapes.length} shapes run ${share.toFixed(2)} % of ${sum} instructions\n`);
writeFileSync(
  new URL('../src/cpu/cold/common-shapes.ts', import.meta.url),
  `/** Shape keys that get a case of the dispatch loop, commonest first; written by .ci/profile-shapes.mjs. */
export const commonShapes: readonly string[] = [
${common.map(([name]) => `  '${name}',`).join('\n')}
];
`,
);
