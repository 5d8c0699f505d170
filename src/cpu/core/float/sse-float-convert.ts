/** SSE and SSE2 conversions. Intel SDM volume 1, 11.4.1.6 and 4.8; volume 2, CVT*. */
import {
  FLOAT_DOUBLE,
  FLOAT_LANES_SHIFT,
  FLOAT_OPERATION,
  FLOAT_SOURCE,
  FLOAT_TRUNCATE,
  FLOAT_WIDE,
} from '../../float-operations';
import { REC_OP0, STATUS_CONTINUE, STATUS_FAULT } from '../../state-layout';
import { A, copyTo, DENORMAL, INVALID, KIND_SIGNALING, R, raiseFlags, TOWARDS_ZERO } from './softfloat';
import { pack32, pack64, roundDouble, roundSingle, unpack32, unpack64, unpackInteger } from './softfloat-formats';
import { toInteger } from './softfloat-integers';
import { beginSse, collect, denormalsAreZero, finishSse, mxcsrRounding } from './sse-float-control';
import { mxcsrIsSimple } from './sse-float-fast';
import { enterMmxStack } from './x87-state';

const lanes: u32 = <u32>memory.data(16, 16);

/** Finishes lanes of `bytes` bytes; vectors of 64 bits leave the upper half 0. */
function commit(record: i32, count: u32, bytes: u32, keepRest: bool): i32 {
  if (finishSse()) return STATUS_FAULT;
  const destination = load<u32>(record, REC_OP0);
  memory.copy(destination, lanes, count * bytes);
  if (!keepRest && count * bytes == 8) store<u64>(destination, 0, 8);
  return STATUS_CONTINUE;
}

/** CVTSS2SD, CVTSD2SS, CVTPS2PD, CVTPD2PS. */
export function sseConvertFormat(record: i32): i32 {
  const what = load<u32>(FLOAT_OPERATION);
  const count = (what >> FLOAT_LANES_SHIFT) & 0xff;
  const fromDouble = (what & FLOAT_DOUBLE) != 0;
  for (let i: u32 = 0; i < count; i++) {
    beginSse();
    if (fromDouble) unpack64(A, load<u64>(FLOAT_SOURCE + 8 * i), denormalsAreZero());
    else unpack32(A, load<u32>(FLOAT_SOURCE + 4 * i), denormalsAreZero());
    if (A.kind == KIND_SIGNALING) raiseFlags(INVALID);
    if (A.denormal) raiseFlags(DENORMAL);
    copyTo(R, A);
    if (fromDouble) {
      roundSingle();
      store<u32>(lanes + 4 * i, pack32());
    } else {
      roundDouble();
      store<u64>(lanes + 8 * i, pack64());
    }
    collect();
  }
  return commit(record, count, fromDouble ? 4 : 8, count == 1);
}

/** CVTSI2SS, CVTSI2SD (a sign-extended integer of 64 bits), CVTDQ2PS, CVTDQ2PD. FLOAT_DOUBLE names the result. */
export function sseFromInteger(record: i32): i32 {
  const what = load<u32>(FLOAT_OPERATION);
  const count = (what >> FLOAT_LANES_SHIFT) & 0xff;
  const toDouble = (what & FLOAT_DOUBLE) != 0;
  if (what & FLOAT_WIDE && mxcsrIsSimple()) {
    const destination = load<u32>(record, REC_OP0);
    if (toDouble) store<f64>(destination, <f64>load<i64>(FLOAT_SOURCE));
    else store<f32>(destination, <f32>load<i64>(FLOAT_SOURCE));
    return STATUS_CONTINUE;
  }
  for (let i: u32 = 0; i < count; i++) {
    beginSse();
    unpackInteger(A, what & FLOAT_WIDE ? load<i64>(FLOAT_SOURCE) : <i64>load<i32>(FLOAT_SOURCE + 4 * i));
    copyTo(R, A);
    if (toDouble) {
      roundDouble();
      store<u64>(lanes + 8 * i, pack64());
    } else {
      roundSingle();
      store<u32>(lanes + 4 * i, pack32());
    }
    collect();
  }
  return commit(record, count, toDouble ? 8 : 4, true);
}

function integerLane(what: u32, index: u32): i64 {
  beginSse();
  if (what & FLOAT_DOUBLE) unpack64(A, load<u64>(FLOAT_SOURCE + 8 * index), denormalsAreZero());
  else unpack32(A, load<u32>(FLOAT_SOURCE + 4 * index), denormalsAreZero());
  const value = toInteger(what & FLOAT_WIDE ? 64 : 32, what & FLOAT_TRUNCATE ? TOWARDS_ZERO : mxcsrRounding());
  collect();
  return value;
}

/** CVT(T)SS2SI, CVT(T)SD2SI to a general register. */
export function sseToRegister(record: i32): i32 {
  const what = load<u32>(FLOAT_OPERATION);
  if (what & FLOAT_DOUBLE && mxcsrIsSimple()) {
    const x = load<f64>(FLOAT_SOURCE);
    if (abs<f64>(x) < 2147483647.0) {
      const integer = <i64>(what & FLOAT_TRUNCATE ? x : nearest<f64>(x));
      store<u64>(load<u32>(record, REC_OP0), what & FLOAT_WIDE ? <u64>integer : <u64>integer & 0xffff_ffff);
      return STATUS_CONTINUE;
    }
  }
  const value = integerLane(what, 0);
  if (finishSse()) return STATUS_FAULT;
  store<u64>(load<u32>(record, REC_OP0), what & FLOAT_WIDE ? <u64>value : <u64>value & 0xffff_ffff);
  return STATUS_CONTINUE;
}

/** CVT(T)PS2DQ, CVT(T)PD2DQ. */
export function sseToIntegers(record: i32): i32 {
  const what = load<u32>(FLOAT_OPERATION);
  const count = (what >> FLOAT_LANES_SHIFT) & 0xff;
  for (let i: u32 = 0; i < count; i++) store<i32>(lanes + 4 * i, <i32>integerLane(what, i));
  return commit(record, count, 4, false);
}

/** CVT(T)PS2PI, CVT(T)PD2PI: two integers to an MMX register; the transition to MMX comes with the result. */
export function sseToMmx(record: i32): i32 {
  const what = load<u32>(FLOAT_OPERATION);
  for (let i: u32 = 0; i < 2; i++) store<i32>(lanes + 4 * i, <i32>integerLane(what, i));
  if (finishSse()) return STATUS_FAULT;
  enterMmxStack();
  const destination = load<u32>(record, REC_OP0);
  store<u64>(destination, load<u64>(lanes));
  store<u64>(destination, 0xffff, 8);
  return STATUS_CONTINUE;
}
