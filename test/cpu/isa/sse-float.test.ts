import { expect } from 'chai';
import { tiers } from '../../instructions/processor-subject.js';
import {
  dataPages,
  Flag,
  fxOffset,
  initialFx,
  usualRip,
  type MachineState,
  type Outcome,
} from '../../instructions/state.js';
import type { Subject } from '../../instructions/subject.js';

const INVALID = 1;
const INEXACT = 32;
const allMasked = 0x1f80;

type Lanes = Float64Array | Float32Array | Uint32Array | BigUint64Array;

/** XMM1 and XMM2 as given, MXCSR, everything else 0. */
function stateOf(first: Lanes, second: Lanes, mxcsr = allMasked): MachineState {
  const fx = initialFx();
  new DataView(fx.buffer).setUint32(fxOffset.mxcsr, mxcsr, true);
  fx.set(new Uint8Array(first.buffer), fxOffset.xmm + 16);
  fx.set(new Uint8Array(second.buffer), fxOffset.xmm + 32);
  return { general: new BigUint64Array(16), rip: usualRip, rflags: Flag.IF | 2, fx, windows: [], bits: 64 };
}

const xmm1 = (outcome: Outcome): Uint8Array => outcome.fx.slice(fxOffset.xmm + 16, fxOffset.xmm + 32);
const mxcsr = (outcome: Outcome): number => new DataView(outcome.fx.buffer).getUint32(fxOffset.mxcsr, true);

/** Numbers of every size from a linear congruential generator: the same in every run. */
function numbers(count: number): Float64Array {
  let seed = 12345n;
  const bits = BigUint64Array.from({ length: count }, () => {
    seed = BigInt.asUintN(64, seed * 6364136223846793005n + 1442695040888963407n);
    return seed ^ (seed >> 29n);
  });
  const values = new Float64Array(bits.buffer);
  return values.map((value, i) =>
    Number.isNaN(value) ? i : i % 3 === 0 ? value : Math.fround((i - count / 2) / 7) * 2 ** (i % 40),
  );
}

