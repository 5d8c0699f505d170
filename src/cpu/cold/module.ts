/** The cold tier's module: the dispatch loop, and every other shape as a function of the module's own table. */
import type { Shape } from '../isa/shapes.js';
import * as L from '../state-layout.js';
import { FunctionWriter, ModuleWriter, type Signature } from '../wasm/encoder.js';
import type { ColdContext } from './context.js';
import { ColdEmitter } from './emitter.js';
import { emitRun } from './dispatch-loop.js';
import { coreImports } from './core-imports.js';
import { settleFlagsBody, settleFlagsSignature, storeFlagsBody, storeFlagsSignature } from './store-flags.js';
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

export interface ColdOptions {
  readonly observing?: boolean;
}

const handlerSignature: Signature = { parameters: ['i32'], results: ['i32'] };

/** `common` lists shape keys in the order of the br_table. `imports` are the core functions that are called by name. */
export function buildColdModule(
  shapes: readonly Shape[],
  common: readonly string[],
  options: ColdOptions = {},
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
    if (shape !== undefined && !inlineSet.has(key))
      new ColdEmitter(f, functionContext(f, functionIndex)).emit(shape.lifter);
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

  const storeFlags = module.declare(storeFlagsSignature);
  module.export('storeFlags', storeFlags);
  module.define(storeFlags, storeFlagsBody());
  const settleFlags = module.declare(settleFlagsSignature);
  module.define(settleFlags, settleFlagsBody(storeFlags));

  const run = module.declare(handlerSignature);
  module.export('run', run);
  const f = new FunctionWriter(1);
  emitRun(f, {
    inline: inline.map((key) => byKey.get(key)).filter((shape) => shape !== undefined),
    handlerType,
    hotType,
    hotHandler: pseudo.hot,
    settleFlags,
    functionIndex,
    observing: options.observing ?? false,
  });
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
