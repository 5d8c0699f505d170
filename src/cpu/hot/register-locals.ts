/**
 * Registers of hot code in locals, the vector registers in a class of their own. A changed register is stored before the
 * next instruction that may leave and before every transfer, so that leaving needs no stores of its own.
 */
import * as L from '../state-layout.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { I64_LOAD, I64_STORE } from '../wasm/opcodes.js';
import { isVector, VectorLocals } from './vector-locals.js';

const GPRS = 16;
const MASK_32 = 0xffff_ffffn;
const masks: Readonly<Record<number, bigint>> = { 8: 0xffn, 16: 0xffffn, 32: MASK_32 };

/** True for the state address of a general register or of its second byte. */
export const isGeneral = (address: number): boolean => address >= L.RAX && address < L.RAX + 8 * GPRS;

/** The bit of a register by its state address: general registers from bit 0, XMM from bit 16; 0 for everything else. */
export function registerBit(address: number): number {
  if (isGeneral(address)) return 1 << ((address - L.RAX) >> 3);
  return isVector(address) ? 1 << (GPRS + ((address - L.XMM) >> 4)) : 0;
}

export class RegisterLocals {
  readonly vectors: VectorLocals;
  private readonly locals: number[];
  private dirty = 0; // bits by register number

  /** `used`: every register that the code names, as bits (registerBit). */
  constructor(
    private readonly f: FunctionWriter,
    private readonly used: number,
  ) {
    this.locals = Array.from({ length: GPRS }, (_, register) => (used & (1 << register) ? f.local('i64') : -1));
    this.vectors = new VectorLocals(f, used >>> GPRS);
  }

  private local(register: number): number {
    const local = this.locals[register] ?? -1;
    if (local < 0) throw new Error(`register ${String(register)} was not announced`);
    return local;
  }

  /** Emits: every register that is used, from memory. */
  load(): void {
    const { f } = this;
    this.vectors.load();
    for (let register = 0; register < GPRS; register++) {
      if ((this.used & (1 << register)) === 0) continue;
      f.i32(0);
      f.memory(I64_LOAD, L.RAX + 8 * register);
      f.set(this.locals[register] ?? 0);
    }
  }

  /** Emits: memory has every register. */
  flush(): void {
    const { f } = this;
    this.vectors.flush();
    for (let register = 0; this.dirty !== 0; register++) {
      const bit = 1 << register;
      if ((this.dirty & bit) === 0) continue;
      this.dirty &= ~bit;
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
    this.dirty |= 1 << register;
  }
}
