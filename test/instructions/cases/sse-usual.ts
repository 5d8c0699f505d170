/**
 * SSE floating point with the usual MXCSR (or one bit away from it) and operands of ordinary size or beside the borders:
 * where processors, and emulators, take their fast way, and where they may not. Intel SDM volume 1, 4.8 and 11.5.
 */
import { double, setMxcsr, setXmm, single } from '../floats.js';
import type { Random } from '../random.js';
import { dataPages } from '../state.js';
import { addWindow, pointAtData, register, templates, type Family, type Setup } from '../template.js';

const masked = 0x1f80;
const inexact = 0x20;

/** All masked and PE set, as in a program that has computed for a while; one time in four a bit is otherwise. */
const usualControl: Setup = (state, random) => {
  const usual = masked | inexact | (random.chance(0.3) ? random.below(32) : 0);
  setMxcsr(state, random.chance(0.25) ? usual ^ (1 << (5 + random.below(11))) : usual);
};

interface Format {
  readonly bits: 32 | 64;
  readonly fraction: number; // bits
  readonly bias: number;
  readonly any: (random: Random) => bigint;
}
const singles: Format = { bits: 32, fraction: 23, bias: 127, any: (random) => BigInt(single(random)) };
const doubles: Format = { bits: 64, fraction: 52, bias: 1023, any: double };

/** Sign, biased exponent (0 and below: denormal or zero) and a fraction that likes to be all zeros or ones. */
function number({ bits, fraction }: Format, random: Random, exponent: number): bigint {
  const mask = (1n << BigInt(fraction)) - 1n;
  const digits = random.pick([0n, mask, 1n, random.u64() & mask, random.u64() & mask, random.u64() & mask]);
  const limited = BigInt(Math.max(0, Math.min(exponent, 2 ** (bits - 1 - fraction) - 2)));
  return (BigInt(random.below(2)) << BigInt(bits - 1)) | (limited << BigInt(fraction)) | digits;
}

/** Two operands whose sum, product or quotient comes close to a border of the format. */
function pair(format: Format, random: Random): [bigint, bigint] {
  const { bias } = format;
  const top = 2 * bias;
  const near = random.pick([0, 1, 2, 3, top, top - 1, top + 1, bias, bias + 1, -1]);
  const first = 1 + random.below(top);
  switch (random.below(8)) {
    case 0: // sums: both small, both large or nearly opposite
      return [number(format, random, near), number(format, random, near + random.below(3) - 1)];
    case 1:
    case 2: // products
      return [number(format, random, first), number(format, random, near + bias - first - random.below(2))];
    case 3:
    case 4: // quotients
      return [number(format, random, first), number(format, random, first + bias - near)];
    case 5:
      return [number(format, random, first), random.pick([0n, 1n << BigInt(format.bits - 1), format.any(random)])];
    default:
      return [
        number(format, random, bias - 20 + random.below(90)),
        number(format, random, bias - 20 + random.below(90)),
      ];
  }
}

/** XMM4 and XMM5 (also at [RBX]): lanes that are plain but for one or two. */
const operands =
  (format: Format): Setup =>
  (state, random) => {
    const [first, second] = [new Uint8Array(16), new Uint8Array(16)];
    const views = [new DataView(first.buffer), new DataView(second.buffer)] as const;
    const swap = random.chance(0.5);
    for (let at = 0; at < 16; at += format.bits / 8) {
      const ordinary = at > 0 && random.chance(0.6);
      const lane = ordinary
        ? [number(format, random, format.bias + random.below(8)), number(format, random, format.bias + random.below(8))]
        : pair(format, random);
      lane.forEach((value, i) => {
        const view = views[swap ? 1 - i : i] as DataView;
        if (format.bits === 32) view.setUint32(at, Number(value), true);
        else view.setBigUint64(at, value, true);
      });
    }
    setXmm(state, 4, first);
    setXmm(state, 5, second);
    pointAtData(state, random, 'rbx', 16);
    addWindow(state, Number(state.general[3]) - dataPages.address, second);
  };

const forms = (ops: readonly string[], suffixes: readonly string[]): string[] =>
  ops.flatMap((op) => suffixes.flatMap((suffix) => [`${op}${suffix} xmm4, xmm5`, `${op}${suffix} xmm4, [rbx]`]));
const predicates = (suffixes: readonly string[]): string[] =>
  suffixes.flatMap((suffix) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((predicate) => `cmp${suffix} xmm4, xmm5, ${String(predicate)}`),
  );
const arithmetic = ['add', 'sub', 'mul', 'div', 'sqrt', 'min', 'max'];
const toRegisters = (format: string): string[] =>
  ['edx', 'r11'].flatMap((name) => [`cvt${format}2si ${name}, xmm5`, `cvtt${format}2si ${name}, [rbx]`]);

/** Integers of every length, so that some fit a float's digits and some do not. */
const integers: Setup = register('rcx', (random) => BigInt.asUintN(64, random.u64() >> BigInt(random.below(64))));
const negative: Setup = (state, random) => {
  if (random.chance(0.5)) state.general[1] = BigInt.asUintN(64, -(state.general[1] as bigint));
};

export const sseUsual: Family = {
  name: 'sse-usual',
  templates: [
    ...templates(40, forms(arithmetic, ['ss', 'ps']), operands(singles), usualControl),
    ...templates(40, forms(arithmetic, ['sd', 'pd']), operands(doubles), usualControl),
    ...templates(8, predicates(['ss', 'ps']), operands(singles), usualControl),
    ...templates(8, predicates(['sd', 'pd']), operands(doubles), usualControl),
    ...templates(
      30,
      ['comiss xmm4, xmm5', 'ucomiss xmm4, [rbx]', 'cvtss2sd xmm4, xmm5', 'cvtps2pd xmm4, xmm5', ...toRegisters('ss')],
      operands(singles),
      usualControl,
    ),
    ...templates(
      30,
      ['cvtps2dq xmm4, xmm5', 'cvttps2dq xmm4, xmm5', 'cvtdq2ps xmm4, xmm5', 'cvtdq2pd xmm4, [rbx]'],
      operands(singles),
      usualControl,
    ),
    ...templates(
      30,
      ['comisd xmm4, xmm5', 'ucomisd xmm4, [rbx]', 'cvtsd2ss xmm4, xmm5', 'cvtpd2ps xmm4, xmm5', ...toRegisters('sd')],
      operands(doubles),
      usualControl,
    ),
    ...templates(
      30,
      ['cvtsi2ss xmm4, ecx', 'cvtsi2ss xmm4, rcx', 'cvtsi2sd xmm4, ecx', 'cvtsi2sd xmm4, rcx'],
      operands(doubles),
      integers,
      negative,
      usualControl,
    ),
  ],
};
