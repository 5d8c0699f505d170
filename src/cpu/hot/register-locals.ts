/** General registers of hot code in locals: loaded on entry, stored at its end and before helpers, as far as it writes them. */
import * as L from '../state-layout.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { I64_LOAD, I64_STORE } from '../wasm/opcodes.js';

const GPRS = 16;
const MASK_32 = 0xffff_ffffn;
const masks: Readonly<Record<number, bigint>> = { 8: 0xffn, 16: 0xffffn, 32: MASK_32 };

/** True for the state address of a general register or of its second byte. */
export const isGeneral = (address: number): boolean => address >= L.RAX && address < L.RAX + 8 * GPRS;

/** General registers as bits by number. */
export interface RegisterUse {
  /** Every one that the code names. */
  readonly used: number;
  /** Every one that it writes. */
  readonly written: number;
}

export class RegisterLocals {
  private readonly locals: number[];

  constructor(
    private readonly f: FunctionWriter,
    private readonly registers: RegisterUse,
  ) {
    const { used } = registers;
    this.locals = Array.from({ length: GPRS }, (_, register) => (used & (1 << register) ? f.local('i64') : -1));
  }

  private local(register: number): number {
    const local = this.locals[register] ?? -1;
    if (local < 0) throw new Error(`register ${String(register)} was not announced`);
    return local;
  }

  /** Emits: every register that is used, from memory. */
  load(): void {
    const { f } = this;
    for (let register = 0; register < GPRS; register++) {
      if ((this.registers.used & (1 << register)) === 0) continue;
      f.i32(0);
      f.memory(I64_LOAD, L.RAX + 8 * register);
      f.set(this.locals[register] ?? 0);
    }
  }

  /** Emits: memory has every register. */
  store(): void {
    const { f } = this;
    for (let register = 0; register < GPRS; register++) {
      if ((this.registers.written & (1 << register)) === 0) continue;
      f.i32(0);
      f.get(this.locals[register] ?? 0);
      f.memory(I64_STORE, L.RAX + 8 * register);
    }
  }

  /** Emits: the register whose (low) byte is at a state address, zero-extended from its width. */
  get(address: number, bits: number): void {
    const { f } = this;
    f.get(this.local((address - L.RAX) >> 3));
    if (bits === 64) return;
    if ((address & 7) === 1) {
      f.i64(8n);
      f.op(0x88); // shr_u
    }
    f.i64(masks[bits] ?? 0n);
    f.op(0x83); // and
  }

  /** Emits: writes it; `value` emits an i64 whose high bits do not count. */
  set(address: number, bits: number, value: () => void): void {
    const { f } = this;
    const register = (address - L.RAX) >> 3;
    const high = (address & 7) === 1;
    const local = this.local(register);
    value();
    if (bits < 64) {
      const mask = masks[bits] ?? 0n;
      f.i64(mask);
      f.op(0x83);
      if (bits < 32) {
        if (high) {
          f.i64(8n);
          f.op(0x86); // shl
        }
        f.get(local);
        f.i64(~(mask << (high ? 8n : 0n)));
        f.op(0x83, 0x84); // and, or
      }
    }
    f.set(local);
  }
}
