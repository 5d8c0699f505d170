/**
 * Delivery of exceptions and interrupts through the IDT: gates, stack switch, frame, double and triple fault.
 * Intel SDM volume 3, 6.12 to 6.15, and volume 2, INT n (the pseudocode).
 */
import {
  CPL,
  CR0,
  CR2,
  FAULT_ADDRESS,
  FAULT_ERROR,
  FAULT_HAS_ERROR,
  FAULT_PENDING,
  FAULT_VECTOR,
  FLAGS_SYSTEM,
  IDTR_BASE,
  IDTR_LIMIT,
  RIP,
  RSP,
  SEG_CS,
  SEG_SS,
  SEG_TR,
  SEGMENT_ATTRIBUTES,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_SELECTOR,
  SHADOW_TICK,
} from '../../state-layout';
import {
  attributesOf,
  baseOf,
  canMarkAccessed,
  descriptor,
  descriptorAddress,
  findDescriptor,
  isCode,
  isConforming,
  isNull,
  isPresent,
  isWritableData,
  limitOf,
  markAccessed,
  OUTSIDE_TABLE,
  privilegeOf,
  setCode,
  setHidden,
  setSegment,
  TABLE_FAULT,
} from './descriptors';
import { faultPending, raise, VECTOR_DB, VECTOR_DF, VECTOR_GP, VECTOR_NP, VECTOR_PF, VECTOR_SS, VECTOR_TS } from '../fault';
import { readFlags } from './flags-register';
import { loadSystem, prepareWrite, probeSystemWrite, storeSlow, storeSystem } from '../memory/memory-access';
import {
  ATTRIBUTE_BIG,
  ATTRIBUTE_LONG,
  canonical,
  CR0_PE,
  FLAG_IF,
  FLAG_NT,
  FLAG_RF,
  FLAG_TF,
  FLAG_VM,
  longModeActive,
  unimplemented,
  UNIMPLEMENTED_GATE16,
  UNIMPLEMENTED_REAL_MODE,
  UNIMPLEMENTED_TASK_GATE,
  updateMode,
} from './mode';

/** A software interrupt (INT n, INT3, INTO): EXT stays 0, the gate's DPL counts. */
export const SOFTWARE = 0;
/** Everything else: error codes of faults during delivery carry EXT = 1. Intel SDM volume 3, 6.13. */
export const EXTERNAL = 1;

const INTERRUPT_GATE: u32 = 0xe;
const TRAP_GATE: u32 = 0xf;

// The gate being used, and the code segment that it names.
let gateSelector: u32 = 0;
let gateOffset: u64 = 0;
let gateType: u32 = 0;
let gateStack: u32 = 0;
let codeDescriptor: u64 = 0;
let codeAddress: u64 = 0;
let codePrivilege: u32 = 0; // CPL of the handler

function fail(vector: i32, errorCode: u32): bool {
  raise(vector, errorCode, 1);
  return false;
}

/** Reads and checks the gate. Intel SDM volume 3, 6.12.1.3 and 6.14.1. */
function findGate(vector: u32, source: u32): bool {
  const long = longModeActive();
  const size: u32 = long ? 16 : 8;
  const offset = vector * size;
  const gateError = (vector << 3) | 2 | source;
  if (offset + size - 1 > load<u32>(IDTR_LIMIT)) return fail(VECTOR_GP, gateError);
  const address = load<u64>(IDTR_BASE) + offset;
  const low = loadSystem(address, 8);
  if (faultPending()) return false;
  let high: u64 = 0;
  if (long) {
    high = loadSystem(address + 8, 8);
    if (faultPending()) return false;
  }
  const access = <u32>(low >> 40) & 0xff;
  gateType = access & 0x1f;
  if (gateType != INTERRUPT_GATE && gateType != TRAP_GATE) {
    if (!long && gateType == 5) unimplemented(UNIMPLEMENTED_TASK_GATE, vector);
    if (!long && (gateType == 6 || gateType == 7)) unimplemented(UNIMPLEMENTED_GATE16, vector);
    return fail(VECTOR_GP, gateError);
  }
  if (source == SOFTWARE && privilegeOf(access) < load<u32>(CPL)) return fail(VECTOR_GP, gateError);
  if (!isPresent(access)) return fail(VECTOR_NP, gateError);
  gateSelector = <u32>(low >> 16) & 0xffff;
  gateOffset = (low & 0xffff) | ((low >> 32) & 0xffff_0000) | (high << 32);
  gateStack = long ? <u32>(low >> 32) & 7 : 0;
  return true;
}

