import { SeededRandom } from '../../src/cpu/seeded-random.js';

/** Seeded choices of a fuzzer; the same seed gives the same inputs on every host. */
export class Generator {
  private readonly random: SeededRandom;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    for (let i = 0; i < 4; i++) this.bits(); // neighbouring seeds part
  }

  /** 64 random bits. */
  bits(): bigint {
    return this.random.next64();
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Number(this.bits() % BigInt(limit));
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new Error('nothing to pick from');
    return choice;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** Numbers at which arithmetic goes wrong, as 64 bits. */
export const extremes: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  8n,
  0xfffn,
  0x1000n,
  0x1001n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_f000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_f000n,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
];

/** An input broke a promise. The message has the command that repeats it. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure';
}

/** One kind of input: `session` feeds the inputs that a seed stands for and answers how many there were. Throws on a broken promise. */
export interface Fuzzer {
  readonly name: string;
  /** How many inputs the test with a fixed seed feeds; a default when left out. */
  readonly fixedInputs?: number;
  session(seed: number): number;
}

/** Seconds of the processor so far: a process that others hold up does not hang. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Feeds at least `runs` inputs. Throws FuzzFailure. */
export function fuzz(fuzzer: Fuzzer, seed: number, runs: number, onProgress?: (done: number) => void): number {
  let done = 0;
  for (let next = seed; done < runs; next++) {
    const started = processorSeconds();
    try {
      done += fuzzer.session(next);
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw new FuzzFailure(`${what}\nrepeat: npm run fuzz -- --only ${fuzzer.name} --seed ${String(next)} --runs 1`, {
        cause: error,
      });
    }
    const seconds = processorSeconds() - started;
    if (seconds > 60) throw new FuzzFailure(`${fuzzer.name}, seed ${String(next)}: took ${seconds.toFixed(1)} s`);
    onProgress?.(done);
  }
  return done;
}
