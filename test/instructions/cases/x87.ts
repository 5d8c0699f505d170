/**
 * x87: loads, stores, exact arithmetic, comparisons, control. Intel SDM volume 1, chapter 8. The transcendental
 * instructions are not here: their last bit differs between processors.
 */
import { extended, single, double } from '../floats.js';
import type { Random } from '../random.js';
import { dataPages, fxOffset, type MachineState } from '../state.js';
import {
  addWindow,
  pointAtData,
  templates,
  type ByteRange,
  type Family,
  type Setup,
  type Template,
} from '../template.js';

/** TOP, tags, eight registers, FCW with all exceptions masked. */
export const stackOf =
  (filled: (random: Random, index: number) => number, odd = false): Setup =>
  (state, random, index) => {
    const view = new DataView(state.fx.buffer);
    const top = random.below(8);
    const precision = random.pick([3, 3, 3, 2, 0]);
    view.setUint16(fxOffset.fcw, 0x7f | (precision << 8) | (random.below(4) << 10), true);
    const sticky = random.chance(0.3) ? random.below(64) : 0;
    view.setUint16(fxOffset.fsw, (top << 11) | (random.u32() & 0x4700) | sticky, true);
    let tags = 0;
    for (let i = filled(random, index) - 1; i >= 0; i--) tags |= 1 << ((top + i) & 7);
    state.fx[fxOffset.ftw] = tags;
    for (let i = 0; i < 8; i++) state.fx.set(extended(random, odd), fxOffset.st + 16 * i);
  };
/** Mostly some registers, sometimes none or all, so that the stack overflows and underflows. */
const usual = stackOf((random) => random.pick([0, 1, 2, 3, 4, 5, 6, 7, 7, 8]));
const enough = stackOf((random) => 4 + random.below(4));
const oddOperands = stackOf(() => 4, true);

type Format = 'single' | 'double' | 'extended' | 'integer' | 'decimal';
const atMemory =
  (format: Format): Setup =>
  (state, random) => {
    pointAtData(state, random, 'rbx');
    let bytes: Uint8Array;
    if (format === 'single') bytes = new Uint8Array(Uint32Array.of(single(random)).buffer);
    else if (format === 'double') bytes = new Uint8Array(BigUint64Array.of(double(random)).buffer);
    else if (format === 'extended') bytes = extended(random, random.chance(0.3));
    else if (format === 'decimal')
      bytes = Uint8Array.from({ length: 10 }, (_, i) =>
        i === 9 ? random.below(2) << 7 : random.below(10) | (random.below(10) << 4),
      );
    else bytes = new Uint8Array(BigUint64Array.of(random.corner()).buffer);
    addWindow(state, dataOffset(state), bytes);
  };
const dataOffset = (state: MachineState): number => Number(state.general[3]) - dataPages.address;

const arithmetic = ['fadd', 'fmul', 'fsub', 'fsubr', 'fdiv', 'fdivr'];
const registerForms = arithmetic.flatMap((op) => [
  `${op} st, st(1)`,
  `${op} st(2), st`,
  `${op}p st(1), st`,
  `${op} st, st(0)`,
]);
const singleForms = [...arithmetic, 'fcom', 'fcomp'].map((op) => `${op} dword ptr [rbx]`);
const doubleForms = [...arithmetic, 'fcom', 'fcomp'].map((op) => `${op} qword ptr [rbx]`);
const integerForms = [...arithmetic, 'fcom', 'fcomp'].flatMap((op) => [
  `fi${op.slice(1)} word ptr [rbx]`,
  `fi${op.slice(1)} dword ptr [rbx]`,
]);
const unary = ['fsqrt', 'fabs', 'fchs', 'frndint', 'fscale', 'fxtract', 'fprem', 'fprem1', 'fxam', 'ftst'];
const compares = [
  'fcom st(1)',
  'fcomp st(2)',
  'fcompp',
  'fucom st(1)',
  'fucomp st(3)',
  'fucompp',
  'fcomi st, st(1)',
  'fcomip st, st(2)',
  'fucomi st, st(1)',
  'fucomip st, st(3)',
];
const conditional = ['b', 'e', 'be', 'u', 'nb', 'ne', 'nbe', 'nu'].map((cc) => `fcmov${cc} st, st(1)`);
const pushes = [
  'fld1',
  'fldz',
  'fldpi',
  'fldl2e',
  'fldl2t',
  'fldlg2',
  'fldln2',
  'fld st(0)',
  'fld st(3)',
  'fxch st(1)',
  'fxch st(5)',
  'fst st(2)',
  'fstp st(1)',
  'fstp st(0)',
  'ffree st(2)',
  'fincstp',
  'fdecstp',
  'fnop',
  'fninit',
  'fnclex',
  'fnstsw ax',
  'fnstsw [rbx]',
  'fnstcw [rbx]',
  'fwait',
];
const stores = [
  'fst dword ptr [rbx]',
  'fstp dword ptr [rbx]',
  'fst qword ptr [rbx]',
  'fstp qword ptr [rbx]',
  'fstp tbyte ptr [rbx]',
  'fist word ptr [rbx]',
  'fistp word ptr [rbx]',
  'fist dword ptr [rbx]',
  'fistp dword ptr [rbx]',
  'fistp qword ptr [rbx]',
  'fbstp tbyte ptr [rbx]',
];

