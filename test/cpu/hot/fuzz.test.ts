import { expect } from 'chai';
import fc from 'fast-check';
import { seededRandom } from '../../instructions/random.js';
import { buildArtifacts } from '../../instructions/processor-subject.js';
import { places, RandomMachine } from './random-machine.js';
import { assemble, programOf, type Program } from './random-program.js';

const TICKS = 5000;
const runs = Number(process.env['FUZZ_RUNS'] ?? 250);
const seed = Number(process.env['FUZZ_SEED'] ?? 20260);

interface Pair {
  readonly cold: RandomMachine;
  readonly hot: RandomMachine;
}

/** Both tiers run the program; everything that a guest can tell must be equal. */
function check({ cold, hot }: Pair, program: Program): void {
  const { start, code, addresses: resume } = assemble(program);
  const { bits, registers, flags: rflags, interruptAt } = program;
  const run = { bits, registers, rflags: BigInt(rflags), start, code, resume, ticks: TICKS, interruptAt };
  for (const machine of [cold, hot]) machine.run(run);
  const text = `code ${Buffer.from(code).toString('hex')} at ${start.toString(16)}`;
  const [right, outcome] = [cold.outcome(), hot.outcome()];
  const wrong = Object.keys(right).filter((name) => right[name] !== outcome[name]);
  if (wrong.length > 0) {
    const differences = wrong.map((name) => `${name}: ${String(outcome[name])}, cold ${String(right[name])}`);
    expect.fail(
      `${text}, exceptions ${String(right['exceptions'])}, tick ${String(right['ticks'])}\n${differences.join('\n')}`,
    );
  }
  const [expected, got] = [cold.ram(), hot.ram()];
  if (Buffer.compare(expected, got) !== 0) {
    const at = expected.findIndex((byte, i) => byte !== got[i]);
    expect.fail(`${text}: RAM differs at ${at.toString(16)}: ${String(got[at])}, cold ${String(expected[at])}`);
  }
}

describe('hot and cold tier on random programs', function () {
  this.timeout(0);
  const pairs = new Map<string, Pair>();
  before(() => {
    const artifacts = buildArtifacts();
    const random = seededRandom(seed);
    const cold = new RandomMachine(artifacts, 'never', 1024);
    pairs.set('whole runs', { cold, hot: new RandomMachine(artifacts, 1, 1024) });
    pairs.set('slices, a TLB of 16 entries', {
      cold: new RandomMachine(artifacts, 'never', 16),
      hot: new RandomMachine(artifacts, 1, 16, () => 1 + random.below(60)),
    });
  });
  it('a REP that overwrites itself is fetched again at its next element, however the run is sliced', () => {
    const start = places.code;
    const code = Uint8Array.of(0xf3, 0xaa, 0xcc); // REP STOSB; INT3
    const registers = Array<bigint>(16).fill(0n);
    registers[0] = 0x90n; // NOP
    registers[1] = 5n;
    registers[7] = BigInt(start);
    for (const { cold, hot } of pairs.values()) {
      for (const machine of [cold, hot]) {
        machine.run({ bits: 64, registers, rflags: 0n, start, code, resume: [start], ticks: TICKS });
        const { rcx, rip, exceptions } = machine.outcome();
        // The first element leaves 90 AA: NOP, then STOSB without its prefix.
        expect({ rcx, exceptions }).to.deep.equal({ rcx: '4', exceptions: '3' });
        expect(rip).to.equal((places.handlers + 3 * 16).toString(16));
      }
    }
  });
  for (const bits of [64, 32] as const) {
    for (const name of ['whole runs', 'slices, a TLB of 16 entries']) {
      it(`${String(bits)}-bit code, ${name}: registers, flags, memory, TLB and ticks are equal`, () => {
        const pair = pairs.get(name);
        if (pair === undefined) throw new Error(`no machines for ${name}`);
        fc.assert(
          fc.property(programOf(bits), (program) => {
            check(pair, program);
          }),
          { numRuns: bits === 64 ? runs : Math.ceil(runs / 2), seed, endOnFailure: false },
        );
      });
    }
  }
});
