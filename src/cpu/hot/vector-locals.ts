/** XMM registers of hot code in locals, loaded and stored together with the general ones (register-locals.ts). */
import * as L from '../state-layout.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { loadOpcode, storeOpcode } from '../wasm/opcodes.js';

const REGISTERS = 16;
const BYTES = 16;

/** True for the state address of an XMM register. */
export const isVector = (address: number): boolean => address >= L.XMM && address < L.XMM + BYTES * REGISTERS;

export class VectorLocals {
  private readonly locals: number[];

  /** Registers that the code names, and those of them that it writes, as bits by number. */
  constructor(
    private readonly f: FunctionWriter,
    private readonly used: number,
    private readonly written: number,
  ) {
    this.locals = Array.from({ length: REGISTERS }, (_, register) => (used & (1 << register) ? f.local('v128') : -1));
  }

  private local(register: number): number {
    const local = this.locals[register] ?? -1;
    if (local < 0) throw new Error(`register XMM${String(register)} was not announced`);
    return local;
  }

  /** Emits: every register that is used, from memory. */
  load(): void {
    const { f } = this;
    for (let register = 0; register < REGISTERS; register++) {
      if ((this.used & (1 << register)) === 0) continue;
      f.i32(0);
      f.memory(loadOpcode(128), L.XMM + BYTES * register);
      f.set(this.local(register));
    }
  }

  /** Emits: memory has every register. */
  store(): void {
    const { f } = this;
    for (let register = 0; register < REGISTERS; register++) {
      if ((this.written & (1 << register)) === 0) continue;
      f.i32(0);
      f.get(this.local(register));
      f.memory(storeOpcode(128), L.XMM + BYTES * register);
    }
  }

  /** Emits: the register at a state address. */
  get(address: number): void {
    this.f.get(this.local((address - L.XMM) / BYTES));
  }

  /** Emits: the vector on the stack becomes its value. */
  set(address: number): void {
    this.f.set(this.local((address - L.XMM) / BYTES));
  }
}
