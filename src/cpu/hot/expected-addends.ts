/**
 * What a TLB entry adds to a linear address is nearly always what the last access by the same base register added: the
 * direct mapping, the stack. So an access goes to the address that this makes while the processor below still checks
 * the entry, instead of waiting for it. One local for each base register, kept in memory from one hot function to the next.
 */
import * as L from '../state-layout.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { I32_LOAD, I32_STORE } from '../wasm/opcodes.js';
import type { ResolvedInstruction } from './records.js';
import { isGeneral } from './register-locals.js';

const ABSOLUTE = 16; // no base register: RIP-relative and absolute addresses
const SLOTS = 17;

/** The number of an instruction's base register, of RSP where the stack is meant, or ABSOLUTE. */
export function addendSlot({ base, index, constantBase }: ResolvedInstruction): number {
  if (isGeneral(base)) return numberOf(base);
  if (isGeneral(index)) return numberOf(index);
  return constantBase === undefined ? numberOf(L.RSP) : ABSOLUTE;
}

const numberOf = (address: number): number => (address - L.RAX) >> 3;

export class ExpectedAddends {
  private readonly locals: readonly number[];

  /** `used`: every slot that the code names, as bits. */
  constructor(
    private readonly f: FunctionWriter,
    used: number,
  ) {
    this.locals = Array.from({ length: SLOTS }, (_, slot) => (used & (1 << slot) ? f.local('i32') : -1));
  }

  /** Emits: all of them, from memory. */
  load(): void {
    const { f } = this;
    this.locals.forEach((local, slot) => {
      if (local < 0) return;
      f.i32(0);
      f.memory(I32_LOAD, L.EXPECTED_ADDENDS + 4 * slot);
      f.set(local);
    });
  }

  /** Emits: the addend that an access expects. */
  get(slot: number): void {
    this.f.get(this.local(slot));
  }

  /** Emits: from now on it expects the addend of the TLB entry whose address (less `offset`) is in a local. */
  learn(slot: number, entry: number, offset: number): void {
    const { f } = this;
    f.i32(0);
    f.get(entry);
    f.memory(I32_LOAD, offset);
    f.tee(this.local(slot));
    f.memory(I32_STORE, L.EXPECTED_ADDENDS + 4 * slot);
  }

  private local(slot: number): number {
    const local = this.locals[slot] ?? -1;
    if (local < 0) throw new Error(`base register ${String(slot)} was not announced`);
    return local;
  }
}
