// Boots a kernel in the cold tier alone, counts how often each instruction runs, and writes the commonest shapes to
// src/cpu/cold/common-shapes.ts: those get a case of the dispatch loop.
//
//   node --import tsx .ci/profile-shapes.mjs KERNEL INITRD [COUNT]
import { readFileSync, writeFileSync } from 'node:fs';
import { loadProcessorArtifacts } from '../src/host/processor-artifacts.ts';
import { Machine } from '../src/machine.ts';
import { linux } from '../src/firmware/index.ts';
import { doors } from '../src/boot/index.ts';
import { readImage } from '../src/loaders/read-image.ts';
import { RECORDS, RECORD_BYTES, REC_HANDLER, REC_LENGTH, REC_NEXT_RIP } from '../src/cpu/state-layout.ts';

/** In the whole what runs rarely counts for little: blocks that hot code would take over are taken for as hot as this. */
const COLD_ENOUGH = 30_000;

const [kernel, initrd, count = '200'] = process.argv.slice(2);
const artifacts = loadProcessorArtifacts();
const image = readImage(readFileSync(kernel));
await image.prepare();
const shapes = new Map();
for (const door of doors.filter(({ name }) => name === 'pvh' || name === 'efi')) {
  const machine = new Machine({
    artifacts,
    memoryBytes: 512 << 20,
    profile: linux,
    compileAfter: 'never',
    observing: true,
  });
  machine.boot(door, image, { commandLine: 'console=ttyS0', initrd: readFileSync(initrd), modules: [] });
  while (machine.outcome === undefined) {
    machine.run(1e8);
    if (machine.idle) machine.skipTo(machine.idleUntil() ?? machine.ticks + 1e9);
  }
  const { wasm, decoder } = machine.processor;
  const view = new DataView(wasm.buffer);
  const named = new Map(); // shapes by address and length
  for (let record = RECORDS; record < decoder.cursor; record += RECORD_BYTES) {
    const name = artifacts.names[view.getUint16(record + REC_HANDLER, true)];
    const length = view.getUint8(record + REC_LENGTH);
    const address = BigInt.asUintN(64, view.getBigUint64(record + REC_NEXT_RIP, true) - BigInt(length));
    if (!name.startsWith('(')) named.set(`${address} ${length}`, name);
  }
  const { addresses, lengths, counts } = machine.processor.takeCounts();
  addresses.forEach((address, i) => {
    const name = named.get(`${address} ${lengths[i]}`);
    if (name !== undefined) shapes.set(name, (shapes.get(name) ?? 0) + Math.min(COLD_ENOUGH, counts[i]));
  });
  process.stderr.write(`${door.name}: ${machine.outcome.reason}\n`);
}

const sum = (list) => list.reduce((total, [, n]) => total + n, 0);
const sorted = [...shapes].sort((a, b) => b[1] - a[1]);
const common = sorted.slice(0, Number(count));
const share = ((100 * sum(common)) / sum(sorted)).toFixed(2);
process.stderr.write(`${common.length} of ${sorted.length} shapes run ${share} % of the cold instructions\n`);
writeFileSync(
  new URL('../src/cpu/cold/common-shapes.ts', import.meta.url),
  `/** Shape keys that get a case of the dispatch loop, commonest first; written by .ci/profile-shapes.mjs. */
export const commonShapes: readonly string[] = [
${common.map(([name]) => `  '${name}',`).join('\n')}
];
`,
);
