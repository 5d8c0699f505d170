/** F2XM1, FSIN, FCOS, FSINCOS, FPTAN, FPATAN, FYL2X, FYL2XP1: special operands and the stack. Intel SDM volume 2. */
import {
  FLOAT_OPERATION,
  X87_COSINE,
  X87_POWER_MINUS_1,
  X87_SINE,
  X87_SINE_COSINE,
  X87_TANGENT,
  X87_Y_LOG2,
  X87_Y_LOG2_PLUS_1,
} from '../../float-operations';
import { STATUS_CONTINUE, STATUS_FAULT } from '../../state-layout';
import { checkFpu } from './fpu-state';
import {
  A,
  add,
  B,
  copyTo,
  INEXACT,
  KIND_FINITE,
  KIND_INFINITE,
  KIND_QUIET,
  KIND_ZERO,
  R,
  raiseFlags,
  round,
  setInvalid,
  setSpecial,
  ZERO_DIVIDE,
} from './softfloat';
import { unpackInteger } from './softfloat-formats';
import { circular, tangent } from './softfloat-circular';
import { arcTangent, piQuarters, power2Minus1, timesLog2, timesLog2Plus1 } from './softfloat-functions';
import { deliversNaN, noteDenormals } from './x87-arithmetic';
import {
  begin87,
  C2,
  FSW,
  isEmpty,
  isRefused,
  loadRegister,
  pop,
  push,
  settle,
  stackOverflow,
  stackUnderflow,
  storeIndefinite,
  storeResult,
} from './x87-state';

const TOP_BIT: u64 = 1 << 63;
/** 0.42 with the exponent -2. */
const LIMIT: u64 = 0xd70a_3d70_a3d7_0a3d;

function roundExtended(): void {
  round(64, -16382, 16383);
}

function setOne(): void {
  R.kind = KIND_FINITE;
  R.sign = 0;
  R.exponent = 0;
  R.significand = TOP_BIT;
  R.low = 0;
}

/** Outside -1 to 1 the result is undefined: the operand stays. */
function powerMinus1(): void {
  if (A.kind == KIND_INFINITE && A.sign) {
    setOne();
    R.sign = 1;
    return;
  }
  copyTo(R, A);
  if (A.kind != KIND_FINITE) return;
  if (A.exponent < 0) power2Minus1();
  else {
    if (A.exponent == 0 && A.significand == TOP_BIT && A.sign) R.exponent = -1;
    raiseFlags(INEXACT);
  }
}

/** FSIN, FCOS, FPTAN of A, which is in range. */
function circularFunction(operation: u32): void {
  if (A.kind == KIND_INFINITE) setInvalid();
  else if (A.kind == KIND_ZERO) {
    if (operation == X87_COSINE) setOne();
    else copyTo(R, A);
  } else if (operation == X87_TANGENT) tangent();
  else circular(i32(operation == X87_COSINE));
}

/** B * log2 A. */
function yLog2(): void {
  if (A.kind == KIND_ZERO) {
    if (B.kind == KIND_ZERO) {
      setInvalid();
      return;
    }
    if (B.kind == KIND_FINITE) raiseFlags(ZERO_DIVIDE);
    setSpecial(KIND_INFINITE, B.sign ^ 1);
    return;
  }
  if (A.sign) {
    setInvalid();
    return;
  }
  const one = A.kind == KIND_FINITE && A.exponent == 0 && A.significand == TOP_BIT;
  const sign = B.sign ^ i32(A.kind == KIND_FINITE && A.exponent < 0);
  if (A.kind == KIND_INFINITE) {
    if (B.kind == KIND_ZERO) setInvalid();
    else setSpecial(KIND_INFINITE, B.sign);
  } else if (B.kind == KIND_INFINITE) {
    if (one) setInvalid();
    else setSpecial(KIND_INFINITE, sign);
  } else if (B.kind == KIND_ZERO || one) setSpecial(KIND_ZERO, sign);
  else timesLog2();
}

