import { op, truncate } from '../ir/nodes.js';
import { byHelper, type Definition, type Family } from './family.js';

const push: Definition = (x) => {
  x.push(x.read(0), x.bits);
};

const popRegister: Definition = (x) => {
  x.write(0, x.pop(x.bits)); // POP rSP: the value wins over the increment
};

/** LEAVE: rSP = rBP, then pop rBP; rSP moves only when the load succeeds. */
const leave =
  (bits: number): Definition =>
  (x) => {
    const stackBits = x.long ? 64 : 32;
    const frame = x.register('rbp', stackBits);
    const saved = x.load(frame, bits, true);
    x.setRegister('rsp', stackBits, truncate(op.add(frame, bits / 8), stackBits));
    x.setRegister('rbp', bits, saved);
  };

/** PUSH, POP, LEAVE, ENTER, PUSHF, POPF. Intel SDM volume 2. */
export const stack: Family = {
  Push: push,
  Pop_r16: popRegister,
  Pop_r32: popRegister,
  Pop_r64: popRegister,
  Pop_rm16: byHelper('popMemory16'),
  Pop_rm32: byHelper('popMemory32'),
  Pop_rm64: byHelper('popMemory64'),
  Leavew: leave(16),
  Leaved: leave(32),
  Leaveq: leave(64),
  Enterw_imm16_imm8: byHelper('enter16'),
  Enterq_imm16_imm8: byHelper('enter64'),
  Enterd_imm16_imm8: byHelper('enter32'),
};
