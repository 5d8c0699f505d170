/** Loads, stores, constants and moves between registers. Intel SDM volume 1, 8.3.3 and 8.3.4; volume 2. */
import {
  FLOAT_OPERATION,
  FLOAT_SOURCE,
  X87_DECIMAL,
  X87_DOUBLE,
  X87_EXTENDED,
  X87_INTEGER16,
  X87_INTEGER32,
  X87_LOG2_10,
  X87_LOG2_E,
  X87_LOG10_2,
  X87_LN_2,
  X87_ONE,
  X87_PI,
  X87_POP,
  X87_REGISTER,
  X87_SINGLE,
  X87_SOURCE_SHIFT,
} from '../../float-operations';
import { REC_OP0, REC_OP1, STATUS_CONTINUE, STATUS_FAULT } from '../../state-layout';
import { faultPending } from '../fault';
import { checkFpu } from './fpu-state';
import { loadSlow, prepareWrite, storeSlow } from '../memory/memory-access';
import { effectiveAddress, stackOf } from '../integer/operands';
import {
  A,
  copyTo,
  DENORMAL,
  INVALID,
  KIND_FINITE,
  KIND_SIGNALING,
  KIND_UNSUPPORTED,
  KIND_ZERO,
  onlyInvalid,
  OVERFLOW,
  R,
  raised,
  raiseFlags,
  round,
  setInvalid,
  setSpecial,
  UNDERFLOW,
} from './softfloat';
import { pack32, pack64, pack80Exponent, pack80Significand, roundDouble, roundSingle, unpackInteger } from './softfloat-formats';
import { toInteger } from './softfloat-integers';
import { loadMemory } from './x87-arithmetic';
import {
  begin87,
  isEmpty,
  isRefused,
  isUnmasked,
  loadRegister,
  pop,
  push,
  setEmpty,
  setTop,
  settle,
  settleKeepingC1,
  slot,
  stackOverflow,
  stackUnderflow,
  storeIndefinite,
  storeResult,
  top,
  x87Rounding,
} from './x87-state';

// An 80-bit value that travels as it is.
let rawSignificand: u64 = 0;
let rawExponent: u32 = 0;

/** Ends a load: pushes the raw value, or what a masked exception delivers. */
function pushRaw(): i32 {
  if (!isEmpty(7)) stackOverflow();
  settle();
  if (isRefused()) return STATUS_CONTINUE;
  const fits = isEmpty(7);
  push();
  if (!fits) {
    storeIndefinite(0);
    return STATUS_CONTINUE;
  }
  setSpecial(KIND_ZERO, 0);
  storeResult(0); // sets the tag
  store<u64>(slot(0), rawSignificand);
  store<u64>(slot(0), rawExponent, 8);
  return STATUS_CONTINUE;
}

function takeResult(): void {
  rawSignificand = pack80Significand();
  rawExponent = pack80Exponent();
}

/** Packed decimal: 18 digits, sign in bit 79. */
function loadDecimal(record: i32): void {
  const address = effectiveAddress(record);
  const low = loadSlow(address, 8, stackOf(record));
  if (faultPending()) return;
  const high = loadSlow(address + 8, 2, stackOf(record));
  let value: u64 = 0;
  for (let i = 9; i > 0; i--) {
    const byte = i == 9 ? high & 0xff : (low >> (<u64>(i - 1) << 3)) & 0xff;
    value = value * 100 + (byte >> 4) * 10 + (byte & 15);
  }
  unpackInteger(A, <i64>value);
  A.sign = <i32>((high >> 15) & 1);
}

