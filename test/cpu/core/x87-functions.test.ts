import { expect } from 'chai';
import { tiers } from '../../instructions/processor-subject.js';
import { dataPages, Flag, fxOffset, initialFx, usualRip, type MachineState } from '../../instructions/state.js';
import type { Subject } from '../../instructions/subject.js';

const FULL = 0b0001_1000; // physical registers 3 and 4, TOP 3
const C2 = 0x400;

/** ST(0) and ST(1) as sign and exponent, significand; the rest is empty. */
type Extended = readonly [number, bigint];

function stateOf(st0: Extended, st1: Extended = [0, 0n]): MachineState {
  const fx = initialFx();
  const view = new DataView(fx.buffer);
  view.setUint16(fxOffset.fsw, 3 << 11, true);
  fx[fxOffset.ftw] = FULL;
  [st0, st1].forEach(([exponent, significand], i) => {
    view.setBigUint64(fxOffset.st + 16 * i, significand, true);
    view.setUint16(fxOffset.st + 16 * i + 8, exponent, true);
  });
  return { general: new BigUint64Array(16), rip: usualRip, rflags: Flag.IF | 2, fx, windows: [], bits: 64 };
}

/** A double as an 80-bit number. */
function extended(value: number): Extended {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0] as bigint;
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const sign = Number(bits >> 63n) << 15;
  if (value === 0) return [sign, 0n];
  if (exponent === 0x7ff) return [sign | 0x7fff, (1n << 63n) | ((bits & 0xf_ffff_ffff_ffffn) << 11n)];
  return [sign | (exponent - 1023 + 16383), (1n << 63n) | ((bits & 0xf_ffff_ffff_ffffn) << 11n)];
}

/** An 80-bit number as the nearest double, or nearly so. */
function toNumber([signExponent, significand]: Extended): number {
  const magnitude = Number(significand) * 2 ** ((signExponent & 0x7fff) - 16383 - 63);
  return signExponent & 0x8000 ? -magnitude : magnitude;
}

describe('x87 functions', () => {
  let subject: Subject;
  const memory = new Uint8Array(dataPages.bytes);
  before(function () {
    this.timeout(60_000); // compiles the core
    subject = (tiers[0] as (typeof tiers)[number]).create();
  });
  const run = (code: readonly number[], st0: Extended, st1?: Extended): { st: Extended[]; fsw: number } => {
    const { fx } = subject.execute(stateOf(st0, st1), Uint8Array.from(code), memory);
    const view = new DataView(fx.buffer);
    const st = [0, 1].map((i): Extended => [
      view.getUint16(fxOffset.st + 16 * i + 8, true),
      view.getBigUint64(fxOffset.st + 16 * i, true),
    ]);
    return { st, fsw: view.getUint16(fxOffset.fsw, true) };
  };

  const arguments_ = [1e-12, 0.001, 0.1, 0.3, 0.4999, 0.75, 0.99999];
  const functions: readonly [string, readonly number[], (x: number) => number][] = [
    ['F2XM1', [0xd9, 0xf0], (x) => Math.expm1(x * Math.LN2)],
    ['FSIN', [0xd9, 0xfe], Math.sin],
    ['FCOS', [0xd9, 0xff], Math.cos],
  ];
  for (const [name, code, exact] of functions) {
    it(`${name} agrees with the host's doubles`, () => {
      for (const x of [...arguments_, ...arguments_.map((value) => -value)]) {
        const result = toNumber(run(code, extended(x)).st[0] as Extended);
        expect(Math.abs(result / exact(x) - 1), `of ${String(x)}`).to.be.below(4e-16);
      }
    });
  }

  it("FYL2X, FYL2XP1 and FPATAN agree with the host's doubles", () => {
    const close = (code: readonly number[], x: number, y: number, exact: number): void => {
      const result = toNumber(run(code, extended(x), extended(y)).st[0] as Extended);
      expect(Math.abs(result / exact - 1), `of ${String(x)} and ${String(y)}`).to.be.below(1e-15);
    };
    for (const x of [1e-300, 0.3, 0.7071, 1.4143, 3, 1e40]) close([0xd9, 0xf1], x, -1.5, -1.5 * Math.log2(x));
    for (const x of [-0.29, -0.01, 1e-15, 0.2, 0.41]) close([0xd9, 0xf9], x, 3, (3 * Math.log1p(x)) / Math.LN2);
    for (const [x, y] of [
      [1, 1],
      [-1, 1e-5],
      [3, -2],
      [-7, -9],
      [1e-20, 1],
      [5, 1.3],
    ] as const)
      close([0xd9, 0xf3], x, y, Math.atan2(y, x));
  });

  // Recorded on a real processor; the last bit may differ between processors.
  const recorded: readonly [string, readonly number[], number, Extended][] = [
    ['sin 3', [0xd9, 0xfe], 3, [0x3ffc, 0x9081_c36d_b6aa_da79n]],
    ['cos 100000', [0xd9, 0xff], 1e5, [0xbffe, 0xffd6_1c20_d9ed_3a05n]],
    ['sin 1e15', [0xd9, 0xfe], 1e15, [0x3ffe, 0xdbb7_b8f4_0de0_426en]],
    ['sin pi, by the 66 bits of pi that processors use', [0xd9, 0xfe], Math.PI, [0x3fca, 0x8d30_0000_0000_0000n]],
    ['2^-0.625 - 1', [0xd9, 0xf0], -0.625, [0xbffd, 0xb402_52ac_9d5d_8e2cn]],
  ];
  for (const [name, code, x, [exponent, significand]] of recorded) {
    it(`${name} is within a unit of the last place`, () => {
      const [e, s] = run(code, extended(x)).st[0] as Extended;
      expect(e).to.equal(exponent);
      expect(Number(s - significand)).to.be.within(-1, 1);
    });
  }

  it('FSIN of 2^63 and more sets C2 and leaves ST(0) (SDM volume 2, FSIN)', () => {
    const { st, fsw } = run([0xd9, 0xfe], extended(2 ** 63));
    expect(st[0]).to.deep.equal(extended(2 ** 63));
    expect(fsw & C2).to.equal(C2);
  });

  it('FPTAN pushes 1 (SDM volume 2, FPTAN)', () => {
    const { st, fsw } = run([0xd9, 0xf2], extended(0.5));
    expect(toNumber(st[0] as Extended)).to.equal(1);
    expect(Math.abs(toNumber(st[1] as Extended) / Math.tan(0.5) - 1)).to.be.below(4e-16);
    expect((fsw >> 11) & 7).to.equal(2);
  });

  it('FYL2X of zero divides by zero, of a negative number is invalid (SDM volume 2, FYL2X)', () => {
    const zero = run([0xd9, 0xf1], extended(0), extended(2));
    expect([zero.fsw & 0x3f, zero.st[0]]).to.deep.equal([4, [0xffff, 1n << 63n]]);
    const negative = run([0xd9, 0xf1], extended(-1), extended(2));
    expect([negative.fsw & 0x3f, negative.st[0]]).to.deep.equal([1, [0xffff, 3n << 62n]]);
  });
});
