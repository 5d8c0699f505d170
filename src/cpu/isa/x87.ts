import * as F from '../float-operations.js';
import { constant, op } from '../ir/nodes.js';
import { byHelper, type Definition, type Family } from './family.js';

/** The core's helper, told what to do by a number (float-operations.ts). */
const x87Helper =
  (helper: string, operation: number): Definition =>
  (x) => {
    x.setState(F.FLOAT_OPERATION, constant(operation), 32);
    x.helper(helper);
  };

type Entry = [string, Definition];
const source = (kind: number): number => kind << F.X87_SOURCE_SHIFT;
const floats: readonly [string, number][] = [
  ['m32fp', F.X87_SINGLE],
  ['m64fp', F.X87_DOUBLE],
];
const integers: readonly [string, number][] = [
  ['m16int', F.X87_INTEGER16],
  ['m32int', F.X87_INTEGER32],
];

const operations: Readonly<Record<string, number>> = {
  add: F.FLOAT_ADD,
  mul: F.FLOAT_MULTIPLY,
  sub: F.FLOAT_SUBTRACT,
  subr: F.X87_SUBTRACT_REVERSED,
  div: F.FLOAT_DIVIDE,
  divr: F.X87_DIVIDE_REVERSED,
};

const arithmetic = Object.entries(operations).flatMap(([name, operation]): Entry[] => {
  const make = (flags: number): Definition => x87Helper('x87Arithmetic', operation | flags);
  return [
    [`F${name}_st0_sti`, make(0)],
    [`F${name}_sti_st0`, make(F.X87_TO_STI)],
    [`F${name}p_sti_st0`, make(F.X87_TO_STI | F.X87_POP)],
    ...floats.map(([memory, kind]): Entry => [`F${name}_${memory}`, make(source(kind))]),
    ...integers.map(([memory, kind]): Entry => [`Fi${name}_${memory}`, make(source(kind))]),
  ];
});

const compare = (flags: number): Definition => x87Helper('x87Compare', flags);
const comparisons: Entry[] = [
  ...['', '_DCD0'].map((alias): Entry => [`Fcom_st0_sti${alias}`, compare(0)]),
  ...['', '_DCD8', '_DED0'].map((alias): Entry => [`Fcomp_st0_sti${alias}`, compare(F.X87_POP)]),
  ['Fcompp', compare(F.X87_POP_TWICE)],
  ['Fucom_st0_sti', compare(F.X87_QUIET)],
  ['Fucomp_st0_sti', compare(F.X87_QUIET | F.X87_POP)],
  ['Fucompp', compare(F.X87_QUIET | F.X87_POP_TWICE)],
  ['Fcomi_st0_sti', compare(F.X87_TO_FLAGS)],
  ['Fcomip_st0_sti', compare(F.X87_TO_FLAGS | F.X87_POP)],
  ['Fucomi_st0_sti', compare(F.X87_TO_FLAGS | F.X87_QUIET)],
  ['Fucomip_st0_sti', compare(F.X87_TO_FLAGS | F.X87_QUIET | F.X87_POP)],
  ['Ftst', compare(F.X87_WITH_ZERO)],
  ...floats.flatMap(([memory, kind]): Entry[] => [
    [`Fcom_${memory}`, compare(source(kind))],
    [`Fcomp_${memory}`, compare(source(kind) | F.X87_POP)],
  ]),
  ...integers.flatMap(([memory, kind]): Entry[] => [
    [`Ficom_${memory}`, compare(source(kind))],
    [`Ficomp_${memory}`, compare(source(kind) | F.X87_POP)],
  ]),
];

const loads: Entry[] = [
  ['Fld_sti', source(F.X87_REGISTER)] as const,
  ['Fld_m32fp', source(F.X87_SINGLE)] as const,
  ['Fld_m64fp', source(F.X87_DOUBLE)] as const,
  ['Fld_m80fp', source(F.X87_EXTENDED)] as const,
  ['Fild_m16int', source(F.X87_INTEGER16)] as const,
  ['Fild_m32int', source(F.X87_INTEGER32)] as const,
  ['Fild_m64int', source(F.X87_INTEGER64)] as const,
  ['Fbld_m80bcd', source(F.X87_DECIMAL)] as const,
].map(([code, kind]): Entry => [code, x87Helper('x87Load', kind)]);

