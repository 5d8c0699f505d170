/** SSE and SSE2 floating point: results, MXCSR flags, rounding, DAZ and FTZ, #XM. Intel SDM volume 1, chapters 10 and 11. */
import { single, double, setMxcsr, setXmm, type VectorKind } from '../floats.js';
import { addWindow, register, templates, type Family, type Setup } from '../template.js';
import { dataPages } from '../state.js';
import { vectors } from './sse.js';

const masked = 0x1f80;
const denormalsAreZero = 0x40;
const flushToZero = 0x8000;

/** All exceptions masked: any rounding mode, any sticky flags, sometimes DAZ and FTZ. */
export const control: Setup = (state, random) => {
  let value = masked | (random.below(4) << 13);
  if (random.chance(0.5)) value |= random.below(64);
  if (random.chance(0.2)) value |= denormalsAreZero;
  if (random.chance(0.2)) value |= flushToZero;
  setMxcsr(state, value);
};
/** Some exceptions unmasked: #XM before anything is written but the flags. */
const unmasked: Setup = (state, random) => {
  setMxcsr(state, (masked & ~((1 + random.below(63)) << 7)) | (random.below(4) << 13));
};
/** Scalar operands of both formats side by side: XMM1 is a double, XMM2 and memory a single, or the other way round. */
const mixed =
  (source: VectorKind): Setup =>
  (state, random) => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    if (source === 'singles') view.setUint32(0, single(random), true);
    else view.setBigUint64(0, double(random), true);
    setXmm(state, 2, bytes);
    addWindow(state, Number(state.general[3]) - dataPages.address, bytes);
  };

const arithmetic = ['add', 'sub', 'mul', 'div', 'min', 'max', 'sqrt'];
const sized = (ops: readonly string[], suffixes: readonly string[]): string[] =>
  ops.flatMap((op) => suffixes.flatMap((suffix) => [`${op}${suffix} xmm1, xmm2`, `${op}${suffix} xmm9, [rbx]`]));
const compares = (suffixes: readonly string[]): string[] =>
  suffixes.flatMap((suffix) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map(
      (predicate) => `cmp${suffix} xmm1, ${predicate % 2 === 0 ? 'xmm2' : '[rbx]'}, ${String(predicate)}`,
    ),
  );

const toIntegers = (format: string): string[] =>
  ['eax', 'r9', 'rcx', 'r10d'].flatMap((name) => [
    `cvt${format}2si ${name}, xmm2`,
    `cvtt${format}2si ${name}, xmm2`,
    `cvt${format}2si ${name}, [rbx]`,
  ]);
const fromIntegers = [
  'cvtsi2ss xmm1, ecx',
  'cvtsi2ss xmm9, rcx',
  'cvtsi2sd xmm1, ecx',
  'cvtsi2sd xmm9, rcx',
  'cvtsi2ss xmm1, dword ptr [rbx]',
  'cvtsi2ss xmm1, qword ptr [rbx]',
  'cvtsi2sd xmm1, dword ptr [rbx]',
  'cvtsi2sd xmm1, qword ptr [rbx]',
  'cvtdq2ps xmm1, xmm2',
  'cvtdq2ps xmm1, [rbx]',
  'cvtdq2pd xmm1, xmm2',
  'cvtdq2pd xmm9, [rbx]',
];
const ofSingles = [
  'cvtss2sd xmm1, xmm2',
  'cvtss2sd xmm9, [rbx]',
  'cvtps2pd xmm1, xmm2',
  'cvtps2pd xmm1, [rbx]',
  'cvtps2dq xmm1, xmm2',
  'cvtps2dq xmm9, [rbx]',
  'cvttps2dq xmm1, xmm2',
  'cvttps2dq xmm1, [rbx]',
];
const ofDoubles = [
  'cvtsd2ss xmm1, xmm2',
  'cvtsd2ss xmm9, [rbx]',
  'cvtpd2ps xmm1, xmm2',
  'cvtpd2ps xmm1, [rbx]',
  'cvtpd2dq xmm1, xmm2',
  'cvtpd2dq xmm9, [rbx]',
  'cvttpd2dq xmm1, xmm2',
  'cvttpd2dq xmm1, [rbx]',
];

const mxcsrImage: Setup = (state, random, index) => {
  // Reserved bits give #GP; bit 17 is AMD's and stays 0.
  const value = index % 5 === 4 ? 0x1_0000 << (2 + random.below(14)) : random.u32() & 0xffff & ~0x3f;
  addWindow(state, Number(state.general[3]) - dataPages.address, new Uint8Array(Uint32Array.of(value).buffer));
};

export const sseFloat: Family = {
  name: 'sse-float',
  templates: [
    ...templates(24, sized(arithmetic, ['ss', 'ps']), vectors('singles'), control),
    ...templates(24, sized(arithmetic, ['sd', 'pd']), vectors('doubles'), control),
    ...templates(6, [...compares(['ss', 'ps'])], vectors('singles'), control),
    ...templates(6, [...compares(['sd', 'pd'])], vectors('doubles'), control),
    ...templates(
      20,
      ['comiss', 'ucomiss'].flatMap((op) => [`${op} xmm1, xmm2`, `${op} xmm9, [rbx]`]),
      vectors('singles'),
      control,
    ),
    ...templates(
      20,
      ['comisd', 'ucomisd'].flatMap((op) => [`${op} xmm1, xmm2`, `${op} xmm9, [rbx]`]),
      vectors('doubles'),
      control,
    ),
    ...templates(12, [...toIntegers('ss'), ...ofSingles], vectors('singles'), control),
    ...templates(12, [...toIntegers('sd'), ...ofDoubles], vectors('doubles'), control),
    ...templates(20, ['cvtss2sd xmm3, xmm2', 'cvtps2pd xmm3, xmm2'], vectors('doubles'), mixed('singles'), control),
    ...templates(20, ['cvtsd2ss xmm3, xmm2'], vectors('singles'), mixed('doubles'), control),
    ...templates(
      12,
      fromIntegers,
      vectors('integers'),
      control,
      register('rcx', (random) => random.corner()),
    ),
    ...templates(
      10,
      [
        'addss xmm3, xmm2',
        'mulps xmm3, xmm2',
        'divss xmm3, xmm2',
        'sqrtss xmm3, xmm2',
        'maxps xmm3, xmm2',
        'cvttss2si eax, xmm3',
        'cmpltps xmm3, xmm2',
        'comiss xmm3, xmm2',
      ],
      vectors('singles'),
      unmasked,
    ),
    ...templates(
      10,
      [
        'addsd xmm3, xmm2',
        'mulpd xmm3, xmm2',
        'divpd xmm3, xmm2',
        'sqrtsd xmm3, xmm2',
        'minsd xmm3, xmm2',
        'cvtsd2ss xmm3, xmm4',
        'cvttsd2si rax, xmm3',
        'ucomisd xmm3, xmm2',
      ],
      vectors('doubles'),
      unmasked,
    ),
    ...templates(20, ['ldmxcsr [rbx]'], vectors('integers', 1), mxcsrImage),
    ...templates(4, ['stmxcsr [rbx]'], vectors('integers', 1), control),
  ],
};
