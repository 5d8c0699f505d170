/**
 * SSE and SSE2 arithmetic and comparison, with the exceptions of MXCSR. Intel SDM volume 1, 10.2.3, 11.5 and 4.8.3.5;
 * volume 2. The second operand is at FLOAT_SOURCE, what to do at FLOAT_OPERATION.
 */
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
  FLOAT_SOURCE,
  FLOAT_SQUARE_ROOT,
  FLOAT_SUBTRACT,
} from '../../float-operations';
import { REC_IMMEDIATE, REC_OP0, STATUS_CONTINUE, STATUS_FAULT } from '../../state-layout';
import {
  A,
  add,
  B,
  copyTo,
  DENORMAL,
  divide,
  INVALID,
  KIND_FINITE,
  KIND_QUIET,
  KIND_SIGNALING,
  multiply,
  R,
  raised,
  raiseFlags,
  squareRoot,
  Unpacked,
  ZERO_DIVIDE,
} from './softfloat';
import { compare, setComparisonFlags } from './softfloat-compare';
import { pack32, pack64, roundDouble, roundSingle, unpack32, unpack64 } from './softfloat-formats';
import { beginSse, collect, denormalsAreZero, finishSse } from './sse-float-control';
import { fastLane32, fastLane64, isPlain64, mxcsrIsSimple } from './sse-float-fast';

/** Results of the lanes until none of them can fault any more. */
const lanes: u32 = <u32>memory.data(16, 16);
const exactOperands: u32 = <u32>memory.data(32, 16);

function unpack(to: Unpacked, address: u32, double: bool): void {
  if (double) unpack64(to, load<u64>(address), denormalsAreZero());
  else unpack32(to, load<u32>(address), denormalsAreZero());
}

/** A NaN as result: the first operand's if it is one. Intel SDM volume 1, table 4-7. */
function chooseNaN(): void {
  if (A.kind == KIND_SIGNALING || B.kind == KIND_SIGNALING) raiseFlags(INVALID);
  copyTo(R, A.kind >= KIND_QUIET ? A : B);
}

function arithmetic(operation: i32): void {
  if (A.kind >= KIND_QUIET || B.kind >= KIND_QUIET) {
    chooseNaN();
    return;
  }
  if (operation == FLOAT_ADD) add(false);
  else if (operation == FLOAT_SUBTRACT) add(true);
  else if (operation == FLOAT_MULTIPLY) multiply();
  else if (operation == FLOAT_DIVIDE) divide();
  else squareRoot();
  if ((A.denormal | B.denormal) && !(raised & (INVALID | ZERO_DIVIDE))) raiseFlags(DENORMAL);
}

/** CMPPS and its like: predicates 0 to 7 EQ LT LE UNORD NEQ NLT NLE ORD. Intel SDM volume 2, CMPPD. */
function predicate(which: i32): bool {
  const order = compare((which & 3) == 0 || (which & 3) == 3);
  const kind = which & 3;
  const holds = kind == 0 ? order == 0 : kind == 1 ? order == -1 : kind == 2 ? order <= 0 : order == 2;
  return which & 4 ? !holds : holds;
}

/** The operand that MIN and MAX deliver as it is, its denormal cleared under DAZ: the second unless the first is beyond it. */
function chooseExtreme(operation: i32): void {
  const order = compare(false);
  const first = operation == FLOAT_MINIMUM ? order == -1 : order == 1;
  copyTo(R, first ? A : B);
}

/** MIN and MAX do not quiet a signaling NaN. */
function extremeLane(operation: i32, a: u32, b: u32, out: u32, double: bool): void {
  chooseExtreme(operation);
  if (R.kind == KIND_SIGNALING) {
    if (double) store<u64>(out, load<u64>(b));
    else store<u32>(out, load<u32>(b));
  } else if (double) store<u64>(out, packExact64());
  else store<u32>(out, packExact32());
}

/** Operands are denormal with a normalised significand: back to their format, nothing is lost or raised. */
function packExact32(): u32 {
  if (R.kind == KIND_FINITE && R.exponent < -126) {
    R.significand >>= <u64>(-126 - R.exponent);
    R.exponent = -126;
  }
  return pack32();
}

function packExact64(): u64 {
  if (R.kind == KIND_FINITE && R.exponent < -1022) {
    R.significand >>= <u64>(-1022 - R.exponent);
    R.exponent = -1022;
  }
  return pack64();
}

