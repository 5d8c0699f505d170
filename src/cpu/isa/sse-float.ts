import {
  FLOAT_ADD,
  FLOAT_COMPARE,
  FLOAT_DIVIDE,
  FLOAT_DOUBLE,
  FLOAT_LANES_SHIFT,
  FLOAT_MAXIMUM,
  FLOAT_MINIMUM,
  FLOAT_MULTIPLY,
  FLOAT_QUIET,
  FLOAT_RECIPROCAL,
  FLOAT_RECIPROCAL_ROOT,
  FLOAT_SQUARE_ROOT,
  FLOAT_SUBTRACT,
} from '../float-operations.js';
import type { Lifter } from '../ir/lifter.js';
import { call, constant, op, type Node } from '../ir/nodes.js';
import type { Definition, Family } from './family.js';
import { exactly, floatSource, handOver } from './sse-exact.js';
import {
  allMasked,
  comparable,
  doubles,
  plainArithmetic,
  singles,
  withLowLane,
  type Arithmetic,
  type LaneFormat,
} from './sse-plain.js';

const lanes = (count: number): number => count << FLOAT_LANES_SHIFT;

/** The format of an instruction's operands. */
interface Form {
  readonly suffix: string;
  readonly code: string;
  readonly format: LaneFormat;
  readonly scalar: boolean;
  /** How the core is told. */
  readonly flags: number;
}

const forms: readonly Form[] = [
  { suffix: 'ss', code: 'xmm_xmmm32', format: singles, scalar: true, flags: lanes(1) },
  { suffix: 'ps', code: 'xmm_xmmm128', format: singles, scalar: false, flags: lanes(4) },
  { suffix: 'sd', code: 'xmm_xmmm64', format: doubles, scalar: true, flags: lanes(1) | FLOAT_DOUBLE },
  { suffix: 'pd', code: 'xmm_xmmm128', format: doubles, scalar: false, flags: lanes(2) | FLOAT_DOUBLE },
];

const arithmetic: Readonly<Record<Arithmetic, number>> = {
  Add: FLOAT_ADD,
  Sub: FLOAT_SUBTRACT,
  Mul: FLOAT_MULTIPLY,
  Div: FLOAT_DIVIDE,
  Sqrt: FLOAT_SQUARE_ROOT,
};

/** As long as nothing can fault, a function of the core computes what is not plain. */
function otherwiseExact(x: Lifter, a: Node, b: Node, operation: number): void {
  x.when(
    allMasked(x),
    () => {
      x.write(0, call('sseExact', 'v128', a, b, constant(operation)));
    },
    () => {
      handOver(x, b, operation, 'sseArithmetic');
    },
  );
}

const compute =
  (name: Arithmetic, { format, scalar, flags }: Form): Definition =>
  (x) => {
    const b = floatSource(x, format, scalar);
    const a = x.read(0);
    const { result, holds } = plainArithmetic(x, name, format, scalar, [a, b]);
    x.when(
      holds,
      () => {
        x.write(0, result);
      },
      () => {
        otherwiseExact(x, a, b, arithmetic[name] | flags);
      },
    );
  };

/** MIN, MAX: the second operand unless the first is beyond it. */
const extreme =
  (name: 'Min' | 'Max', { format, scalar, flags }: Form): Definition =>
  (x) => {
    const b = floatSource(x, format, scalar);
    const a = x.read(0);
    x.when(
      comparable(x, format, scalar, a, b),
      () => {
        const result = name === 'Min' ? op[`${format.vector}PMin`](b, a) : op[`${format.vector}PMax`](b, a);
        x.write(0, scalar ? withLowLane(format, a, result) : result);
      },
      () => {
        otherwiseExact(x, a, b, (name === 'Min' ? FLOAT_MINIMUM : FLOAT_MAXIMUM) | flags);
      },
    );
  };

