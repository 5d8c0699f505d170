import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { SeededRandom } from '../src/cpu/seeded-random.js';
import { formatDigest } from '../src/digest.js';
import { loadProcessorArtifacts } from '../src/host/processor-artifacts.js';
import { Machine } from '../src/machine.js';
import { linux, proposal } from '../src/firmware/index.js';
import { decodeSnapshot, encodeSnapshot, SnapshotError, snapshotVersion } from '../src/snapshot.js';
import { Continuer } from './support/continue-in-process.js';
import { RecordedBoot, type BootChoice } from './support/recorded-boot.js';

const example = (file: string): string => fileURLToPath(new URL(`../examples/two-doors/${file}`, import.meta.url));
const common = { profile: 'proposal', memoryBytes: 64 << 20, commandLine: 'saved and restored' };
const guests: readonly BootChoice[] = [
  { ...common, image: example('two-doors.elf'), door: 'pvh' },
  { ...common, image: example('two-doors.efi'), door: 'efi', options: { strict: true, compileAfter: 1 } },
];
const POINTS = 20;

describe('Machine.save() and Machine.restore()', function () {
  this.timeout(120_000);
  const continuer = new Continuer();
  before(async () => {
    await continuer.open();
  });
  after(() => {
    continuer.close();
  });

  for (const guest of guests) {
    it(`a boot of two-doors by ${guest.door}, saved at ${POINTS} random ticks, ends the same in fresh processes`, async () => {
      const expected = (await RecordedBoot.start(guest)).finish();
      expect(expected.outcome).to.equal('powered-off');
      expect(expected.console).to.contain('saved and restored');
      const random = new SeededRandom(20);
      for (let point = 0; point < POINTS; point++) {
        const tick = Number(random.next64() % BigInt(expected.ticks));
        const boot = await RecordedBoot.start(guest);
        boot.runTo(tick);
        expect(boot.machine.ticks).to.equal(tick);
        expect(await continuer.finish(boot.save()), `saved at tick ${tick}`).to.deep.equal(expected);
      }
    });
  }

  it('saving does not disturb the machine that is saved', async () => {
    const [guest] = guests;
    if (guest === undefined) throw new Error('no guest');
    const expected = (await RecordedBoot.start(guest)).finish();
    const boot = await RecordedBoot.start(guest);
    for (let tick = 1000; tick < expected.ticks; tick += 1000) {
      boot.runTo(tick);
      boot.save();
    }
    expect(boot.finish()).to.deep.equal(expected);
  });

  it('a saved and restored machine has the same digest, an ended one its outcome', async () => {
    for (const guest of guests) {
      const boot = await RecordedBoot.start(guest);
      boot.runTo(9000);
      const digest = formatDigest(boot.machine.digest());
      const again = RecordedBoot.resume(boot.save());
      expect(formatDigest(again.machine.digest())).to.equal(digest);
      const ending = again.finish();
      expect(RecordedBoot.resume(again.save()).finish()).to.deep.equal(ending);
    }
  });

  it('a halted processor stays halted, across save and restore, whatever time the host skips, until an interrupt', () => {
    const artifacts = loadProcessorArtifacts();
    const machine = new Machine({ artifacts, memoryBytes: 64 << 20 });
    machine.memory.writePhysical(0x10_0000, Uint8Array.of(0xfb, 0xf4, 0x40)); // STI; HLT; INC EAX
    machine.processor.enter({ mode: 'protected32', rip: 0x10_0000n });
    machine.events.schedule('local-apic-timer', 1000); // comes, but the timer is stopped: no interrupt
    machine.run(100);
    for (const tick of [500, 1000, 2000]) {
      const restored = Machine.restore({ artifacts }, machine.save());
      for (const one of [machine, restored]) {
        expect(one.idle).to.equal(true);
        one.skipTo(tick);
        one.run(100);
        expect(one.idle).to.equal(true);
        expect(one.ticks).to.equal(tick);
        expect(one.processor.registers.get('rax')).to.equal(0n);
      }
      expect(restored.digest()).to.deep.equal(machine.digest());
    }
    expect(machine.idleUntil()).to.equal(undefined);
  });

  it('a page that the guest cleared again is clear in the restored machine', () => {
    const artifacts = loadProcessorArtifacts();
    const machine = new Machine({ artifacts, memoryBytes: 64 << 20 });
    machine.memory.writePhysical(0xe_0000, new Uint8Array(4096)); // where each new machine has ACPI tables
    const restored = Machine.restore({ artifacts }, machine.save());
    expect(restored.memory.readPhysical(0xe_0000, 4096).every((byte) => byte === 0)).to.equal(true);
  });

  describe('refuses', () => {
    const artifacts = loadProcessorArtifacts();
    const machine = new Machine({ artifacts, memoryBytes: 64 << 20, profile: linux });
    const bytes = encodeSnapshot(machine.save());

    it('bytes that are no snapshot', () => {
      expect(() => decodeSnapshot(Uint8Array.of(1, 2, 3))).to.throw(SnapshotError, /no snapshot/);
      expect(() => decodeSnapshot(new Uint8Array(1000))).to.throw(SnapshotError, /does not begin with/);
    });

    it('a snapshot of another version, naming both', () => {
      const other = bytes.slice();
      other[8] = 99;
      expect(() => decodeSnapshot(other)).to.throw(SnapshotError, `version 99 and this is version ${snapshotVersion}`);
      const object = { ...decodeSnapshot(bytes), version: 7 };
      expect(() => Machine.restore({ artifacts }, object)).to.throw(SnapshotError, /version 7/);
    });

    it('truncated and damaged bytes', () => {
      for (const length of [30, 1000, bytes.length - 4, bytes.length - 1]) {
        expect(() => decodeSnapshot(bytes.slice(0, length)), `${length} bytes`).to.throw(SnapshotError, /damaged/);
      }
      for (const at of [16, 24, 5000, bytes.length - 1]) {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] ?? 0) ^ 1;
        expect(() => decodeSnapshot(damaged), `byte ${at}`).to.throw(SnapshotError, /damaged/);
      }
    });

    it('another profile than the saved one', () => {
      const snapshot = decodeSnapshot(bytes);
      expect(() => Machine.restore({ artifacts, profile: proposal }, snapshot)).to.throw(
        SnapshotError,
        /profile linux/,
      );
      expect(Machine.restore({ artifacts }, snapshot).firmware.profile).to.equal(linux);
    });
  });
});
