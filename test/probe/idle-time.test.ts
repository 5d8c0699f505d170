import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { ProbedRun } from '../../src/probe/probed-run.js';
import { idleTime } from '../../src/probe/probes/idle-time.js';
import { root } from '../support/efikit.js';

const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

describe('the probe idle-time, which docs/probes.md shows', () => {
  it('gives the halted time of each stretch; together they are all of it', () => {
    const processor = { extraTicks: 0 };
    let onPhase: (phase: { name: string }) => void = () => undefined;
    const run = { machine: { processor }, onPhase: (listener: typeof onPhase) => (onPhase = listener) };
    const take = idleTime.start(run as unknown as ProbedRun);
    onPhase({ name: 'entry' });
    processor.extraTicks = 5;
    onPhase({ name: 'start_kernel' });
    processor.extraTicks = 12;
    expect(take()).to.deep.equal([
      { from: 'entry', to: 'start_kernel', nanoseconds: 5 },
      { from: 'start_kernel', to: 'end', nanoseconds: 7 },
    ]);
  });
  it('stands in the document as it stands in the tree', () => {
    expect(read('docs/probes.md')).to.include(`\`\`\`ts\n${read('src/probe/probes/idle-time.ts')}\`\`\`\n`);
  });
});