/** B * log2(A + 1); beyond the defined range by way of the sum. */
function yLog2Plus1(): void {
  if (A.kind == KIND_INFINITE) {
    if (A.sign || B.kind == KIND_ZERO) setInvalid();
    else setSpecial(KIND_INFINITE, B.sign);
    return;
  }
  if (B.kind == KIND_INFINITE && A.kind == KIND_ZERO) setInvalid();
  else if (B.kind == KIND_INFINITE) setSpecial(KIND_INFINITE, A.sign ^ B.sign);
  else if (A.kind == KIND_ZERO || B.kind == KIND_ZERO) setSpecial(KIND_ZERO, A.sign ^ B.sign);
  else if (A.exponent < -2 || (A.exponent == -2 && A.significand < LIMIT)) timesLog2Plus1();
  else if (A.sign && A.exponent >= 0) {
    copyTo(R, A); // undefined; measured
    raiseFlags(INEXACT);
  } else {
    const multiplierSign = B.sign;
    const multiplierExponent = B.exponent;
    const multiplier = B.significand;
    unpackInteger(B, 1);
    add(false);
    roundExtended();
    copyTo(A, R);
    B.sign = multiplierSign;
    B.exponent = multiplierExponent;
    B.significand = multiplier;
    yLog2();
  }
}

/** The angle of the point (A, B). Intel SDM volume 2, table 3-40. */
function angle(): void {
  if (B.kind == KIND_INFINITE) piQuarters(A.kind != KIND_INFINITE ? 2 : A.sign ? 3 : 1, B.sign);
  else if (A.kind == KIND_INFINITE || B.kind == KIND_ZERO) {
    if (A.sign) piQuarters(4, B.sign);
    else setSpecial(KIND_ZERO, B.sign);
  } else if (A.kind == KIND_ZERO) piQuarters(2, B.sign);
  else arcTangent();
}

/** FYL2X, FYL2XP1, FPATAN: ST(1) with ST(0), which is popped. */
function ofTwo(operation: u32): i32 {
  if (isEmpty(0) || isEmpty(1)) {
    stackUnderflow();
    setInvalid();
  } else {
    loadRegister(A, 0);
    loadRegister(B, 1);
    if (!deliversNaN()) {
      const denormal = A.denormal | B.denormal;
      if (operation == X87_Y_LOG2) yLog2();
      else if (operation == X87_Y_LOG2_PLUS_1) yLog2Plus1();
      else angle();
      A.denormal = denormal;
      noteDenormals();
      roundExtended();
    }
  }
  settle();
  if (isRefused()) return STATUS_CONTINUE;
  storeResult(1);
  pop();
  return STATUS_CONTINUE;
}

/** FSINCOS and FPTAN: a result in ST(0), then the cosine or 1 is pushed. */
function twoResults(operation: u32): i32 {
  const missing = isEmpty(0);
  if (missing) stackUnderflow();
  else if (!isEmpty(7)) stackOverflow();
  else if (A.kind < KIND_QUIET) {
    circularFunction(operation == X87_TANGENT ? X87_TANGENT : X87_SINE);
    noteDenormals();
    roundExtended();
  } else deliversNaN();
  if (missing || !isEmpty(7)) setInvalid();
  settle();
  if (isRefused()) return STATUS_CONTINUE;
  storeResult(0);
  const number = !missing && isEmpty(7) && A.kind < KIND_INFINITE;
  push();
  if (!number) {
    storeResult(0);
    return STATUS_CONTINUE;
  }
  if (operation == X87_TANGENT) setOne();
  else {
    circularFunction(X87_COSINE);
    roundExtended();
  }
  storeResult(0);
  return STATUS_CONTINUE;
}

export function x87Function(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  const operation = load<u32>(FLOAT_OPERATION) & 0xff;
  begin87(record);
  if (operation >= <u32>X87_Y_LOG2) return ofTwo(operation);
  loadRegister(A, 0);
  copyTo(B, A);
  if (operation != X87_POWER_MINUS_1) {
    const beyond = !isEmpty(0) && A.kind == KIND_FINITE && A.exponent >= 63;
    const status = load<u16>(FSW) & ~C2;
    store<u16>(FSW, <u16>(beyond ? status | C2 : status));
    if (beyond) {
      settle();
      return STATUS_CONTINUE;
    }
  }
  if (operation == X87_TANGENT || operation == X87_SINE_COSINE) return twoResults(operation);
  if (isEmpty(0)) {
    stackUnderflow();
    setInvalid();
  } else if (!deliversNaN()) {
    if (operation == X87_POWER_MINUS_1) powerMinus1();
    else circularFunction(operation);
    noteDenormals();
    roundExtended();
  }
  settle();
  if (!isRefused()) storeResult(0);
  return STATUS_CONTINUE;
}
