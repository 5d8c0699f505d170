/** FNSTENV, FLDENV, FNSAVE, FRSTOR. Intel SDM volume 1, 8.1.10; figures 8-9 to 8-12. */
import { STATUS_CONTINUE, STATUS_FAULT } from '../../state-layout';
import { faultPending } from '../fault';
import { checkFpu, checkFpuControl, fninit, setControl } from './fpu-state';
import { loadSlow, prepareRead, prepareWrite, storeSlow } from '../memory/memory-access';
import { effectiveAddress, stackOf } from '../integer/operands';
import { A, KIND_FINITE, KIND_ZERO } from './softfloat';
import { FCW, FDP, FIP, FOP, FSW, FTW, isEmpty, loadRegister, setTop, slot, top } from './x87-state';

/** Two tag bits a physical register: valid, zero, special, empty. */
function fullTags(): u32 {
  let tags: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    loadRegister(A, i);
    let tag: u32 = 2;
    if (isEmpty(i)) tag = 3;
    else if (A.kind == KIND_ZERO) tag = 1;
    else if (A.kind == KIND_FINITE && !A.denormal) tag = 0;
    tags |= tag << (((top() + i) & 7) << 1);
  }
  return tags;
}

/** The seven fields, of two or four bytes each; unused upper halves are ones. */
function storeEnvironment(address: u64, stack: i32, wide: bool): void {
  const width = wide ? 4 : 2;
  for (let field = 0; field < 7; field++) {
    let value: u32 = 0;
    if (field == 0) value = load<u16>(FCW) | 0xffff_0000;
    else if (field == 1) value = load<u16>(FSW) | 0xffff_0000;
    else if (field == 2) value = fullTags() | 0xffff_0000;
    else if (field == 3) value = load<u32>(FIP);
    else if (field == 4) value = wide ? <u32>load<u16>(FOP) << 16 : 0;
    else if (field == 5) value = load<u32>(FDP);
    else value = 0xffff_0000;
    storeSlow(address + field * width, wide ? value : value & 0xffff, width, stack);
  }
}

function loadEnvironment(address: u64, stack: i32, wide: bool): void {
  const width = wide ? 4 : 2;
  const control = <u32>loadSlow(address, 2, stack);
  const status = <u32>loadSlow(address + width, 2, stack);
  const tags = <u32>loadSlow(address + 2 * width, 2, stack);
  store<u64>(FIP, loadSlow(address + 3 * width, width, stack));
  store<u64>(FDP, loadSlow(address + 5 * width, width, stack));
  if (wide) store<u16>(FOP, <u16>(loadSlow(address + 18, 2, stack) & 0x7ff));
  setTop(status >> 11);
  store<u16>(FSW, <u16>status);
  let valid: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) if (((tags >> (i << 1)) & 3) != 3) valid |= 1 << i;
  store<u8>(FTW, valid);
  setControl(control);
}

/** FNSTENV masks all exceptions; FNSAVE goes on with FNINIT. */
function save(record: i32, wide: bool, registers: bool): i32 {
  if (checkFpuControl()) return STATUS_FAULT;
  const address = effectiveAddress(record);
  const stack = stackOf(record);
  const environment = wide ? 28 : 14;
  prepareWrite(address, registers ? environment + 80 : environment, stack);
  if (faultPending()) return STATUS_FAULT;
  storeEnvironment(address, stack, wide);
  if (!registers) {
    setControl(load<u16>(FCW) | 0x3f);
    return STATUS_CONTINUE;
  }
  for (let i: u32 = 0; i < 8; i++) {
    const at = address + environment + 10 * i;
    storeSlow(at, load<u64>(slot(i)), 8, stack);
    storeSlow(at + 8, load<u16>(slot(i), 8), 2, stack);
  }
  return fninit(record);
}

function restore(record: i32, wide: bool, registers: bool): i32 {
  if (checkFpu()) return STATUS_FAULT;
  const address = effectiveAddress(record);
  const stack = stackOf(record);
  const environment = wide ? 28 : 14;
  prepareRead(address, registers ? environment + 80 : environment, stack);
  if (faultPending()) return STATUS_FAULT;
  loadEnvironment(address, stack, wide);
  if (!registers) return STATUS_CONTINUE;
  for (let i: u32 = 0; i < 8; i++) {
    const at = address + environment + 10 * i;
    store<u64>(slot(i), loadSlow(at, 8, stack));
    store<u64>(slot(i), loadSlow(at + 8, 2, stack), 8);
  }
  return STATUS_CONTINUE;
}

export function fnstenv14(record: i32): i32 {
  return save(record, false, false);
}
export function fnstenv28(record: i32): i32 {
  return save(record, true, false);
}
export function fnsave94(record: i32): i32 {
  return save(record, false, true);
}
export function fnsave108(record: i32): i32 {
  return save(record, true, true);
}
export function fldenv14(record: i32): i32 {
  return restore(record, false, false);
}
export function fldenv28(record: i32): i32 {
  return restore(record, true, false);
}
export function frstor94(record: i32): i32 {
  return restore(record, false, true);
}
export function frstor108(record: i32): i32 {
  return restore(record, true, true);
}
