import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { DigestedMachine, formatDigest, runWithDigests, type Digest } from '../src/digest.js';
import type { MachineOptions } from '../src/machine.js';
import { RecordedBoot, type BootChoice } from './support/recorded-boot.js';

const guest = (door: 'pvh' | 'efi', options: Partial<MachineOptions> = {}): BootChoice => ({
  image: fileURLToPath(new URL(`../examples/two-doors/two-doors.${door === 'efi' ? 'efi' : 'elf'}`, import.meta.url)),
  door,
  profile: 'proposal',
  memoryBytes: 64 << 20,
  commandLine: 'digests',
  options,
});

/** Digests by tick of a whole run. */
async function digests(choice: BootChoice, every: number): Promise<Map<number, Digest>> {
  const { machine } = await RecordedBoot.start(choice);
  const found = new Map<number, Digest>();
  runWithDigests(machine, every, (tick, digest) => found.set(tick, digest));
  expect(machine.outcome?.outcome).to.equal('powered-off');
  return found;
}

const withoutTlb = (found: Map<number, Digest>): [number, Omit<Digest, 'tlb'>][] =>
  [...found].map(([tick, { processor, memory, devices }]) => [tick, { processor, memory, devices }]);

describe('digests', function () {
  this.timeout(60_000);

  for (const door of ['pvh', 'efi'] as const) {
    it(`two runs by ${door} agree every 1,000 ticks, and any two ticks differ`, async () => {
      const first = await digests(guest(door), 1000);
      expect(first.size).to.be.greaterThan(30);
      expect([...(await digests(guest(door), 1000))]).to.deep.equal([...first]);
      expect(new Set([...first.values()].map(formatDigest)).size).to.equal(first.size);
    });

    it(`${door}: the moment of compilation is invisible: after 1 entry, 500, seeded random ones, never`, async () => {
      const never = await digests(guest(door, { compileAfter: 'never' }), 1000);
      for (const compileAfter of [1, 500, 'random'] as const) {
        expect([...(await digests(guest(door, { compileAfter }), 1000))], String(compileAfter)).to.deep.equal([
          ...never,
        ]);
      }
    });

    it(`${door}: TLBs of 16 entries differ from those of 1,024 in what they hold alone`, async () => {
      const large = await digests(guest(door), 1000);
      const small = await digests(guest(door, { tlbEntries: 16 }), 1000);
      expect(withoutTlb(small)).to.deep.equal(withoutTlb(large));
    });
  }

  it('a machine for a host that slices as it likes gives its digest at the same ticks', async () => {
    const right = await digests(guest('pvh'), 1000);
    for (const slice of [1, 333, 1000, 4321]) {
      const { machine } = await RecordedBoot.start(guest('pvh'));
      const found = new Map<number, Digest>();
      const digested = new DigestedMachine(machine, 1000, (tick, digest) => found.set(tick, digest));
      while (digested.outcome === undefined && digested.ticks < 40_000) digested.run(slice);
      expect(found.size, `slices of ${String(slice)}`).to.be.at.least(30);
      for (const [tick, digest] of found) expect(right.get(tick), `tick ${String(tick)}`).to.deep.equal(digest);
    }
  });

  /** A machine that is asked for runs; `run` is told itself. */
  const fake = (run: (machine: { ticks: number; idle: boolean }, ticks: number) => void) => ({
    ticks: 900,
    instructions: 900,
    idle: true,
    outcome: undefined,
    calls: [] as string[],
    run(ticks: number): void {
      run(this, ticks);
    },
    idleUntil: () => 5400,
    skipTo(tick: number): void {
      this.ticks = Math.min(tick, 5400);
      this.calls.push(`skip ${String(tick)}`);
    },
    end: () => undefined,
    digest: () => ({ processor: '', memory: '', devices: '', tlb: '' }),
  });

  it('an idle machine whose time jumps over several ticks gives its digest at the last of them', () => {
    const machine = fake(() => undefined);
    const digested = new DigestedMachine(machine, 1000, (tick) => machine.calls.push(`digest ${String(tick)}`));
    digested.skipTo(950);
    digested.skipTo(9000);
    expect(machine.calls).to.deep.equal(['skip 950', 'skip 5000', 'digest 5000', 'skip 9000']);
  });

  it('an idle machine comes to its timer, with a digest at each multiple of the ticks', () => {
    const found: number[] = [];
    const machine = fake((self, ticks) => (self.idle = ticks > 0));
    runWithDigests(machine, 2000, (tick) => found.push(tick), 5000);
    expect(found).to.deep.equal([2000, 4000, 5000]);
  });

  it('a guest that faults for ever ends the run', () => {
    const found: number[] = [];
    const machine = fake((self) => (self.idle = false));
    runWithDigests(machine, 1000, (tick) => found.push(tick));
    expect(found).to.deep.equal([900]);
  });

  it('slices move no boundary: every 137 ticks as every 1,370, hot or cold', async () => {
    const coarse = await digests(guest('pvh', { compileAfter: 'never' }), 1370);
    const fine = await digests(guest('pvh', { compileAfter: 1 }), 137);
    for (const [tick, digest] of coarse) expect(fine.get(tick), `tick ${tick}`).to.deep.equal(digest);
  });

  describe('a difference shows in its part', () => {
    const parts = async (change: (boot: RecordedBoot) => void): Promise<string[]> => {
      const boot = await RecordedBoot.start(guest('pvh'));
      boot.runTo(5000);
      const before = boot.machine.digest();
      expect(boot.machine.digest(), 'asked twice').to.deep.equal(before);
      change(boot);
      const after = boot.machine.digest();
      return (['processor', 'memory', 'devices', 'tlb'] as const).filter((part) => before[part] !== after[part]);
    };

    it('one bit of a register or of RFLAGS', async () => {
      expect(
        await parts(({ machine }) => {
          machine.processor.registers.set('r15', 1n << 63n);
        }),
      ).to.deep.equal(['processor']);
      expect(await parts(({ machine }) => (machine.processor.registers.rflags ^= 1n))).to.deep.equal(['processor']);
    });

    it('one byte of RAM, wherever it is; none when it is written back', async () => {
      for (const address of [0, 0x10_0000, (64 << 20) - 1]) {
        const at = ({ machine }: RecordedBoot): number => machine.memory.readPhysical(address, 1)[0] ?? 0;
        const changed = await parts((boot) => {
          boot.machine.memory.writePhysical(address, Uint8Array.of(at(boot) ^ 0x80));
        });
        expect(changed, address.toString(16)).to.deep.equal(['memory']);
        const same = await parts((boot) => {
          boot.machine.memory.writePhysical(address, Uint8Array.of(at(boot)));
        });
        expect(same).to.deep.equal([]);
      }
    });

    it('a device, a pending event, a random number', async () => {
      expect(
        await parts(({ machine }) => {
          machine.platform.ports.writePort(0x3ff, 1, 0x5a);
        }),
      ).to.deep.equal(['devices']);
      expect(
        await parts(({ machine }) => {
          machine.events.schedule('local-apic-timer', 1e9);
        }),
      ).to.deep.equal(['devices']);
      expect(await parts(({ machine }) => machine.random.next64())).to.deep.equal(['devices']);
    });

    it('what the TLBs hold: a flush', async () => {
      const flush = ({ machine }: RecordedBoot): void => {
        const { registers } = machine.processor;
        const { cr3 } = registers;
        registers.cr3 = cr3;
      };
      expect(await parts(flush)).to.deep.equal(['tlb']);
    });
  });
});