describe('SSE and SSE2 floating point', () => {
  let subject: Subject;
  const memory = new Uint8Array(dataPages.bytes);
  const run = (state: MachineState, ...code: number[]): Outcome =>
    subject.execute(state, Uint8Array.from(code), memory);
  before(function () {
    this.timeout(60_000); // compiles the core
    subject = (tiers[0] as (typeof tiers)[number]).create();
  });

  const operators: readonly [string, number, (a: number, b: number) => number][] = [
    ['ADD', 0x58, (a, b) => a + b],
    ['SUB', 0x5c, (a, b) => a - b],
    ['MUL', 0x59, (a, b) => a * b],
    ['DIV', 0x5e, (a, b) => a / b],
    ['SQRT', 0x51, (_, b) => Math.sqrt(b)],
  ];
  for (const [name, opcode, expected] of operators) {
    it(`${name}PD rounds as IEEE 754 demands (the host's doubles agree)`, () => {
      const values = numbers(240);
      for (let i = 0; i + 4 <= values.length; i += 2) {
        const [a, b] = [values.slice(i, i + 2), values.slice(i + 2, i + 4)];
        const result = new Float64Array(
          xmm1(run(stateOf(a, b, allMasked | (i & 4 ? INEXACT : 0)), 0x66, 0x0f, opcode, 0xca)).buffer,
        );
        const wanted = a.map((value, lane) => expected(value, b[lane] as number));
        expect(Array.from(result), `${String(a)} and ${String(b)}`).to.deep.equal(Array.from(wanted));
      }
    });

    it(`${name}PS rounds as IEEE 754 demands`, () => {
      const values = Float32Array.from(numbers(240));
      for (let i = 0; i + 8 <= values.length; i += 4) {
        const [a, b] = [values.slice(i, i + 4), values.slice(i + 4, i + 8)];
        const result = new Float32Array(
          xmm1(run(stateOf(a, b, allMasked | (i & 4 ? INEXACT : 0)), 0x0f, opcode, 0xca)).buffer,
        );
        const wanted = a.map((value, lane) => expected(value, b[lane] as number));
        expect(Array.from(result), `${String(a)} and ${String(b)}`).to.deep.equal(Array.from(wanted));
      }
    });
  }

  it('MINPS and MAXPS deliver the second operand of two zeros and of a NaN (SDM volume 2, MINPS)', () => {
    const first = Float32Array.of(0, -0, NaN, 1);
    const second = Float32Array.of(-0, 0, 5, NaN);
    for (const opcode of [0x5d, 0x5f]) {
      const result = new Float32Array(xmm1(run(stateOf(first, second), 0x0f, opcode, 0xca)).buffer);
      expect(Array.from(result, (value) => Object.is(value, -0))).to.deep.equal([true, false, false, false]);
      expect(Array.from(result)).to.deep.equal([-0, 0, 5, NaN]);
    }
  });

  it('an unmasked invalid lane raises #XM, writes nothing and reports no later exceptions (SDM volume 1, 11.5.2)', () => {
    const first = Float32Array.of(1, Infinity, 1, 1);
    const second = Float32Array.of(3, Infinity, 3, 3);
    const before = stateOf(first, second, allMasked & ~(INVALID << 7));
    const outcome = run(before, 0x0f, 0x5e, 0xca); // DIVPS: 1/3 would be inexact
    expect(outcome.fault?.vector).to.equal(19);
    expect(Array.from(new Float32Array(xmm1(outcome).buffer))).to.deep.equal(Array.from(first));
    expect(mxcsr(outcome) & 0x3f).to.equal(INVALID);
  });

  it('the same lanes masked: the default NaN, both flags set', () => {
    const outcome = run(
      stateOf(Float32Array.of(1, Infinity, 1, 1), Float32Array.of(3, Infinity, 3, 3)),
      0x0f,
      0x5e,
      0xca,
    );
    expect(outcome.fault).to.equal(undefined);
    expect(new Uint32Array(xmm1(outcome).buffer)[1]).to.equal(0xffc0_0000);
    expect(mxcsr(outcome) & 0x3f).to.equal(INVALID | INEXACT);
  });

  it('the first operand decides which NaN comes out, its payload kept (SDM volume 1, table 4-7)', () => {
    const first = BigUint64Array.of(0x7ff0_0000_0000_0007n, 0x3ff0_0000_0000_0000n);
    const second = BigUint64Array.of(0x7ff8_0000_0000_0009n, 0xfff4_0000_0000_0003n);
    const outcome = run(stateOf(first, second), 0x66, 0x0f, 0x58, 0xca);
    expect(Array.from(new BigUint64Array(xmm1(outcome).buffer))).to.deep.equal([
      0x7ff8_0000_0000_0007n,
      0xfffc_0000_0000_0003n,
    ]);
  });

  it('COMISD is invalid with a quiet NaN, UCOMISD is not; both are unordered (SDM volume 2)', () => {
    const state = (): MachineState => stateOf(Float64Array.of(NaN, 0), Float64Array.of(1, 0));
    const flags = Flag.ZF | Flag.PF | Flag.CF;
    const comisd = run(state(), 0x66, 0x0f, 0x2f, 0xca);
    const ucomisd = run(state(), 0x66, 0x0f, 0x2e, 0xca);
    expect([comisd.rflags & 0x8d5, mxcsr(comisd) & 0x3f]).to.deep.equal([flags, INVALID]);
    expect([ucomisd.rflags & 0x8d5, mxcsr(ucomisd) & 0x3f]).to.deep.equal([flags, 0]);
  });

  it('CVTSD2SI gives the integer indefinite for what does not fit (SDM volume 1, 11.5.2.1)', () => {
    for (const value of [2 ** 31, NaN, -Infinity, -(2 ** 31) - 1]) {
      const outcome = run(stateOf(Float64Array.of(value, 0), Float64Array.of(0, 0)), 0xf2, 0x0f, 0x2d, 0xc1);
      expect(outcome.general[0]).to.equal(0x8000_0000n);
      expect(mxcsr(outcome) & INVALID).to.equal(INVALID);
    }
  });

  it('RCPPS and RSQRTPS stay within 1.5 * 2^-12 and raise nothing (SDM volume 2)', () => {
    const second = Float32Array.of(3, 0.1, 1e30, 7e-20);
    for (const [opcode, exact] of [
      [0x53, (x: number) => 1 / x],
      [0x52, (x: number) => 1 / Math.sqrt(x)],
    ] as const) {
      const outcome = run(stateOf(new Float32Array(4), second), 0x0f, opcode, 0xca);
      new Float32Array(xmm1(outcome).buffer).forEach((value, lane) => {
        expect(Math.abs(value / exact(second[lane] as number) - 1)).to.be.at.most(1.5 * 2 ** -12);
      });
      expect(mxcsr(outcome)).to.equal(allMasked);
    }
  });
});
