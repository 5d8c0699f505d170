import * as L from '../state-layout.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import type { Observation } from './emit-observation.js';

const MAX_FAULTS = 20_000; // faults cost no ticks: after so many in one run the host looks at its clock

/** What a status other than falling through means. BUDGET is loaded. */
export function emitDecide(
  f: FunctionWriter,
  x: {
    record: number;
    budget: number;
    status: number;
    from: number;
    faults: number;
    next: number;
    lookup: number;
    storeBudget: () => void;
    loadBudget: () => void;
    storeOwnRip: () => void;
    advance: () => void;
    exit: (reason: number) => void;
    observe: Observation;
    functionIndex: (name: string) => number;
  },
): void {
  const refund = (): void => {
    f.get(x.budget);
    f.i32(1);
    f.op(0x6a);
    f.set(x.budget);
  };
  const goLookup = (): void => {
    f.i32(0);
    f.set(x.status);
    f.i32(0);
    f.set(x.from);
    f.br(x.lookup);
  };
  const host = f.block();
  const skip = f.block();
  const stale = f.block();
  const repeat = f.block();
  const leave = f.block();
  const jump = f.block();
  const fault = f.block();
  const goOn = f.block();
  f.get(x.status);
  f.brTable([goOn, fault, jump, leave, repeat, stale, skip], host);
  f.end(); // STATUS_CONTINUE
  f.i32(0);
  f.set(x.status);
  x.advance();
  f.br(x.next);
  f.end(); // STATUS_FAULT
  x.observe.endBefore();
  refund();
  x.storeOwnRip();
  x.storeBudget();
  f.call(x.functionIndex('deliverException'));
  f.if();
  f.i32(0);
  f.i32(L.LEAVE_SHUTDOWN);
  f.memory(0x36, L.LEAVE_REASON);
  x.exit(L.EXIT_LEAVE);
  f.end();
  x.loadBudget();
  f.get(x.faults);
  f.i32(1);
  f.op(0x6a);
  f.tee(x.faults);
  f.i32(MAX_FAULTS);
  f.op(0x4b); // gt_u
  f.if();
  f.i32(0);
  f.i32(L.LEAVE_BOUNDARY);
  f.memory(0x36, L.LEAVE_REASON);
  x.exit(L.EXIT_LEAVE);
  f.end();
  goLookup();
  f.end(); // STATUS_JUMP
  x.observe.endBehind();
  goLookup();
  f.end(); // STATUS_LEAVE
  x.observe.endBehind();
  x.exit(L.EXIT_LEAVE);
  f.end(); // STATUS_REPEAT
  x.observe.endBehind();
  x.storeOwnRip();
  x.exit(L.EXIT_BUDGET);
  f.end(); // STATUS_STALE
  x.observe.endBefore();
  refund();
  x.storeOwnRip();
  goLookup();
  f.end(); // STATUS_SKIP
  refund();
  f.i32(0);
  f.set(x.status);
  x.advance();
  f.br(x.next);
  f.end(); // STATUS_HOST
  x.observe.endBefore();
  refund();
  x.storeOwnRip();
  f.i32(0);
  f.get(x.record);
  f.memory(0x36, L.LEAVE_RECORD);
  x.exit(L.EXIT_RECORD);
}