/** FLD, FILD, FBLD. */
export function x87Load(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  const source = (load<u32>(FLOAT_OPERATION) >> X87_SOURCE_SHIFT) & 0xff;
  if (source == X87_REGISTER) {
    const from = load<u32>(record, REC_OP0);
    begin87(record);
    if (isEmpty(from)) {
      stackUnderflow();
      setInvalid();
      takeResult();
    } else {
      rawSignificand = load<u64>(slot(from));
      rawExponent = load<u16>(slot(from), 8);
    }
    return pushRaw();
  }
  if (source == X87_EXTENDED) {
    const address = effectiveAddress(record);
    rawSignificand = loadSlow(address, 8, stackOf(record));
    if (faultPending()) return STATUS_FAULT;
    rawExponent = <u32>loadSlow(address + 8, 2, stackOf(record));
    if (faultPending()) return STATUS_FAULT;
    begin87(record);
    return pushRaw();
  }
  if (source == X87_DECIMAL) loadDecimal(record);
  else loadMemory(A, record, source);
  if (faultPending()) return STATUS_FAULT;
  begin87(record);
  if (isEmpty(7)) {
    if (A.kind == KIND_SIGNALING) raiseFlags(INVALID);
    if (A.denormal) raiseFlags(DENORMAL);
  }
  copyTo(R, A);
  takeResult();
  return pushRaw();
}

/** The constants with 64 bits more than the format holds. */
function constant(which: u32): void {
  R.kind = KIND_FINITE;
  R.sign = 0;
  R.exponent = 0;
  R.low = 0;
  if (which == X87_ONE) R.significand = 0x8000_0000_0000_0000;
  else if (which == X87_LOG2_10) {
    R.exponent = 1;
    R.significand = 0xd49a_784b_cd1b_8afe;
    R.low = 0x492b_f6ff_4daf_db4c;
  } else if (which == X87_LOG2_E) {
    R.significand = 0xb8aa_3b29_5c17_f0bb;
    R.low = 0xbe87_fed0_691d_3e88;
  } else if (which == X87_PI) {
    R.exponent = 1;
    R.significand = 0xc90f_daa2_2168_c234;
    R.low = 0xc4c6_628b_80dc_1cd1;
  } else if (which == X87_LOG10_2) {
    R.exponent = -2;
    R.significand = 0x9a20_9a84_fbcf_f798;
    R.low = 0x8f89_59ac_0b7c_9178;
  } else if (which == X87_LN_2) {
    R.exponent = -1;
    R.significand = 0xb172_17f7_d1cf_79ab;
    R.low = 0xc9e3_b398_03f2_f6af;
  } else setSpecial(KIND_ZERO, 0);
}

/** FLD1 to FLDZ, rounded as RC says. */
export function x87Constant(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  constant(load<u32>(FLOAT_OPERATION) & 0xff);
  begin87(record);
  round(64, -16382, 16383);
  takeResult();
  begin87(record); // a constant is never inexact
  return pushRaw();
}

/** What a masked or no exception stores; false when an unmasked one forbids it. */
function mayStore(): bool {
  return !isRefused() && !isUnmasked(OVERFLOW | UNDERFLOW);
}

function toDecimal(empty: bool): void {
  const value = empty ? 0 : toInteger(64, x87Rounding());
  let rest: u64 = value < 0 ? 0 - <u64>value : <u64>value;
  if (empty || raised & INVALID || rest > 999_999_999_999_999_999) {
    if (!empty) onlyInvalid();
    rawSignificand = 0xc000_0000_0000_0000;
    rawExponent = 0xffff;
    return;
  }
  rawExponent = <u32>A.sign << 15;
  rawSignificand = 0;
  for (let i: u64 = 0; i < 18; i++) {
    if (i < 16) rawSignificand |= rest % 10 << (i << 2);
    else rawExponent |= <u32>(rest % 10) << ((<u32>i - 16) << 2);
    rest /= 10;
  }
}

/** What goes to memory, in rawSignificand (and rawExponent for ten bytes); answers the number of bytes. */
function convert(kind: u32): i32 {
  const empty = isEmpty(0);
  if (empty) stackUnderflow();
  else loadRegister(A, 0);
  if (kind == X87_DECIMAL) {
    toDecimal(empty);
    return 10;
  }
  if (kind == X87_SINGLE || kind == X87_DOUBLE) {
    if (empty || A.kind == KIND_UNSUPPORTED) setInvalid();
    else copyTo(R, A);
    if (R.kind == KIND_SIGNALING) raiseFlags(INVALID);
    if (kind == X87_SINGLE) {
      roundSingle();
      rawSignificand = pack32();
      return 4;
    }
    roundDouble();
    rawSignificand = pack64();
    return 8;
  }
  const bits = kind == X87_INTEGER16 ? 16 : kind == X87_INTEGER32 ? 32 : 64;
  rawSignificand = empty ? (<u64>1) << <u64>(bits - 1) : <u64>toInteger(bits, x87Rounding());
  return bits >> 3;
}

