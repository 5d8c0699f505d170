/**
 * The cold tier's module: a dispatch loop that finds the block for RIP and runs its records, the commonest shapes as
 * cases of one br_table, the others as functions of the module's own table.
 */
import type { Shape } from '../isa/shapes.js';
import * as L from '../state-layout.js';
import { FunctionWriter, ModuleWriter, type Signature, type ValueType } from '../wasm/encoder.js';
import { ColdEmitter, type ColdContext } from './emitter.js';
import { coreImports } from './core-imports.js';
import { HOT_CAPACITY } from './limits.js';
import { PSEUDO_HANDLERS, emitPseudoHandler } from './pseudo.js';

export interface ColdModule {
  readonly bytes: Uint8Array;
  /** Handler index by shape key; pseudo-records come after the shapes. */
  readonly handlers: ReadonlyMap<string, number>;
  readonly pseudo: Readonly<Record<(typeof PSEUDO_HANDLERS)[number], number>>;
  /** First index of the table that hot functions may take; HOT_CAPACITY follow. */
  readonly hotBase: number;
}

const handlerSignature: Signature = { parameters: ['i32'], results: ['i32'] };
const MAX_FAULTS = 20_000; // faults cost no ticks: after so many in one run the host looks at its clock

/** `common` lists shape keys in the order of the br_table. `imports` are the core functions that are called by name. */
export function buildColdModule(
  shapes: readonly Shape[],
  common: readonly string[],
  options: { readonly countHandlers?: boolean } = {},
): ColdModule {
  const byKey = new Map(shapes.map((shape) => [shape.key, shape]));
  const inline = common.filter((key) => byKey.has(key));
  const inlineSet = new Set(inline);
  const keys = [...inline, ...[...byKey.keys()].filter((key) => !inlineSet.has(key))];
  const handlers = new Map(keys.map((key, index) => [key, index]));

  const module = new ModuleWriter();
  const imports = new Map<string, number>();
  for (const [name, signature] of coreImports(shapes)) imports.set(name, module.import('core', name, signature));
  const functionIndex = (name: string): number => {
    const index = imports.get(name);
    if (index === undefined) throw new Error(`the core has no function ${name}`);
    return index;
  };
  const handlerType = module.type(handlerSignature);
  const table: number[] = [];

  for (const key of keys) {
    const index = module.declare(handlerSignature);
    table.push(index);
    const f = new FunctionWriter(1);
    const shape = byKey.get(key);
    if (shape !== undefined && !inlineSet.has(key)) new ColdEmitter(f, functionContext(f, functionIndex)).emit(shape.lifter);
    f.i32(inlineSet.has(key) ? L.STATUS_STALE : L.STATUS_CONTINUE);
    module.define(index, f.body());
  }
  const pseudo = {} as Record<(typeof PSEUDO_HANDLERS)[number], number>;
  for (const name of PSEUDO_HANDLERS) {
    const index = module.declare(handlerSignature);
    pseudo[name] = table.length;
    table.push(index);
    const f = new FunctionWriter(1);
    emitPseudoHandler(f, name, functionIndex);
    module.define(index, f.body());
  }
  module.table(table, HOT_CAPACITY);
  const hotType = module.type(handlerSignature);

  const run = module.declare(handlerSignature);
  module.export('run', run);
  const f = new FunctionWriter(1);
  emitRun(f, { inline: inline.map((key) => byKey.get(key)).filter((shape) => shape !== undefined), handlerType, hotType, hotHandler: pseudo.hot, functionIndex, countHandlers: options.countHandlers ?? false });
  module.define(run, f.body());
  return { bytes: module.encode(1), handlers, pseudo, hotBase: table.length };
}

/** A handler of its own: every way out is a returned status. */
function functionContext(f: FunctionWriter, functionIndex: (name: string) => number): ColdContext {
  const leave = (status: number): void => {
    f.i32(status);
    f.return();
  };
  return {
    record: 0,
    functionIndex,
    fault: () => {
      leave(L.STATUS_FAULT);
    },
    jump: () => {
      leave(L.STATUS_JUMP);
    },
    jumpDirect: () => {
      f.i32(0);
      f.get(0);
      f.memory(0x29, L.REC_IMMEDIATE);
      f.memory(0x37, L.RIP);
      leave(L.STATUS_JUMP);
    },
    status: () => {
      f.return();
    },
    beforeCall: () => undefined, // the loop has stored BUDGET
    afterCall: () => undefined, // and will load it again
    local: (type) => f.local(type),
  };
}

interface RunParts {
  readonly inline: readonly Shape[];
  readonly handlerType: number;
  readonly hotType: number;
  readonly hotHandler: number;
  /** Counts executions of each handler at PROFILE, for the choice of the common shapes. */
  readonly countHandlers: boolean;
  readonly functionIndex: (name: string) => number;
}

