import path from 'node:path';
import { expect } from 'chai';
import type { ExecutedInstructions } from '../../src/cpu/instruction-counts.js';
import { formatDigest } from '../../src/digest.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { Machine, type MachineOptions } from '../../src/machine.js';
import { cachedFile, kernelFolder } from '../support/kernels.js';
import { RecordedBoot } from '../support/recorded-boot.js';

const ticks = [20e6, 40e6];

/** As text, in an order of its own: counts of two runs are equal when their texts are. */
const listed = ({ addresses, lengths, modes, counts }: ExecutedInstructions): string[] =>
  Array.from(addresses, (address, i) => [address.toString(16), lengths[i], modes[i], counts[i]].join(' ')).sort();

const total = ({ counts }: ExecutedInstructions): number => counts.reduce((sum, times) => sum + times, 0);

/** A boot of 6.1 as far as the ticks: the digest at each of them, and what an observing processor counted up to there. */
async function boot(door: 'pvh' | 'efi', options: Partial<MachineOptions>): Promise<[string, string[]][]> {
  const { observing = false } = options;
  const run = await RecordedBoot.start({
    image: path.join(kernelFolder, 'vmlinuz-6.1-cloud'),
    door,
    profile: 'linux',
    memoryBytes: 256 << 20,
    commandLine: 'console=ttyS0',
    options,
  });
  const { machine } = run;
  let [from, saved] = [0, machine.save()];
  return ticks.map((tick) => {
    run.runTo(tick);
    const digest = formatDigest(machine.digest());
    if (!observing) return [digest, []];
    const counted = machine.processor.takeCounts();
    expect(total(counted)).to.equal(machine.instructions - from);
    // A restored machine counts what it executes itself.
    const restored = Machine.restore({ artifacts: loadProcessorArtifacts(), ...options }, saved);
    while (restored.ticks < tick) restored.run(tick - restored.ticks);
    expect(formatDigest(restored.digest())).to.equal(digest);
    expect(listed(restored.processor.takeCounts())).to.deep.equal(listed(counted));
    [from, saved] = [machine.instructions, machine.save()];
    return [digest, listed(counted)];
  });
}

describe('an observing processor', function () {
  this.timeout(300_000);

  for (const door of ['pvh', 'efi'] as const) {
    it(`boots 6.1 by ${door} as any other, and counts the same in both tiers and after a restore`, async function () {
      cachedFile(this, 'vmlinuz-6.1-cloud');
      const plain = await boot(door, {});
      const hot = await boot(door, { observing: true, compileAfter: 500 });
      expect(hot.map(([digest]) => digest)).to.deep.equal(plain.map(([digest]) => digest));
      const cold = await boot(door, { observing: true, compileAfter: 'never' });
      expect(cold).to.deep.equal(hot);
    });
  }

  it('knows the gate that a firmware call is made by', async function () {
    cachedFile(this, 'vmlinuz-6.1-cloud');
    const gates: [bigint, bigint][] = [];
    const started = RecordedBoot.start({
      image: path.join(kernelFolder, 'vmlinuz-6.1-cloud'),
      door: 'efi',
      profile: 'linux',
      memoryBytes: 256 << 20,
      commandLine: 'console=ttyS0',
      options: {
        observing: true,
        onServiceCall: () => {
          const { processor } = machine;
          gates.push([processor.currentInstruction(), processor.registers.rip - 6n]); // a gate has six bytes
        },
      },
    });
    const { machine } = await started;
    machine.run(20e6);
    expect(gates).to.have.length.above(10);
    for (const [instruction, gate] of gates) expect(instruction).to.equal(gate);
  });
});