/** The lanes of operands at two addresses into `lanes`; `which` is the predicate of a comparison. */
function computeLanes(what: u32, first: u32, second: u32, which: i32): void {
  const operation = <i32>(what & 0xff);
  const count = (what >> FLOAT_LANES_SHIFT) & 0xff;
  const double = (what & FLOAT_DOUBLE) != 0;
  const bytes: u32 = double ? 8 : 4;
  const unary = operation == FLOAT_SQUARE_ROOT;
  const simple = operation <= FLOAT_SQUARE_ROOT && mxcsrIsSimple();
  for (let i: u32 = 0; i < count; i++) {
    const a = unary ? second + i * bytes : first + i * bytes;
    const b: u32 = second + i * bytes;
    const out = lanes + i * bytes;
    if (simple && (double ? fastLane64(operation, a, b, out) : fastLane32(operation, a, b, out))) continue;
    beginSse();
    unpack(A, a, double);
    unpack(B, b, double);
    if (operation == FLOAT_COMPARE) {
      const all: u64 = predicate(which) ? -1 : 0;
      if (double) store<u64>(out, all);
      else store<u32>(out, <u32>all);
    } else if (operation == FLOAT_MINIMUM || operation == FLOAT_MAXIMUM) {
      extremeLane(operation, a, b, out, double);
    } else {
      arithmetic(operation);
      if (double) {
        roundDouble();
        store<u64>(out, pack64());
      } else {
        roundSingle();
        store<u32>(out, pack32());
      }
    }
    collect();
  }
}

/** ADDPS to CMPSD: dest = dest op source, one to four lanes. */
export function sseArithmetic(record: i32): i32 {
  const what = load<u32>(FLOAT_OPERATION);
  const destination = load<u32>(record, REC_OP0);
  computeLanes(what, destination, FLOAT_SOURCE, <i32>(load<u32>(record, REC_IMMEDIATE) & 7));
  if (finishSse()) return STATUS_FAULT;
  memory.copy(destination, lanes, ((what >> FLOAT_LANES_SHIFT) & 0xff) * (what & FLOAT_DOUBLE ? 8 : 4));
  return STATUS_CONTINUE;
}

/** The same as a function, where every exception is masked; lanes that the operation leaves alone are those of `a`. */
export function sseExact(a: v128, b: v128, what: u64): v128 {
  v128.store(exactOperands, a);
  v128.store(exactOperands + 16, b);
  v128.store(lanes, a);
  computeLanes(<u32>what, exactOperands, exactOperands + 16, 0);
  finishSse();
  return v128.load(lanes);
}

/** COMISS, COMISD, UCOMISS, UCOMISD: ZF, PF and CF; OF, SF and AF are cleared. */
export function sseCompareFlags(record: i32): i32 {
  const what = load<u32>(FLOAT_OPERATION);
  const double = (what & FLOAT_DOUBLE) != 0;
  const first = load<u32>(record, REC_OP0);
  if (double && isPlain64(load<u64>(first)) && isPlain64(load<u64>(FLOAT_SOURCE))) {
    const x = load<f64>(first);
    const y = load<f64>(FLOAT_SOURCE);
    setComparisonFlags(x < y ? -1 : i32(x > y));
    return STATUS_CONTINUE;
  }
  beginSse();
  unpack(A, first, double);
  unpack(B, FLOAT_SOURCE, double);
  const order = compare((what & FLOAT_QUIET) != 0);
  collect();
  if (finishSse()) return STATUS_FAULT;
  setComparisonFlags(order);
  return STATUS_CONTINUE;
}

/** RCPPS, RSQRTPS and the scalar forms: about 12 bits, no exceptions; denormals count as zero. */
export function sseApproximate(record: i32): i32 {
  const what = load<u32>(FLOAT_OPERATION);
  const count = (what >> FLOAT_LANES_SHIFT) & 0xff;
  const destination = load<u32>(record, REC_OP0);
  for (let i: u32 = 0; i < count; i++) {
    const bits = load<u32>(FLOAT_SOURCE + 4 * i);
    store<u32>(destination + 4 * i, approximate(bits, (what & 0xff) == FLOAT_RECIPROCAL));
  }
  return STATUS_CONTINUE;
}

function approximate(bits: u32, reciprocal: bool): u32 {
  const sign = bits & 0x8000_0000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return bits | 0x40_0000;
  if (magnitude < 0x80_0000) return sign | 0x7f80_0000;
  if (sign && !reciprocal) return 0xffc0_0000;
  if (magnitude == 0x7f80_0000) return sign;
  const value = <f64>reinterpret<f32>(bits);
  const exact = reinterpret<u32>(<f32>(reciprocal ? 1 / value : 1 / sqrt<f64>(value)));
  if ((exact & 0x7fff_ffff) < 0x80_0000) return sign;
  return (exact + 0x400) & 0xffff_f800;
}
