import {
  FLOAT_ADD,
  FLOAT_COMPARE,
  FLOAT_DIVIDE,
  FLOAT_DOUBLE,
  FLOAT_LANES_SHIFT,
  FLOAT_MAXIMUM,
  FLOAT_MINIMUM,
  FLOAT_MULTIPLY,
  FLOAT_OPERATION,
  FLOAT_QUIET,
  FLOAT_RECIPROCAL,
  FLOAT_RECIPROCAL_ROOT,
  FLOAT_SOURCE,
  FLOAT_SQUARE_ROOT,
  FLOAT_SUBTRACT,
  FLOAT_TRUNCATE,
  FLOAT_WIDE,
} from '../float-operations.js';
import { constant, op, signExtend } from '../ir/nodes.js';
import type { Definition, Family } from './family.js';
import { readAligned, readLow } from './sse-vectors.js';

/** Hands the source to a helper of the core: 128 bits of it when `bits` says so, else the low 64 (zero-extended). */
const floating =
  (helper: string, bits: number, operation: number): Definition =>
  (x) => {
    if (bits === 128) {
      const source = readAligned(x, 1);
      x.setState(FLOAT_SOURCE, op.lane0(source));
      x.setState(FLOAT_SOURCE + 8, op.lane1(source));
    } else x.setState(FLOAT_SOURCE, readLow(x, 1));
    x.setState(FLOAT_OPERATION, constant(operation), 32);
    x.helper(helper);
  };

const lanes = (count: number): number => count << FLOAT_LANES_SHIFT;

const formats = [
  { suffix: 'ss', code: 'xmm_xmmm32', bits: 32, flags: lanes(1) },
  { suffix: 'ps', code: 'xmm_xmmm128', bits: 128, flags: lanes(4) },
  { suffix: 'sd', code: 'xmm_xmmm64', bits: 64, flags: lanes(1) | FLOAT_DOUBLE },
  { suffix: 'pd', code: 'xmm_xmmm128', bits: 128, flags: lanes(2) | FLOAT_DOUBLE },
] as const;

const arithmetic: Readonly<Record<string, number>> = {
  Add: FLOAT_ADD,
  Sub: FLOAT_SUBTRACT,
  Mul: FLOAT_MULTIPLY,
  Div: FLOAT_DIVIDE,
  Sqrt: FLOAT_SQUARE_ROOT,
  Min: FLOAT_MINIMUM,
  Max: FLOAT_MAXIMUM,
};

const integerSource =
  (double: number): Definition =>
  (x) => {
    x.setState(FLOAT_SOURCE, signExtend(x.read(1), x.shape(1).bits));
    x.setState(FLOAT_OPERATION, constant(lanes(1) | FLOAT_WIDE | double), 32);
    x.helper('sseFromInteger');
  };

const toRegister = (letter: 's' | 'd', truncate: boolean): [string, Definition][] => {
  const [bits, double] = letter === 's' ? [32, 0] : [64, FLOAT_DOUBLE];
  const name = `Cvt${truncate ? 't' : ''}s${letter}2si`;
  const flags = double | (truncate ? FLOAT_TRUNCATE : 0);
  return [
    [`${name}_r32_xmmm${String(bits)}`, floating('sseToRegister', bits, flags)],
    [`${name}_r64_xmmm${String(bits)}`, floating('sseToRegister', bits, flags | FLOAT_WIDE)],
  ];
};

/** SSE and SSE2 floating point, by the core's exact arithmetic. Intel SDM volume 1, chapters 10 and 11; volume 2. */
export const sseFloat: Family = {
  ...Object.fromEntries(
    formats.flatMap(({ suffix, code, bits, flags }): [string, Definition][] => [
      ...Object.entries(arithmetic).map(([name, operation]): [string, Definition] => [
        `${name}${suffix}_${code}`,
        floating('sseArithmetic', bits, operation | flags),
      ]),
      [`Cmp${suffix}_${code}_imm8`, floating('sseArithmetic', bits, FLOAT_COMPARE | flags)],
    ]),
  ),
  Comiss_xmm_xmmm32: floating('sseCompareFlags', 32, 0),
  Comisd_xmm_xmmm64: floating('sseCompareFlags', 64, FLOAT_DOUBLE),
  Ucomiss_xmm_xmmm32: floating('sseCompareFlags', 32, FLOAT_QUIET),
  Ucomisd_xmm_xmmm64: floating('sseCompareFlags', 64, FLOAT_QUIET | FLOAT_DOUBLE),
  Rcpss_xmm_xmmm32: floating('sseApproximate', 32, FLOAT_RECIPROCAL | lanes(1)),
  Rcpps_xmm_xmmm128: floating('sseApproximate', 128, FLOAT_RECIPROCAL | lanes(4)),
  Rsqrtss_xmm_xmmm32: floating('sseApproximate', 32, FLOAT_RECIPROCAL_ROOT | lanes(1)),
  Rsqrtps_xmm_xmmm128: floating('sseApproximate', 128, FLOAT_RECIPROCAL_ROOT | lanes(4)),
  Cvtss2sd_xmm_xmmm32: floating('sseConvertFormat', 32, lanes(1)),
  Cvtps2pd_xmm_xmmm64: floating('sseConvertFormat', 64, lanes(2)),
  Cvtsd2ss_xmm_xmmm64: floating('sseConvertFormat', 64, lanes(1) | FLOAT_DOUBLE),
  Cvtpd2ps_xmm_xmmm128: floating('sseConvertFormat', 128, lanes(2) | FLOAT_DOUBLE),
  Cvtsi2ss_xmm_rm32: integerSource(0),
  Cvtsi2ss_xmm_rm64: integerSource(0),
  Cvtsi2sd_xmm_rm32: integerSource(FLOAT_DOUBLE),
  Cvtsi2sd_xmm_rm64: integerSource(FLOAT_DOUBLE),
  Cvtdq2ps_xmm_xmmm128: floating('sseFromInteger', 128, lanes(4)),
  Cvtdq2pd_xmm_xmmm64: floating('sseFromInteger', 64, lanes(2) | FLOAT_DOUBLE),
  ...Object.fromEntries([...toRegister('s', false), ...toRegister('s', true)]),
  ...Object.fromEntries([...toRegister('d', false), ...toRegister('d', true)]),
  Cvtps2dq_xmm_xmmm128: floating('sseToIntegers', 128, lanes(4)),
  Cvttps2dq_xmm_xmmm128: floating('sseToIntegers', 128, lanes(4) | FLOAT_TRUNCATE),
  Cvtpd2dq_xmm_xmmm128: floating('sseToIntegers', 128, lanes(2) | FLOAT_DOUBLE),
  Cvttpd2dq_xmm_xmmm128: floating('sseToIntegers', 128, lanes(2) | FLOAT_DOUBLE | FLOAT_TRUNCATE),
};
