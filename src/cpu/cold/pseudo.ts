/** Records that are no instructions: never charged, invisible to the guest. */
import * as L from '../state-layout.js';
import type { FunctionWriter } from '../wasm/encoder.js';

/**
 * `end`: the block ends here, go on at the record's address. `stale`: the block was invalidated, likewise.
 * `checkPage`: the instruction that follows straddles a page; its second page (linear in REC_IMMEDIATE) must still be
 * at the guest-physical address in REC_OP0. `breakpoint`: the host wants to know.
 * `undefined`: no such instruction, #UD. `hot`: a hot function starts here; the loop itself knows it.
 */
export const PSEUDO_HANDLERS = ['end', 'stale', 'checkPage', 'breakpoint', 'undefined', 'hot'] as const;

export function emitPseudoHandler(
  f: FunctionWriter,
  name: (typeof PSEUDO_HANDLERS)[number],
  functionIndex: (name: string) => number,
): void {
  switch (name) {
    case 'end':
    case 'stale':
    case 'hot': // the dispatch loop never calls it
      f.i32(L.STATUS_STALE);
      return;
    case 'breakpoint':
    case 'undefined':
      f.i32(L.STATUS_HOST);
      return;
    case 'checkPage': {
      const physical = f.local('i32');
      f.get(0);
      f.memory(0x29, L.REC_IMMEDIATE);
      f.call(functionIndex('fetchTranslate'));
      f.set(physical);
      f.i32(0);
      f.memory(0x28, L.FAULT_PENDING);
      f.if();
      f.i32(L.STATUS_FAULT);
      f.return();
      f.end();
      f.get(physical);
      f.get(0);
      f.memory(0x28, L.REC_OP0);
      f.op(0x46);
      f.if('i32');
      f.i32(L.STATUS_SKIP);
      f.else();
      f.i32(L.STATUS_HOST);
      f.end();
      return;
    }
  }
}