/** Checks the gate's code segment and sets codePrivilege. */
function findHandlerCode(source: u32): bool {
  const selectorError = (gateSelector & 0xfffc) | source;
  if (isNull(gateSelector)) return fail(VECTOR_GP, source);
  const found = findDescriptor(gateSelector, 8);
  if (found == TABLE_FAULT) return false;
  if (found == OUTSIDE_TABLE) return fail(VECTOR_GP, selectorError);
  const attributes = attributesOf(descriptor);
  const privilege = load<u32>(CPL);
  if (!isCode(attributes) || privilegeOf(attributes) > privilege) return fail(VECTOR_GP, selectorError);
  if (!isPresent(attributes)) return fail(VECTOR_NP, selectorError);
  if (longModeActive() && (attributes & (ATTRIBUTE_LONG | ATTRIBUTE_BIG)) != ATTRIBUTE_LONG) {
    return fail(VECTOR_GP, selectorError);
  }
  codePrivilege = isConforming(attributes) ? privilege : privilegeOf(attributes);
  codeDescriptor = descriptor;
  codeAddress = descriptorAddress;
  return canMarkAccessed(codeDescriptor, codeAddress);
}

/** A pointer out of the TSS; #TS(TR) when the TSS is too short. Check FAULT_PENDING. */
function loadFromTss(offset: u32, bytes: i32, source: u32): u64 {
  if (!load<u32>(SEG_TR, SEGMENT_ATTRIBUTES) || offset + bytes - 1 > load<u32>(SEG_TR, SEGMENT_LIMIT)) {
    fail(VECTOR_TS, (load<u32>(SEG_TR, SEGMENT_SELECTOR) & 0xfffc) | source);
    return 0;
  }
  return loadSystem(load<u64>(SEG_TR, SEGMENT_BASE) + offset, bytes);
}

/** Probes the frame with the rights of the handler. */
function probeFrame(address: u64, bytes: i32): bool {
  if (codePrivilege < 3) return probeSystemWrite(address, bytes);
  prepareWrite(address, bytes, 1);
  return !faultPending();
}

function put(address: u64, value: u64, bytes: i32): void {
  if (codePrivilege < 3) storeSystem(address, value, bytes);
  else storeSlow(address, value, bytes, 1);
}

function enterHandler(): void {
  markAccessed(codeDescriptor, codeAddress);
  setCode(gateSelector, codeDescriptor, codePrivilege);
  store<u64>(RIP, gateOffset);
  let cleared = FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM;
  if (gateType == INTERRUPT_GATE) cleared |= FLAG_IF;
  store<u64>(FLAGS_SYSTEM, load<u64>(FLAGS_SYSTEM) & ~cleared);
  store<f64>(SHADOW_TICK, -1); // the event has ended it: it reaches no instruction of the handler
}

