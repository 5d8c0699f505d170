/** The dispatch loop: finds the block for RIP and runs its records; the commonest shapes are cases of its br_table. */
import type { Shape } from '../isa/shapes.js';
import * as L from '../state-layout.js';
import type { FunctionWriter, ValueType } from '../wasm/encoder.js';
import type { ColdContext } from './context.js';
import { ColdEmitter } from './emitter.js';
import { emitDecide } from './emit-decide.js';
import { observation } from './emit-observation.js';
import { emitIsHot, emitLookup, findJump } from './emit-lookup.js';

export interface RunParts {
  readonly inline: readonly Shape[];
  readonly handlerType: number;
  readonly hotType: number;
  readonly hotHandler: number;
  /** Index of settleFlags (store-flags.ts). */
  readonly settleFlags: number;
  /** Says which record is executed, for an observing processor. */
  readonly observing: boolean;
  readonly functionIndex: (name: string) => number;
}

/** run(record): runs until one of EXIT_*; `record` is where to go on, 0 to look RIP up. */
export function emitRun(
  f: FunctionWriter,
  { inline, handlerType, hotType, hotHandler, settleFlags, functionIndex, observing }: RunParts,
): void {
  const record = 0;
  const budget = f.local('i32');
  const status = f.local('i32');
  const from = f.local('i32'); // branch record that wants a link to the block found next
  const faults = f.local('i32');
  const rip = f.local('i64');
  const entry = f.local('i32');
  const physical = f.local('i32');
  const handler = f.local('i32');
  const hotEntry = f.local('i32');
  const bypass = f.local('i32'); // 1: hot code wants the next instruction executed by the cold tier
  const observe = observation(f, record, observing);
  const storeBudget = (): void => {
    observe.current();
    f.i32(0);
    f.get(budget);
    f.memory(0x36, L.BUDGET);
  };
  const loadBudget = (): void => {
    f.i32(0);
    f.memory(0x28, L.BUDGET);
    f.set(budget);
  };
  const exit = (reason: number): void => {
    storeBudget();
    f.i32(reason);
    f.return();
  };
  /** RIP = the current record's own address. */
  const storeOwnRip = (): void => {
    f.i32(0);
    f.get(record);
    f.memory(0x29, L.REC_NEXT_RIP);
    f.get(record);
    f.memory(0x31, L.REC_LENGTH);
    f.op(0x7d);
    f.memory(0x37, L.RIP);
  };
  /** Hot code may have left flags pending: nobody else knows of that. */
  const settle = (): void => {
    f.i32(0);
    f.memory(0x28, L.PENDING_KIND);
    f.if();
    f.call(settleFlags);
    f.end();
  };
  const advance = (): void => {
    f.get(record);
    f.i32(L.RECORD_BYTES);
    f.op(0x6a);
    f.set(record);
  };

  /** Runs the hot function that hotEntry names; it charges for itself. Goes on behind when a helper's status decides. */
  const callHot = (): void => {
    storeBudget();
    const again = f.loop();
    f.get(hotEntry);
    f.i32((1 << L.HOT_POSITION_BITS) - 1);
    f.op(0x71);
    f.get(hotEntry);
    f.i32(L.HOT_POSITION_BITS);
    f.op(0x76);
    f.callIndirect(hotType);
    f.tee(status);
    f.i32(L.STATUS_JUMP);
    f.op(0x46);
    f.if();
    findJump(f, { rip, entry });
    f.if();
    f.get(entry);
    f.memory(0x28, L.JUMP_HOT);
    f.set(hotEntry);
    f.br(again);
    f.end();
    f.end();
    f.end();
    f.get(status);
    f.i32(L.STATUS_COLD);
    f.op(0x46);
    f.tee(bypass);
    f.get(status);
    f.i32(L.STATUS_JUMP);
    f.op(0x46, 0x72);
    f.if();
    loadBudget();
    f.i32(0);
    f.set(from);
    f.i32(0);
    f.set(status);
    f.br(lookup);
    f.end();
    f.i32(0);
    f.memory(0x28, L.LEAVE_RECORD);
    f.set(record);
    observe.performed();
  };
  const decideBy = (next: number): void => {
    emitDecide(f, {
      record,
      budget,
      status,
      from,
      faults,
      next,
      lookup,
      storeBudget,
      loadBudget,
      storeOwnRip,
      advance,
      exit,
      observe,
      functionIndex,
    });
  };

  loadBudget();
  f.get(record);
  f.set(status); // nonzero: skip the first look-up
  const lookup = f.loop();
  f.get(status);
  f.op(0x45);
  f.if();
  // Before the look-up, which may fill the fetch TLB: how the loop came here must not show.
  f.get(budget);
  f.op(0x45);
  f.if();
  settle();
  exit(L.EXIT_BUDGET);
  f.end();
  emitLookup(f, {
    settle,
    rip,
    entry,
    physical,
    jump: handler,
    record,
    from,
    hotEntry,
    budget,
    functionIndex,
    exit,
    fetching: observe.fetching,
    hot: () => {
      f.get(bypass);
      f.op(0x45);
      f.if();
      callHot();
      loadBudget();
      decideBy(lookup); // no record follows: the function has left
      f.end();
    },
  });
  f.end();
  f.i32(0);
  f.set(status);

  observe.begin();
  const next = f.loop();
  f.get(budget);
  f.op(0x45);
  f.if();
  observe.endBefore();
  storeOwnRip();
  exit(L.EXIT_BUDGET);
  f.end();
  f.get(budget);
  f.i32(1);
  f.op(0x6b);
  f.set(budget);

  const jumped = observing ? f.block() : lookup; // RIP is stored
  const direct = f.block(); // branch to REC_IMMEDIATE
  const decide = f.block(); // status is set, BUDGET in memory is current
  f.get(record);
  f.memory(0x2f, L.REC_HANDLER); // i32.load16_u
  f.tee(handler);
  f.i32(hotHandler);
  f.op(0x46);
  f.if();
  f.get(bypass);
  f.if();
  f.i32(0);
  f.set(bypass);
  f.get(record);
  f.memory(0x2f, L.REC_COLD_HANDLER);
  f.set(handler);
  f.else();
  f.get(budget);
  f.i32(1);
  f.op(0x6a);
  f.set(budget);
  f.get(record);
  f.i32(L.RECORDS);
  f.op(0x6b);
  f.i32(L.RECORD_BYTES);
  f.op(0x6e);
  f.i32(2);
  f.op(0x74);
  f.memory(0x28, L.HOT_FUNCTIONS);
  f.set(hotEntry);
  observe.endBefore();
  callHot();
  f.br(decide);
  f.end();
  f.end();

  const other = f.block(); // not inline
  const labels: number[] = [];
  for (let i = inline.length - 1; i >= 0; i--) labels[i] = f.block();
  f.get(handler);
  f.brTable(labels, other);
  const pool = new LocalPool(f);
  inline.forEach((shape) => {
    f.end();
    pool.reset();
    const context: ColdContext = {
      record,
      functionIndex,
      fault: () => {
        f.i32(L.STATUS_FAULT);
        f.set(status);
        storeBudget();
        f.br(decide);
      },
      jump: () => {
        f.i32(0);
        f.set(from);
        f.br(jumped);
      },
      jumpDirect: () => {
        f.br(direct);
      },
      status: () => {
        f.set(status);
        f.br(decide);
      },
      beforeCall: storeBudget,
      afterCall: loadBudget,
      local: (type) => pool.take(type),
    };
    new ColdEmitter(f, context).emit(shape.lifter);
    advance();
    f.br(next);
  });
  f.end(); // other
  storeBudget();
  f.get(record);
  f.get(handler);
  f.callIndirect(handlerType);
  f.set(status);
  f.end(); // decide
  loadBudget();
  decideBy(next);
  f.end(); // direct
  observe.endBehind();
  f.get(record);
  f.memory(0x2d, L.REC_FLAGS);
  f.i32(L.REC_LINKABLE);
  f.op(0x71);
  f.if();
  f.get(record);
  f.memory(0x28, L.REC_OP0);
  f.tee(entry);
  f.if();
  f.get(record);
  f.get(record);
  f.memory(0x28, L.REC_OP1);
  f.i32(1);
  f.op(0x6a);
  f.tee(physical);
  f.memory(0x36, L.REC_OP1);
  emitIsHot(f, physical);
  f.if();
  f.i32(0);
  f.get(record);
  f.memory(0x29, L.REC_IMMEDIATE);
  f.memory(0x37, L.RIP);
  f.i32(0);
  f.get(entry);
  f.memory(0x36, L.LEAVE_RECORD);
  exit(L.EXIT_HOT);
  f.end();
  f.get(entry);
  f.set(record);
  observe.begin();
  f.br(next);
  f.end();
  f.get(record);
  f.set(from);
  f.else();
  f.i32(0);
  f.set(from);
  f.end();
  f.i32(0);
  f.get(record);
  f.memory(0x29, L.REC_IMMEDIATE);
  f.memory(0x37, L.RIP);
  f.br(lookup);
  if (observing) {
    f.end(); // jumped
    observe.endBehind();
    f.br(lookup);
  }
  f.end(); // next
  f.end(); // lookup
  f.op(0x00); // unreachable
}

/** Locals shared by the cases of the dispatch loop: each case starts over. */
class LocalPool {
  private readonly locals = new Map<ValueType, number[]>();
  private readonly used = new Map<ValueType, number>();

  constructor(private readonly f: FunctionWriter) {}

  reset(): void {
    this.used.clear();
  }

  take(type: ValueType): number {
    const list = this.locals.get(type) ?? [];
    this.locals.set(type, list);
    const position = this.used.get(type) ?? 0;
    this.used.set(type, position + 1);
    return (list[position] ??= this.f.local(type));
  }
}