/** CMPPS and its like: EQ LT LE UNORD, and with bit 2 of the predicate the opposite. No operand is a NaN here. */
const compare =
  ({ format, scalar, flags }: Form): Definition =>
  (x) => {
    const b = floatSource(x, format, scalar);
    const a = x.read(0);
    const { vector } = format;
    x.when(
      comparable(x, format, scalar, a, b),
      () => {
        const predicate = x.let(x.read(2));
        const write = (holds: Node): void => {
          const opposite = op.i64x2Splat(op.sub(0, op.and(op.shr(predicate, 2), 1)));
          const result = op.vXor(holds, opposite);
          x.write(0, scalar ? withLowLane(format, a, result) : result);
        };
        const either = (bit: number, then: () => void, otherwise: () => void): void => {
          x.when(op.ne(op.and(predicate, bit), 0), then, otherwise);
        };
        const choose = (set: Node, clear: Node): (() => void) => {
          return () => {
            either(
              1,
              () => {
                write(set);
              },
              () => {
                write(clear);
              },
            );
          };
        };
        either(
          2,
          choose(op.vZero(), op[`${vector}Le`](a, b)),
          choose(op[`${vector}Lt`](a, b), op[`${vector}Eq`](a, b)),
        );
      },
      () => {
        handOver(x, b, FLOAT_COMPARE | flags, 'sseArithmetic');
      },
    );
  };

/** COMISS and its like. Less: CF; equal: ZF; OF, SF, AF and PF are clear when the operands are ordered. */
const compareFlags =
  (format: LaneFormat, flags: number): Definition =>
  (x) => {
    const b = floatSource(x, format, true);
    const a = x.read(0);
    const { scalar: type } = format;
    x.when(
      comparable(x, format, true, a, b),
      () => {
        const [first, second] = [op[`${type}Lane`](a), op[`${type}Lane`](b)];
        const differ = x.let(op.wide(op[`${type}Ne`](first, second)));
        const less = op.sub(0, op.wide(op[`${type}Lt`](first, second)));
        x.flags({
          kind: 'raw',
          result: differ,
          // CF is bit 63, OF its difference from bit 62; bit 8 is PF's, which a result of 0 would set.
          aux: op.or(op.shl(less, 62), op.shl(op.xor(differ, 1), 8)),
        });
      },
      () => {
        handOver(x, b, flags, 'sseCompareFlags');
      },
    );
  };

/** SSE and SSE2 floating point. Intel SDM volume 1, chapters 10 and 11; volume 2. */
export const sseFloat: Family = {
  ...Object.fromEntries(
    forms.flatMap((form): [string, Definition][] => [
      ...(Object.keys(arithmetic) as Arithmetic[]).map((name): [string, Definition] => [
        `${name}${form.suffix}_${form.code}`,
        compute(name, form),
      ]),
      [`Min${form.suffix}_${form.code}`, extreme('Min', form)],
      [`Max${form.suffix}_${form.code}`, extreme('Max', form)],
      [`Cmp${form.suffix}_${form.code}_imm8`, compare(form)],
    ]),
  ),
  Comiss_xmm_xmmm32: compareFlags(singles, 0),
  Comisd_xmm_xmmm64: compareFlags(doubles, FLOAT_DOUBLE),
  Ucomiss_xmm_xmmm32: compareFlags(singles, FLOAT_QUIET),
  Ucomisd_xmm_xmmm64: compareFlags(doubles, FLOAT_QUIET | FLOAT_DOUBLE),
  Rcpss_xmm_xmmm32: exactly('sseApproximate', 32, FLOAT_RECIPROCAL | lanes(1)),
  Rcpps_xmm_xmmm128: exactly('sseApproximate', 128, FLOAT_RECIPROCAL | lanes(4)),
  Rsqrtss_xmm_xmmm32: exactly('sseApproximate', 32, FLOAT_RECIPROCAL_ROOT | lanes(1)),
  Rsqrtps_xmm_xmmm128: exactly('sseApproximate', 128, FLOAT_RECIPROCAL_ROOT | lanes(4)),
};