const controlWord: Setup = (state, random) => {
  pointAtData(state, random, 'rbx');
  const value = 0x7f | (random.pick([0, 2, 3]) << 8) | (random.below(4) << 10);
  addWindow(state, dataOffset(state), new Uint8Array(Uint16Array.of(value).buffer));
};
const unmasked: Setup = (state, random) => {
  const view = new DataView(state.fx.buffer);
  view.setUint16(fxOffset.fcw, 0x340 | (0x3f & ~(1 << random.below(6)) & ~(1 << random.below(6))), true);
  view.setUint16(fxOffset.fsw, view.getUint16(fxOffset.fsw, true) & 0x3800, true);
};
/** An unmasked exception is pending: ES is set, and the next waiting instruction meets #MF. */
const pending: Setup = (state, random) => {
  const view = new DataView(state.fx.buffer);
  const which = random.below(6);
  view.setUint16(fxOffset.fcw, 0x340 | (0x3f & ~(1 << which)), true);
  view.setUint16(fxOffset.fsw, (view.getUint16(fxOffset.fsw, true) & 0x3800) | (1 << which) | 0x8080, true);
  pointAtData(state, random, 'rbx');
};
/** Images with FIP, FDP and FOP in them, whose contents depend on the vendor. */
const withUnspecified = (list: readonly Template[], ranges: readonly ByteRange[]): Template[] =>
  list.map((template) => ({
    ...template,
    unspecified: (state) => ranges.map(({ offset, length }) => ({ offset: dataOffset(state) + offset, length })),
  }));
const alignedImage: Setup = (state, random) => {
  pointAtData(state, random, 'rbx', 16);
};
/** A whole FXSAVE image to load, of another state; MXCSR without reserved bits. */
const imageToLoad: Setup = (state, random, index) => {
  pointAtData(state, random, 'rbx', 16);
  const other: MachineState = { ...state, fx: state.fx.slice() };
  usual(other, random, index);
  for (let i = fxOffset.xmm; i < other.fx.length; i += 8)
    new DataView(other.fx.buffer).setBigUint64(i, random.u64(), true);
  new DataView(other.fx.buffer).setUint32(fxOffset.mxcsr, 0x1f80 | (random.below(4) << 13), true);
  const image = new Uint8Array(512);
  image.set(other.fx);
  addWindow(state, dataOffset(state), image);
};
const environmentToLoad: Setup = (state, random, index) => {
  pointAtData(state, random, 'rbx', 16);
  const image = new Uint8Array(108);
  const view = new DataView(image.buffer);
  view.setUint16(0, 0x37f | (random.below(4) << 10), true);
  view.setUint16(4, random.u32() & 0x7f3f & ~0x8000, true);
  view.setUint16(8, index === 0 ? 0xffff : random.u32() & 0xffff, true);
  for (let i = 0; i < 8; i++) image.set(extended(random), 28 + 10 * i);
  addWindow(state, dataOffset(state), image);
};
const instructionPointers: readonly ByteRange[] = [{ offset: 12, length: 16 }];
const fxsaveUnspecified: readonly ByteRange[] = [
  { offset: 5, length: 19 }, // FOP, FIP, FDP
  { offset: 28, length: 4 }, // MXCSR_MASK
  ...Array.from({ length: 8 }, (_, i) => ({ offset: 32 + 16 * i + 10, length: 6 })),
  { offset: 416, length: 96 },
];

export const x87: Family = {
  name: 'x87',
  templates: [
    ...templates(24, registerForms, usual),
    ...templates(12, singleForms, enough, atMemory('single')),
    ...templates(12, doubleForms, enough, atMemory('double')),
    ...templates(8, integerForms, enough, atMemory('integer')),
    ...templates(30, unary, usual),
    ...templates(16, [...compares, ...conditional], usual),
    ...templates(10, pushes, usual, (state, random) => {
      pointAtData(state, random, 'rbx');
    }),
    ...templates(16, ['fld dword ptr [rbx]'], usual, atMemory('single')),
    ...templates(16, ['fld qword ptr [rbx]'], usual, atMemory('double')),
    ...templates(16, ['fld tbyte ptr [rbx]'], usual, atMemory('extended')),
    ...templates(
      12,
      ['fild word ptr [rbx]', 'fild dword ptr [rbx]', 'fild qword ptr [rbx]'],
      usual,
      atMemory('integer'),
    ),
    ...templates(10, ['fbld tbyte ptr [rbx]'], usual, atMemory('decimal')),
    ...templates(20, stores, usual, atMemory('integer')),
    ...templates(8, ['fldcw [rbx]'], usual, controlWord),
    ...templates(
      12,
      ['fadd st, st(2)', 'fdiv st, st(2)', 'fsub st, st(2)', 'fxam ', 'fld st(2)', 'fcom st(2)', 'fsqrt ', 'frndint '],
      oddOperands,
    ),
    ...templates(
      10,
      [
        'fadd st, st(3)',
        'fdivp st(3), st',
        'fsqrt  ',
        'fstp dword ptr [rbx+1]',
        'fistp dword ptr [rbx+1]',
        'fld st(5)',
        'fcomi st, st(3)',
      ],
      usual,
      unmasked,
      (state, random) => {
        pointAtData(state, random, 'rbx');
      },
    ),
    ...templates(
      6,
      ['fwait ', 'fadd st, st(4)', 'fld1 ', 'fnclex ', 'fnstsw ax ', 'fninit ', 'fldcw [rbx+1]'],
      enough,
      pending,
    ),
    ...withUnspecified(templates(4, ['fnstenv [rbx]', 'fnsave [rbx]'], usual, alignedImage), instructionPointers),
    ...templates(5, ['fldenv [rbx]', 'frstor [rbx]'], usual, environmentToLoad),
    ...withUnspecified(templates(5, ['fxsave64 [rbx]', 'fxsave [rbx]'], usual, alignedImage), fxsaveUnspecified),
    ...templates(6, ['fxrstor64 [rbx]', 'fxrstor [rbx]'], usual, imageToLoad),
  ],
};