/** Intel SDM volume 3, 6.14: the frame is always SS, RSP, RFLAGS, CS, RIP, from an address that is a multiple of 16. */
function deliverLong(errorCode: u32, hasError: bool, source: u32, rip: u64, flags: u64): bool {
  const privilege = load<u32>(CPL);
  const outward = codePrivilege < privilege;
  const oldRsp = load<u64>(RSP);
  let rsp = oldRsp;
  if (gateStack) rsp = loadFromTss(28 + (gateStack << 3), 8, source);
  else if (outward) rsp = loadFromTss(4 + (codePrivilege << 3), 8, source);
  if (faultPending()) return false;
  if (!canonical(gateOffset)) return fail(VECTOR_GP, source);
  rsp &= ~(<u64>15);
  const size: u64 = hasError ? 48 : 40;
  const bottom = rsp - size;
  if (!canonical(bottom) || !canonical(rsp - 1)) return fail(VECTOR_SS, source);
  if (!probeFrame(bottom, <i32>size)) return false;
  put(rsp - 8, load<u32>(SEG_SS, SEGMENT_SELECTOR), 8);
  put(rsp - 16, oldRsp, 8);
  put(rsp - 24, flags, 8);
  put(rsp - 32, load<u32>(SEG_CS, SEGMENT_SELECTOR), 8);
  put(rsp - 40, rip, 8);
  if (hasError) put(rsp - 48, errorCode, 8);
  enterHandler();
  if (outward) setHidden(SEG_SS, codePrivilege, 0, 0, 0);
  store<u64>(RSP, bottom);
  updateMode();
  return true;
}

/** Whether `bytes` bytes below `top` lie in a stack segment. Expand-down segments: Intel SDM volume 3, 3.5.1. */
function stackHolds(attributes: u32, limit: u32, top: u32, bytes: u32): bool {
  const mask: u32 = attributes & ATTRIBUTE_BIG ? 0xffff_ffff : 0xffff;
  const first = (top - bytes) & mask;
  const last = (top - 1) & mask;
  if (last < first) return false;
  return attributes & 4 ? first > limit && last <= mask : last <= limit;
}

/** Protected mode without long mode: 32-bit gates. Intel SDM volume 3, 6.12.1. */
function deliverProtected(errorCode: u32, hasError: bool, source: u32, rip: u64, flags: u64): bool {
  const outward = codePrivilege < load<u32>(CPL);
  let stackSelector: u32 = 0;
  let stackDescriptor: u64 = 0;
  let stackAddress: u64 = 0;
  let esp = <u32>load<u64>(RSP);
  let attributes = load<u32>(SEG_SS, SEGMENT_ATTRIBUTES);
  let limit = load<u32>(SEG_SS, SEGMENT_LIMIT);
  let base = load<u64>(SEG_SS, SEGMENT_BASE);
  if (outward) {
    const at = 4 + (codePrivilege << 3);
    stackSelector = <u32>loadFromTss(at + 4, 2, source);
    if (faultPending()) return false;
    esp = <u32>loadFromTss(at, 4, source);
    if (faultPending()) return false;
    const selectorError = (stackSelector & 0xfffc) | source;
    if (isNull(stackSelector)) return fail(VECTOR_TS, source);
    const found = findDescriptor(stackSelector, 8);
    if (found == TABLE_FAULT) return false;
    if (found == OUTSIDE_TABLE || (stackSelector & 3) != codePrivilege) return fail(VECTOR_TS, selectorError);
    stackDescriptor = descriptor;
    stackAddress = descriptorAddress;
    attributes = attributesOf(stackDescriptor);
    if (privilegeOf(attributes) != codePrivilege || !isWritableData(attributes)) return fail(VECTOR_TS, selectorError);
    if (!isPresent(attributes)) return fail(VECTOR_SS, selectorError);
    if (!canMarkAccessed(stackDescriptor, stackAddress)) return false;
    limit = limitOf(stackDescriptor);
    base = baseOf(stackDescriptor);
  }
  const size: u32 = (outward ? 20 : 12) + (hasError ? 4 : 0);
  if (!stackHolds(attributes, limit, esp, size)) {
    return fail(VECTOR_SS, outward ? (stackSelector & 0xfffc) | source : source);
  }
  if (<u32>gateOffset > limitOf(codeDescriptor)) return fail(VECTOR_GP, source);
  const mask: u32 = attributes & ATTRIBUTE_BIG ? 0xffff_ffff : 0xffff;
  const bottom = (esp - size) & mask;
  let at: u64 = (base + bottom) & 0xffff_ffff;
  if (!probeFrame(at, size)) return false;
  const oldEsp = load<u64>(RSP);
  if (hasError) {
    put(at, errorCode, 4);
    at += 4;
  }
  put(at, rip, 4);
  put(at + 4, load<u32>(SEG_CS, SEGMENT_SELECTOR), 4);
  put(at + 8, flags, 4);
  if (outward) {
    put(at + 12, oldEsp, 4);
    put(at + 16, load<u32>(SEG_SS, SEGMENT_SELECTOR), 4);
    markAccessed(stackDescriptor, stackAddress);
    setSegment(SEG_SS, stackSelector, stackDescriptor);
  }
  enterHandler();
  if (mask == 0xffff && !outward) store<u16>(RSP, <u16>bottom);
  else store<u64>(RSP, bottom);
  updateMode();
  return true;
}

