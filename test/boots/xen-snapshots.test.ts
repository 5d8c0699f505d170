import { expect } from 'chai';
import { efi } from '../../src/boot/efi.js';
import type { CompileAfter } from '../../src/cpu/hot/tier.js';
import { formatDigest } from '../../src/digest.js';
import { linux } from '../../src/firmware/index.js';
import { hostCodecs } from '../../src/host/codecs.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { Machine } from '../../src/machine.js';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from '../../src/snapshot.js';
import { xenTimerEvent } from '../../src/xen/domain-time.js';
import { cachedFile } from '../support/kernels.js';

/** Ticks of a boot through EFI: the firmware, the first hypercalls, the console ring, timers. */
const ticks = [40_000_000, 200_000_000, 262_000_000, 400_000_000, 480_000_000] as const;
const end = 500_000_000;

function runTo(machine: Machine, tick: number): void {
  while (machine.outcome === undefined && machine.ticks < tick) {
    machine.run(tick - machine.ticks);
    if (machine.idle) machine.skipTo(Math.min(tick, machine.idleUntil() ?? tick));
  }
}

describe('boots under Xen through EFI are deterministic', function () {
  this.timeout(300_000);

  it('every tier, straight on and from machines saved on the way with timers pending, comes to the same states', async function () {
    const image = readImage(cachedFile(this, 'vmlinuz-6.1-cloud'), { codecs: hostCodecs() });
    const initrd = cachedFile(this, 'initrd.gz');
    await image.prepare();
    const artifacts = loadProcessorArtifacts();
    const start = (compileAfter?: CompileAfter): Machine => {
      const tier = compileAfter === undefined ? {} : { compileAfter };
      const machine = new Machine({ artifacts, memoryBytes: 256 << 20, profile: linux, xen: {}, ...tier });
      machine.boot(efi, image, { commandLine: 'console=hvc0', modules: [], initrd });
      return machine;
    };
    const states = (machine: Machine, saved?: Snapshot[]): readonly string[] => {
      const digests = ticks.map((tick) => {
        runTo(machine, tick);
        saved?.push(machine.save());
        return formatDigest(machine.digest());
      });
      runTo(machine, end);
      return [...digests, formatDigest(machine.digest())];
    };

    const saved: Snapshot[] = [];
    const expected = states(start(), saved);
    expect(
      saved.some(({ state }) => xenTimerEvent.singleShot in state.events),
      'a timer was pending',
    ).to.equal(true);
    for (const compileAfter of ['never', 1000] as const) {
      expect(states(start(compileAfter)), `compileAfter ${String(compileAfter)}`).to.deep.equal(expected);
    }
    for (const snapshot of saved) {
      const machine = Machine.restore({ artifacts }, decodeSnapshot(encodeSnapshot(snapshot)));
      const from = machine.ticks;
      runTo(machine, end);
      expect(formatDigest(machine.digest()), `saved at ${String(from)}`).to.equal(expected.at(-1));
    }
  });
});
