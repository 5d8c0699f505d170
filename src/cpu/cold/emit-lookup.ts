import * as L from '../state-layout.js';
import type { FunctionWriter } from '../wasm/encoder.js';

/** Emits: whether a counter in an i32 local stands at one of the marks that the hot tier wants to hear of. */
export function emitIsHot(f: FunctionWriter, counter: number): void {
  f.get(counter);
  f.i32(0);
  f.memory(0x28, L.HOT_THRESHOLD);
  f.op(0x46);
  f.get(counter);
  f.i32(0);
  f.memory(0x28, L.HOT_URGENT);
  f.op(0x46, 0x72);
}

/** Finds the block for RIP: fetch TLB, then the block index by physical address; links the branch that came here. */
export function emitLookup(
  f: FunctionWriter,
  x: {
    rip: number;
    entry: number;
    physical: number;
    jump: number;
    record: number;
    from: number;
    hotEntry: number;
    budget: number;
    functionIndex: (name: string) => number;
    exit: (reason: number) => void;
    /** Emits: the instruction at RIP is fetched, which may ask a device. */
    fetching: () => void;
    /** Emits: no flags are pending. */
    settle: () => void;
    /** Emits: runs hot code, if local `entry` (as in HOT_FUNCTIONS) names some that may run now. */
    hot: () => void;
  },
): void {
  f.i32(0);
  f.memory(0x29, L.RIP);
  f.tee(x.rip);
  f.i64(12n);
  f.op(0x88, 0xa7);
  f.i32(0);
  f.memory(0x28, L.TLB_MASK);
  f.op(0x71);
  f.i32(L.TLB_ENTRY_SHIFT);
  f.op(0x74);
  f.i32(0);
  f.memory(0x28, L.TLB_FETCH);
  f.op(0x6a);
  f.tee(x.entry);
  f.memory(0x29, L.TLB_TAG_READ);
  f.get(x.rip);
  f.i64(-0x1000n);
  f.op(0x83, 0x51);
  f.if('i32');
  f.get(x.entry);
  f.memory(0x28, L.TLB_PHYSICAL);
  f.get(x.rip);
  f.op(0xa7);
  f.i32(0xfff);
  f.op(0x71, 0x72);
  f.else();
  x.settle(); // it may fault
  x.fetching();
  f.get(x.rip);
  f.call(x.functionIndex('fetchTranslate'));
  f.end();
  f.tee(x.physical);
  // Index: (physical ^ physical >> 15) & (entries - 1).
  f.get(x.physical);
  f.i32(15);
  f.op(0x76, 0x73);
  f.i32(L.BLOCK_ENTRIES - 1);
  f.op(0x71);
  f.i32(L.BLOCK_ENTRY_SHIFT);
  f.op(0x74);
  f.tee(x.entry);
  f.memory(0x28, L.BLOCK_INDEX + L.BLOCK_PHYSICAL);
  f.get(x.physical);
  f.op(0x46);
  f.get(x.entry);
  f.memory(0x29, L.BLOCK_INDEX + L.BLOCK_LINEAR);
  f.get(x.rip);
  f.op(0x51, 0x71);
  f.get(x.entry);
  f.memory(0x28, L.BLOCK_INDEX + L.BLOCK_MODE);
  f.i32(0);
  f.memory(0x28, L.MODE);
  f.op(0x46, 0x71);
  f.if();
  f.get(x.entry);
  f.memory(0x28, L.BLOCK_INDEX + L.BLOCK_RECORD);
  f.set(x.record);
  f.get(x.entry);
  f.memory(0x28, L.BLOCK_INDEX + L.BLOCK_HOT);
  f.tee(x.hotEntry);
  f.if();
  enterJump(f, x);
  x.hot();
  f.end();
  x.settle();
  f.get(x.entry);
  f.get(x.entry);
  f.memory(0x28, L.BLOCK_INDEX + L.BLOCK_COUNT);
  f.i32(1);
  f.op(0x6a);
  f.tee(x.physical);
  f.memory(0x36, L.BLOCK_INDEX + L.BLOCK_COUNT);
  emitIsHot(f, x.physical);
  f.if();
  f.i32(0);
  f.get(x.record);
  f.memory(0x36, L.LEAVE_RECORD);
  x.exit(L.EXIT_HOT);
  f.end();
  f.get(x.from);
  f.if();
  f.get(x.from);
  f.get(x.record);
  f.memory(0x36, L.REC_OP0);
  f.i32(0);
  f.set(x.from);
  f.end();
  f.else();
  x.settle();
  f.i32(0);
  f.get(x.physical);
  f.memory(0x36, L.LEAVE_RECORD);
  x.exit(L.EXIT_DECODE);
  f.end();
}

/** Emits: the address of the entry of the jump cache for the i64 local `rip`. */
function jumpEntry(f: FunctionWriter, rip: number): void {
  f.get(rip);
  f.get(rip);
  f.i64(5n);
  f.op(0x88, 0x85, 0xa7); // shr_u, xor, wrap
  f.i32(L.JUMP_ENTRY_SHIFT);
  f.op(0x74);
  f.i32((L.JUMP_ENTRIES - 1) << L.JUMP_ENTRY_SHIFT);
  f.op(0x71);
  f.i32(L.JUMP_CACHE);
  f.op(0x6a);
}

/** Emits: 1 when the jump cache knows RIP; the entry's address goes to the local `entry`. */
export function findJump(f: FunctionWriter, { rip, entry }: { rip: number; entry: number }): void {
  f.i32(0);
  f.memory(0x29, L.RIP);
  f.set(rip);
  jumpEntry(f, rip);
  f.tee(entry);
  f.memory(0x29, L.JUMP_RIP);
  f.get(rip);
  f.op(0x51);
  f.get(entry);
  f.memory(0x28, L.JUMP_MADE);
  f.i32(0);
  f.memory(0x28, L.JUMP_EPOCH);
  f.op(0x46, 0x71);
}

/** Emits: the jump cache knows that `hotEntry` is at `rip`. */
function enterJump(f: FunctionWriter, x: { rip: number; hotEntry: number; jump: number }): void {
  jumpEntry(f, x.rip);
  f.tee(x.jump);
  f.get(x.rip);
  f.memory(0x37, L.JUMP_RIP);
  f.get(x.jump);
  f.get(x.hotEntry);
  f.memory(0x36, L.JUMP_HOT);
  f.get(x.jump);
  f.i32(0);
  f.memory(0x28, L.JUMP_EPOCH);
  f.memory(0x36, L.JUMP_MADE);
}