/** FST, FSTP, FIST, FISTP, FBSTP to memory. */
export function x87Store(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  const what = load<u32>(FLOAT_OPERATION);
  const kind = (what >> X87_SOURCE_SHIFT) & 0xff;
  const address = effectiveAddress(record);
  const stack = stackOf(record);
  begin87(record);
  let bytes = 10;
  if (kind != X87_EXTENDED) bytes = convert(kind);
  else if (isEmpty(0)) {
    stackUnderflow();
    setInvalid();
    takeResult();
  } else {
    rawSignificand = load<u64>(slot(0));
    rawExponent = load<u16>(slot(0), 8);
  }
  if (mayStore()) {
    prepareWrite(address, bytes, stack);
    if (faultPending()) return STATUS_FAULT;
    storeSlow(address, rawSignificand, bytes < 8 ? bytes : 8, stack);
    if (bytes == 10) storeSlow(address + 8, rawExponent, 2, stack);
  }
  settle();
  if (mayStore() && what & X87_POP) pop();
  return STATUS_CONTINUE;
}

/** FST, FSTP to a register. */
export function x87StoreRegister(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  const to = load<u32>(record, REC_OP0);
  begin87(record);
  const empty = isEmpty(0);
  if (empty) stackUnderflow();
  settle();
  if (isRefused()) return STATUS_CONTINUE;
  if (empty) storeIndefinite(to);
  else copyRegister(to, 0);
  if (load<u32>(FLOAT_OPERATION) & X87_POP) pop();
  return STATUS_CONTINUE;
}

function copyRegister(to: u32, from: u32): void {
  const low = load<u64>(slot(from));
  const high = load<u64>(slot(from), 8);
  setSpecial(KIND_ZERO, 0);
  storeResult(to); // sets the tag
  store<u64>(slot(to), low);
  store<u64>(slot(to), high, 8);
}

/** FXCH. */
export function x87Exchange(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  const other = load<u32>(record, REC_OP1);
  begin87(record);
  if (isEmpty(0) || isEmpty(other)) stackUnderflow();
  settle();
  if (isRefused()) return STATUS_CONTINUE;
  if (isEmpty(0)) storeIndefinite(0);
  if (isEmpty(other)) storeIndefinite(other);
  const low = load<u64>(slot(0));
  const high = load<u64>(slot(0), 8);
  copyRegister(0, other);
  store<u64>(slot(other), low);
  store<u64>(slot(other), high, 8);
  return STATUS_CONTINUE;
}

/** FCMOVcc: the condition is at FLOAT_SOURCE. */
export function x87ConditionalMove(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  const from = load<u32>(record, REC_OP1);
  begin87(record);
  const empty = isEmpty(0) || isEmpty(from);
  if (empty) stackUnderflow();
  settleKeepingC1();
  if (isRefused()) return STATUS_CONTINUE;
  if (empty) storeIndefinite(0);
  else if (load<u64>(FLOAT_SOURCE) != 0) copyRegister(0, from);
  return STATUS_CONTINUE;
}

/** FFREE, and FFREEP with X87_POP. */
export function x87Free(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  setEmpty(load<u32>(record, REC_OP0));
  if (load<u32>(FLOAT_OPERATION) & X87_POP) pop();
  return STATUS_CONTINUE;
}

/** FINCSTP and FDECSTP: the distance is the operation. */
export function x87Rotate(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  begin87(record);
  settle();
  setTop(top() + (load<u32>(FLOAT_OPERATION) & 0xff));
  return STATUS_CONTINUE;
}

export function x87Nothing(_record: i32): i32 {
  return checkFpu() ? STATUS_FAULT : STATUS_CONTINUE;
}