const stores: Entry[] = [
  ['Fst_m32fp', source(F.X87_SINGLE)] as const,
  ['Fstp_m32fp', source(F.X87_SINGLE) | F.X87_POP] as const,
  ['Fst_m64fp', source(F.X87_DOUBLE)] as const,
  ['Fstp_m64fp', source(F.X87_DOUBLE) | F.X87_POP] as const,
  ['Fstp_m80fp', source(F.X87_EXTENDED) | F.X87_POP] as const,
  ['Fist_m16int', source(F.X87_INTEGER16)] as const,
  ['Fistp_m16int', source(F.X87_INTEGER16) | F.X87_POP] as const,
  ['Fist_m32int', source(F.X87_INTEGER32)] as const,
  ['Fistp_m32int', source(F.X87_INTEGER32) | F.X87_POP] as const,
  ['Fistp_m64int', source(F.X87_INTEGER64) | F.X87_POP] as const,
  ['Fbstp_m80bcd', source(F.X87_DECIMAL) | F.X87_POP] as const,
].map(([code, what]): Entry => [code, x87Helper('x87Store', what)]);

const constants = ['1', 'l2t', 'l2e', 'pi', 'lg2', 'ln2', 'z'].map((name, which): Entry => [
  `Fld${name}`,
  x87Helper('x87Constant', which),
]);

const unary = Object.entries({
  Fchs: F.X87_CHANGE_SIGN,
  Fabs: F.X87_ABSOLUTE,
  Fsqrt: F.X87_SQUARE_ROOT,
  Frndint: F.X87_ROUND,
  Fscale: F.X87_SCALE,
  Fxtract: F.X87_EXTRACT,
  Fprem: F.X87_REMAINDER,
  Fprem1: F.X87_REMAINDER_NEAREST,
}).map(([name, operation]): Entry => [name, x87Helper('x87Unary', operation)]);

const moves: Entry[] = [
  ['Fst_sti', x87Helper('x87StoreRegister', 0)],
  ...['Fstp_sti', 'Fstpnce_sti', 'Fstp_sti_DFD0', 'Fstp_sti_DFD8'].map((code): Entry => [
    code,
    x87Helper('x87StoreRegister', F.X87_POP),
  ]),
  ...['', '_DDC8', '_DFC8'].map((alias): Entry => [`Fxch_st0_sti${alias}`, byHelper('x87Exchange')]),
  ['Ffree_sti', x87Helper('x87Free', 0)],
  ['Ffreep_sti', x87Helper('x87Free', F.X87_POP)],
  ['Fincstp', x87Helper('x87Rotate', 1)],
  ['Fdecstp', x87Helper('x87Rotate', 7)],
  ...['Fnop', 'Fneni', 'Fndisi', 'Fnsetpm'].map((code): Entry => [code, byHelper('x87Nothing')]),
];

const functions = ['F2xm1', 'Fsin', 'Fcos', 'Fptan', 'Fsincos', 'Fyl2x', 'Fyl2xp1', 'Fpatan'].map(
  (name, which): Entry => [name, x87Helper('x87Function', which)],
);

/** FCMOVcc by the condition's 4-bit encoding. */
const conditionalMoves = Object.entries({ b: 2, e: 4, be: 6, u: 10, nb: 3, ne: 5, nbe: 7, nu: 11 }).map(
  ([name, code]): Entry => [
    `Fcmov${name}_st0_sti`,
    (x): void => {
      x.setState(F.FLOAT_SOURCE, op.wide(x.condition(code)));
      x.helper('x87ConditionalMove');
    },
  ],
);

/**
 * x87: exact 80-bit arithmetic by the core. The transcendental instructions are accurate to one unit in the last place,
 * as the SDM demands; their last bit differs between processors. Intel SDM volume 1, chapter 8; volume 2.
 */
export const x87: Family = {
  ...Object.fromEntries([
    ...arithmetic,
    ...comparisons,
    ...loads,
    ...stores,
    ...constants,
    ...unary,
    ...functions,
    ...moves,
    ...conditionalMoves,
  ]),
  Fxam: byHelper('x87Examine'),
  Fnstenv_m14byte: byHelper('fnstenv14'),
  Fnstenv_m28byte: byHelper('fnstenv28'),
  Fldenv_m14byte: byHelper('fldenv14'),
  Fldenv_m28byte: byHelper('fldenv28'),
  Fnsave_m94byte: byHelper('fnsave94'),
  Fnsave_m108byte: byHelper('fnsave108'),
  Frstor_m94byte: byHelper('frstor94'),
  Frstor_m108byte: byHelper('frstor108'),
};