/**
 * Enters the handler of one event: pushes `rip` and `flags`. False when that raised an exception (FAULT_*); nothing of
 * the first event is visible then. `source` is SOFTWARE or EXTERNAL.
 */
export function deliver(vector: u32, errorCode: u32, hasError: bool, source: u32, rip: u64, flags: u64): bool {
  if (!findGate(vector, source) || !findHandlerCode(source)) return false;
  return longModeActive()
    ? deliverLong(errorCode, hasError, source, rip, flags)
    : deliverProtected(errorCode, hasError, source, rip, flags);
}

/** Contributory exceptions: #DE, #TS, #NP, #SS, #GP. Intel SDM volume 3, table 6-4. */
function isContributory(vector: u32): bool {
  return vector == 0 || (vector >= <u32>VECTOR_TS && vector <= <u32>VECTOR_GP);
}

/** Intel SDM volume 3, table 6-5. */
function makesDoubleFault(first: u32, second: u32): bool {
  if (first == VECTOR_PF) return second == VECTOR_PF || isContributory(second);
  return isContributory(first) && isContributory(second);
}

/** Faults push RF = 1, traps (#DB) and aborts (#DF, #MC) do not. Intel SDM volume 3, 17.3.1.1. */
function pushesResumeFlag(vector: u32): bool {
  return vector != VECTOR_DB && vector != 3 && vector != 4 && vector != VECTOR_DF && vector != 18;
}

/**
 * Delivers the pending exception (FAULT_*); RIP is the address to push. 0 when a handler was entered, 1 after a triple
 * fault: the processor is shut down.
 */
export function deliverException(): i32 {
  while (true) {
    const vector = load<u32>(FAULT_VECTOR);
    const errorCode = load<u32>(FAULT_ERROR);
    const hasError = load<u32>(FAULT_HAS_ERROR) != 0;
    store<u32>(FAULT_PENDING, 0);
    if (vector == VECTOR_PF) store<u64>(CR2, load<u64>(FAULT_ADDRESS));
    if (!(load<u64>(CR0) & CR0_PE)) {
      unimplemented(UNIMPLEMENTED_REAL_MODE, vector);
      return 1;
    }
    const flags = pushesResumeFlag(vector) ? readFlags() | FLAG_RF : readFlags();
    if (deliver(vector, errorCode, hasError, EXTERNAL, load<u64>(RIP), flags)) return 0;
    const second = load<u32>(FAULT_VECTOR);
    if (vector == VECTOR_DF) {
      store<u32>(FAULT_PENDING, 0);
      return 1;
    }
    if (makesDoubleFault(vector, second)) {
      if (second == VECTOR_PF) store<u64>(CR2, load<u64>(FAULT_ADDRESS));
      raise(VECTOR_DF, 0, 1);
    }
  }
}
