import { FLOAT_DOUBLE, FLOAT_LANES_SHIFT, FLOAT_TRUNCATE, FLOAT_WIDE } from '../float-operations.js';
import type { Lifter } from '../ir/lifter.js';
import { op, signExtend, truncate, type Node } from '../ir/nodes.js';
import { exactly, floatSource, handOver } from './sse-exact.js';
import type { Definition, Family } from './family.js';
import { comparable, doubles, mxcsrIsSimple, singles } from './sse-plain.js';

const lanes = (count: number): number => count << FLOAT_LANES_SHIFT;

/** CVTSI2SS, CVTSI2SD. A double holds every integer of 53 bits. */
const fromRegister =
  (letter: 's' | 'd'): Definition =>
  (x) => {
    const { bits } = x.shape(1);
    const integer = x.let(signExtend(x.read(1), bits));
    const isSingle = letter === 's';
    const convert = (): void => {
      const old = x.read(0);
      x.write(0, isSingle ? op.withF32(old, op.f32FromInteger(integer)) : op.withF64(old, op.f64FromInteger(integer)));
    };
    const exact = (): void => {
      handOver(x, integer, lanes(1) | FLOAT_WIDE | (isSingle ? 0 : FLOAT_DOUBLE), 'sseFromInteger');
    };
    if (!isSingle && bits === 32) convert();
    else {
      const limit = isSingle ? 24n : 53n;
      const fits = op.ltU(op.add(integer, 1n << limit), 2n << limit);
      x.when(op.either(fits, mxcsrIsSimple(x)), convert, exact);
    }
  };

/** CVT(T)SS2SI, CVT(T)SD2SI. */
const toRegister =
  (letter: 's' | 'd', truncating: boolean): Definition =>
  (x) => {
    const { bits } = x.shape(0);
    const isSingle = letter === 's';
    const source = floatSource(x, isSingle ? singles : doubles, true);
    const low = isSingle ? op.f32Lane(source) : op.f64Lane(source);
    const value = x.let(isSingle ? op.f64FromSingle(low) : low);
    const integer = x.let(op.integerFromDouble(truncating ? value : op.f64Nearest(value)));
    // Saturated values and NaNs, which become 0, are caught with all that is out of range.
    const limit = bits === 32 ? 31n : 62n;
    const inRange = op.ltU(op.add(integer, 1n << limit), 2n << limit);
    const isNumber = op.not(op.f64Ne(value, value));
    x.when(
      op.both(op.both(inRange, isNumber), mxcsrIsSimple(x)),
      () => {
        x.write(0, truncate(integer, bits));
      },
      () => {
        const what = (isSingle ? 0 : FLOAT_DOUBLE) | (truncating ? FLOAT_TRUNCATE : 0) | (bits === 64 ? FLOAT_WIDE : 0);
        handOver(x, op.lane0(source), what, 'sseToRegister');
      },
    );
  };

/** CVTSS2SD: exact but for NaNs and denormals. */
const toDouble: Definition = (x) => {
  const source = floatSource(x, singles, true);
  x.when(
    comparable(x, singles, true, source, source),
    () => {
      x.write(0, op.withF64(x.read(0), op.f64FromSingle(op.f32Lane(source))));
    },
    () => {
      handOver(x, op.lane0(source), lanes(1), 'sseConvertFormat');
    },
  );
};

/** CVTSD2SS: where the single is normal, or the double is zero. */
const toSingle: Definition = (x) => {
  const source = floatSource(x, doubles, true);
  const single = x.let(op.withF32(x.read(0), op.f32FromDouble(op.f64Lane(source))));
  const exponent = op.and(op.shr(op.lane0(single), 23), 0xff);
  x.when(
    op.either(op.both(op.ltU(op.sub(exponent, 2), 253), mxcsrIsSimple(x)), op.eqz(op.shl(op.lane0(source), 1))),
    () => {
      x.write(0, single);
    },
    () => {
      handOver(x, op.lane0(source), lanes(1) | FLOAT_DOUBLE, 'sseConvertFormat');
    },
  );
};

const fromIntegers: Definition = (x) => {
  const source = floatSource(x, singles, false);
  x.when(
    mxcsrIsSimple(x),
    () => {
      x.write(0, op.f32x4FromIntegers(source));
    },
    () => {
      handOver(x, source, lanes(4), 'sseFromInteger');
    },
  );
};

/** CVTTPS2DQ and CVTPS2DQ. */
const toIntegers =
  (truncating: boolean): Definition =>
  (x) => {
    const source = floatSource(x, singles, false);
    const whole = x.let(truncating ? source : op.f32x4Nearest(source));
    x.when(
      op.both(inRangeOfIntegers(whole), mxcsrIsSimple(x)),
      () => {
        x.write(0, op.integersFromSingles(whole));
      },
      () => {
        handOver(x, source, lanes(4) | (truncating ? FLOAT_TRUNCATE : 0), 'sseToIntegers');
      },
    );
  };

/** Every lane is within 2^30 of 0. */
function inRangeOfIntegers(value: Node): Node {
  const outside = op.vNot(op.f32x4Lt(op.f32x4Abs(value), op.i32x4Splat(op.narrow(0x4e80_0000))));
  return op.not(op.anyTrue(outside));
}

const registerForms = (letter: 's' | 'd'): [string, Definition][] => {
  const bits = letter === 's' ? '32' : '64';
  return [true, false].flatMap((truncating): [string, Definition][] => {
    const name = `Cvt${truncating ? 't' : ''}s${letter}2si`;
    return ['r32', 'r64'].map((register) => [`${name}_${register}_xmmm${bits}`, toRegister(letter, truncating)]);
  });
};

/** Conversions of SSE and SSE2. Intel SDM volume 1, 10.4.4 and 11.4.1.6; volume 2, CVT*. */
export const sseConvert: Family = {
  Cvtss2sd_xmm_xmmm32: toDouble,
  Cvtsd2ss_xmm_xmmm64: toSingle,
  Cvtps2pd_xmm_xmmm64: exactly('sseConvertFormat', 64, lanes(2)),
  Cvtpd2ps_xmm_xmmm128: exactly('sseConvertFormat', 128, lanes(2) | FLOAT_DOUBLE),
  Cvtsi2ss_xmm_rm32: fromRegister('s'),
  Cvtsi2ss_xmm_rm64: fromRegister('s'),
  Cvtsi2sd_xmm_rm32: fromRegister('d'),
  Cvtsi2sd_xmm_rm64: fromRegister('d'),
  Cvtdq2ps_xmm_xmmm128: fromIntegers,
  Cvtdq2pd_xmm_xmmm64: (x: Lifter) => {
    x.write(0, op.f64x2FromIntegers(floatSource(x, doubles, true)));
  },
  ...Object.fromEntries([...registerForms('s'), ...registerForms('d')]),
  Cvtps2dq_xmm_xmmm128: toIntegers(false),
  Cvttps2dq_xmm_xmmm128: toIntegers(true),
  Cvtpd2dq_xmm_xmmm128: exactly('sseToIntegers', 128, lanes(2) | FLOAT_DOUBLE),
  Cvttpd2dq_xmm_xmmm128: exactly('sseToIntegers', 128, lanes(2) | FLOAT_DOUBLE | FLOAT_TRUNCATE),
};