/** run(record): runs until one of EXIT_*; `record` is where to go on, 0 to look RIP up. */
function emitRun(f: FunctionWriter, { inline, handlerType, hotType, hotHandler, functionIndex, countHandlers }: RunParts): void {
  const record = 0;
  const budget = f.local('i32');
  const status = f.local('i32');
  const from = f.local('i32'); // branch record that wants a link to the block found next
  const faults = f.local('i32');
  const rip = f.local('i64');
  const entry = f.local('i32');
  const physical = f.local('i32');
  const handler = f.local('i32');
  const bypass = f.local('i32'); // 1: hot code wants the next instruction executed by the cold tier
  const storeBudget = (): void => {
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
  const advance = (): void => {
    f.get(record);
    f.i32(L.RECORD_BYTES);
    f.op(0x6a);
    f.set(record);
  };

  loadBudget();
  f.get(record);
  f.set(status); // nonzero: skip the first look-up
  const lookup = f.loop();
  f.get(status);
  f.op(0x45);
  f.if();
  emitLookup(f, { rip, entry, physical, record, from, budget, functionIndex, exit });
  f.end();
  f.i32(0);
  f.set(status);

  const next = f.loop();
  f.get(budget);
  f.op(0x45);
  f.if();
  storeOwnRip();
  exit(L.EXIT_BUDGET);
  f.end();
  f.get(budget);
  f.i32(1);
  f.op(0x6b);
  f.set(budget);

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
  // The region charges for itself.
  f.get(budget);
  f.i32(1);
  f.op(0x6a);
  f.set(budget);
  storeBudget();
  f.get(record);
  f.i32(L.RECORDS);
  f.op(0x6b);
  f.i32(L.RECORD_BYTES);
  f.op(0x6e);
  f.i32(2);
  f.op(0x74);
  f.memory(0x28, L.HOT_FUNCTIONS);
  f.tee(entry);
  f.i32((1 << L.HOT_POSITION_BITS) - 1);
  f.op(0x71);
  f.get(entry);
  f.i32(L.HOT_POSITION_BITS);
  f.op(0x76);
  f.callIndirect(hotType);
  f.i32(L.STATUS_COLD);
  f.op(0x46);
  f.set(bypass);
  loadBudget();
  f.i32(0);
  f.set(from);
  f.br(lookup);
  f.end();
  f.end();

  if (countHandlers) {
    f.get(handler);
    f.i32(3);
    f.op(0x74);
    f.tee(physical);
    f.get(physical);
    f.memory(0x29, L.PROFILE);
    f.i64(1n);
    f.op(0x7c);
    f.memory(0x37, L.PROFILE);
  }

  const direct = f.block(); // branch to REC_IMMEDIATE
  const decide = f.block(); // status is set, BUDGET in memory is current
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
        f.br(lookup);
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
  emitDecide(f, { record, budget, status, from, faults, next, lookup, storeBudget, loadBudget, storeOwnRip, advance, exit, functionIndex });
  f.end(); // direct
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
  f.get(physical);
  f.i32(0);
  f.memory(0x28, L.HOT_THRESHOLD);
  f.op(0x46);
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
  f.end(); // next
  f.end(); // lookup
  f.op(0x00); // unreachable
}

/** Finds the block for RIP: fetch TLB, then the block index by physical address; links the branch that came here. */
function emitLookup(
  f: FunctionWriter,
  x: {
    rip: number;
    entry: number;
    physical: number;
    record: number;
    from: number;
    budget: number;
    functionIndex: (name: string) => number;
    exit: (reason: number) => void;
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
  f.get(x.entry);
  f.memory(0x28, L.BLOCK_INDEX + L.BLOCK_COUNT);
  f.i32(1);
  f.op(0x6a);
  f.tee(x.physical);
  f.memory(0x36, L.BLOCK_INDEX + L.BLOCK_COUNT);
  f.get(x.physical);
  f.i32(0);
  f.memory(0x28, L.HOT_THRESHOLD);
  f.op(0x46);
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
  f.i32(0);
  f.get(x.physical);
  f.memory(0x36, L.LEAVE_RECORD);
  x.exit(L.EXIT_DECODE);
  f.end();
}

/** What a status other than falling through means. BUDGET is loaded. */
function emitDecide(
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
  goLookup();
  f.end(); // STATUS_LEAVE
  x.exit(L.EXIT_LEAVE);
  f.end(); // STATUS_REPEAT
  x.storeOwnRip();
  x.exit(L.EXIT_BUDGET);
  f.end(); // STATUS_STALE
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
  refund();
  x.storeOwnRip();
  f.i32(0);
  f.get(x.record);
  f.memory(0x36, L.LEAVE_RECORD);
  x.exit(L.EXIT_RECORD);
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
