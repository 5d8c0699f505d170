/** FADD to FDIVR and the comparisons. Intel SDM volume 1, 8.3.5 and 8.3.6; volume 2. */
import {
  FLOAT_ADD,
  FLOAT_DIVIDE,
  FLOAT_MULTIPLY,
  FLOAT_OPERATION,
  FLOAT_SUBTRACT,
  X87_DIVIDE_REVERSED,
  X87_DOUBLE,
  X87_INTEGER16,
  X87_INTEGER32,
  X87_POP,
  X87_POP_TWICE,
  X87_QUIET,
  X87_REGISTER,
  X87_SINGLE,
  X87_SOURCE_SHIFT,
  X87_SUBTRACT_REVERSED,
  X87_TO_FLAGS,
  X87_TO_STI,
  X87_WITH_ZERO,
} from '../../float-operations';
import { REC_OP0, REC_OP1, STATUS_CONTINUE, STATUS_FAULT } from '../../state-layout';
import { faultPending } from '../fault';
import { checkFpu } from './fpu-state';
import { loadSlow } from '../memory/memory-access';
import { effectiveAddress, stackOf } from '../integer/operands';
import {
  A,
  add,
  B,
  copyTo,
  DENORMAL,
  divide,
  INVALID,
  KIND_QUIET,
  KIND_SIGNALING,
  KIND_UNSUPPORTED,
  KIND_ZERO,
  multiply,
  R,
  raised,
  raiseFlags,
  round,
  setInvalid,
  Unpacked,
  ZERO_DIVIDE,
} from './softfloat';
import { compare, setComparisonFlags } from './softfloat-compare';
import { unpack32, unpack64, unpackInteger } from './softfloat-formats';
import {
  begin87,
  C0,
  C2,
  C3,
  isEmpty,
  isRefused,
  loadRegister,
  pop,
  setConditions,
  settle,
  settleKeepingC1,
  stackUnderflow,
  storeResult,
  x87Precision,
} from './x87-state';

/** Loads a memory operand of one of the X87_ kinds but EXTENDED and DECIMAL. Check FAULT_PENDING. */
export function loadMemory(to: Unpacked, record: i32, kind: u32): void {
  const address = effectiveAddress(record);
  const stack = stackOf(record);
  if (kind == X87_SINGLE) unpack32(to, <u32>loadSlow(address, 4, stack), false);
  else if (kind == X87_DOUBLE) unpack64(to, loadSlow(address, 8, stack), false);
  else if (kind == X87_INTEGER16) unpackInteger(to, <i64>(<i16>loadSlow(address, 2, stack)));
  else if (kind == X87_INTEGER32) unpackInteger(to, <i64>(<i32>loadSlow(address, 4, stack)));
  else unpackInteger(to, <i64>loadSlow(address, 8, stack));
}

/** True when A or B is no number; R is then what the operation delivers. Intel SDM volume 1, table 4-7. */
export function deliversNaN(): bool {
  if (A.kind < KIND_QUIET && B.kind < KIND_QUIET) return false;
  if (A.kind == KIND_UNSUPPORTED || B.kind == KIND_UNSUPPORTED) {
    setInvalid();
    return true;
  }
  if (A.kind == KIND_SIGNALING || B.kind == KIND_SIGNALING) raiseFlags(INVALID);
  let first = A.kind >= KIND_QUIET;
  if (first && B.kind >= KIND_QUIET) {
    if (A.kind != B.kind) first = A.kind == KIND_QUIET;
    else if (A.significand != B.significand) first = A.significand > B.significand;
    else first = !A.sign;
  }
  copyTo(R, first ? A : B);
  return true;
}

/** Denormal operands, unless the operation was refused for a stronger reason. */
export function noteDenormals(): void {
  if ((A.denormal | B.denormal) && !(raised & (INVALID | ZERO_DIVIDE))) raiseFlags(DENORMAL);
}

function swap(): void {
  copyTo(R, A);
  copyTo(A, B);
  copyTo(B, R);
}

function compute(operation: u32): void {
  if (operation == X87_SUBTRACT_REVERSED || operation == X87_DIVIDE_REVERSED) swap();
  if (deliversNaN()) return;
  if (operation == FLOAT_ADD) add(false);
  else if (operation == FLOAT_MULTIPLY) multiply();
  else if (operation == FLOAT_SUBTRACT || operation == X87_SUBTRACT_REVERSED) add(true);
  else divide();
  noteDenormals();
  round(x87Precision(), -16382, 16383);
}

function popAsAsked(what: u32): void {
  if (what & (X87_POP | X87_POP_TWICE)) pop();
  if (what & X87_POP_TWICE) pop();
}

/** destination = destination op source, or source op destination. */
export function x87Arithmetic(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  const what = load<u32>(FLOAT_OPERATION);
  const source = (what >> X87_SOURCE_SHIFT) & 0xff;
  const toStackRegister = (what & X87_TO_STI) != 0;
  const destination: u32 = toStackRegister ? load<u32>(record, REC_OP0) : 0;
  const other: u32 = toStackRegister || source != X87_REGISTER ? 0 : load<u32>(record, REC_OP1);
  if (source != X87_REGISTER) {
    loadMemory(B, record, source);
    if (faultPending()) return STATUS_FAULT;
  }
  begin87(record);
  if (isEmpty(destination) || (source == X87_REGISTER && isEmpty(other))) {
    stackUnderflow();
    setInvalid();
  } else {
    loadRegister(A, destination);
    if (source == X87_REGISTER) loadRegister(B, other);
    compute(what & 0xff);
  }
  settle();
  if (isRefused()) return STATUS_CONTINUE;
  storeResult(destination);
  popAsAsked(what);
  return STATUS_CONTINUE;
}

/** FCOM, FUCOM, FICOM, FTST into C3 C2 C0; FCOMI, FUCOMI into ZF PF CF. */
export function x87Compare(record: i32): i32 {
  if (checkFpu()) return STATUS_FAULT;
  const what = load<u32>(FLOAT_OPERATION);
  const source = (what >> X87_SOURCE_SHIFT) & 0xff;
  const other: u32 = what & X87_POP_TWICE ? 1 : load<u32>(record, REC_OP1);
  const withRegister = source == X87_REGISTER && !(what & X87_WITH_ZERO);
  if (source != X87_REGISTER) {
    loadMemory(B, record, source);
    if (faultPending()) return STATUS_FAULT;
  }
  begin87(record);
  let order: i32 = 2;
  if (isEmpty(0) || (withRegister && isEmpty(other))) {
    stackUnderflow();
  } else {
    loadRegister(A, 0);
    if (withRegister) loadRegister(B, other);
    else if (what & X87_WITH_ZERO) {
      B.kind = KIND_ZERO;
      B.sign = 0;
      B.denormal = 0;
    }
    order = compare((what & X87_QUIET) != 0);
  }
  if (what & X87_TO_FLAGS) settleKeepingC1();
  else settle();
  // Measured: FCOMI sets its flags also when it faults later; it does not pop then.
  if (what & X87_TO_FLAGS) setComparisonFlags(order);
  if (isRefused()) return STATUS_CONTINUE;
  if (!(what & X87_TO_FLAGS)) setConditions(order == 2 ? C3 | C2 | C0 : order == 0 ? C3 : order < 0 ? C0 : 0);
  popAsAsked(what);
  return STATUS_CONTINUE;
}
