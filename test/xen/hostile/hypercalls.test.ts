import { expect } from 'chai';
import { SeededRandom } from '../../../src/cpu/seeded-random.js';
import { Errno } from '../../../src/xen/errno.js';
import { hypercalls } from '../../../src/xen/hypercalls/index.js';
import { TestDomain } from '../../support/xen-domain.js';

const calls = Number(process.env['XEN_CALLS'] ?? 24_000);
const perDomain = 400;
const known: ReadonlySet<number> = new Set([...Object.values(Errno), -75, -84]);

/** Arguments as no kernel gives them: pointers, numbers and structures out of a seeded generator. */
class Hostile {
  private readonly random: SeededRandom;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  below(limit: number): number {
    return Number(this.random.next64() % BigInt(limit));
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  pointer(): bigint {
    const page = BigInt(this.below(0xf0)) << 12n;
    return this.pick([
      () => page,
      () => page + BigInt(this.below(4096)), // misaligned
      () => page + 4096n - BigInt(1 + this.below(32)), // across two pages
      () => BigInt(TestDomain.absent - this.below(64)), // into a page that is not there
      () => BigInt(TestDomain.readOnly + this.below(4096)),
      () => (1n << 20n) - BigInt(this.below(32)), // across the end of RAM
      () => BigInt(this.below(64)) << BigInt(this.below(58)), // huge
      () => 0xffff_ffff_ffff_ffffn - BigInt(this.below(32)), // wraps
      () => this.random.next64(),
      () => 0n,
    ])();
  }

  number(): bigint {
    return this.pick([
      () => BigInt(this.below(16)),
      () => BigInt(this.below(0x200)),
      () => 0x7ff0n, // DOMID_SELF
      () => (1n << BigInt(this.below(64))) - BigInt(this.below(2)),
      () => this.pointer(),
      () => this.random.next64(),
    ])();
  }

  /** Something like a structure at a pointer: small numbers, identifiers, pointers. */
  fill(test: TestDomain, at: bigint): void {
    if (at + 64n > BigInt(test.ram.ramBytes)) return;
    const bytes = this.pick([2, 4, 8] as const);
    for (let offset = 0; offset < 64; offset += bytes) {
      if (this.below(4) > 0) test.store(Number(at) + offset, [bytes, this.number()]);
    }
    if (this.below(2) === 0) test.store(Number(at), [2, 0x7ff0]);
  }
}

describe('hostile hypercalls', function () {
  this.timeout(120_000);

  for (const seed of [1, 2]) {
    it(`${calls / 2} calls with arguments of seed ${seed}: an answer that Xen gives, and nothing is thrown`, () => {
      const hostile = new Hostile(seed);
      const numbers = hypercalls.map(({ number }) => number);
      let test = new TestDomain();
      const results = new Map<number, number>();
      for (let i = 0; i < calls / 2; i++) {
        if (i % perDomain === 0) test = new TestDomain();
        test.mode = hostile.below(3) === 0 ? 'narrow' : 'wide';
        test.tick += hostile.below(100_000);
        const number = hostile.below(20) === 0 ? Number(hostile.number() & 0xffffn) : hostile.pick(numbers);
        const pointer = hostile.pointer();
        hostile.fill(test, pointer);
        const operation = hostile.below(8) === 0 ? hostile.number() : BigInt(hostile.below(26));
        const args = [operation, hostile.below(4) === 0 ? 0n : pointer, hostile.number(), pointer, hostile.number()];
        if (number === 24) [args[1], args[2]] = [0n, pointer]; // vcpu_op: its pointer is the third
        if (number === 13) [args[0], args[1]] = [pointer, BigInt(hostile.below(8))];
        if (number === 20) args[2] = BigInt(hostile.below(4));
        const result = test.call(number, ...args);
        results.set(result, (results.get(result) ?? 0) + 1);
        if (result < 0) expect(known, `call ${i}: hypercall ${number} -> ${result}`).to.include(result);
        if (hostile.below(50) === 0) for (const name of [...test.events.keys()]) test.fire(name);
      }
      const frequent = [0, Errno.EFAULT, Errno.EINVAL, Errno.ENOSYS, Errno.EPERM, Errno.ESRCH];
      for (const result of frequent) expect(results.get(result) ?? 0, String(result)).to.be.greaterThan(20);
    });
  }
});
