/** The processor's linear memory and the WebAssembly modules over it. */
import type { Core } from './core-exports.js';
import { EXECUTION_COUNT_BYTES, ExecutionCounts } from './execution-counts.js';
import type { ProcessorOptions } from './processor-options.js';
import * as L from './state-layout.js';

const PAGE = 65536;

export interface Modules {
  readonly memory: WebAssembly.Memory;
  readonly core: Core;
  /** run of the cold module: runs the records from one on, 0 for those at RIP; answers EXIT_*. */
  readonly dispatch: (record: number) => number;
  /** The cold module's table, where hot functions go. */
  readonly table: { set(index: number, value: unknown): void };
  /** What hot code may call. */
  readonly functions: Record<string, unknown>;
  /** Of an observing processor. */
  readonly counts: ExecutionCounts | undefined;
}

/** `host` makes the functions that the core imports. */
export function instantiate(
  { ramBytes, artifacts, observing = false }: Pick<ProcessorOptions, 'ramBytes' | 'artifacts' | 'observing'>,
  host: (memory: WebAssembly.Memory) => Record<string, unknown>,
): Modules {
  const ramPages = Math.ceil((L.RAM + ramBytes) / PAGE) + 1;
  const pages = ramPages + (observing ? EXECUTION_COUNT_BYTES / PAGE : 0);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const core = new WebAssembly.Instance(new WebAssembly.Module(artifacts.core), {
    env: { memory },
    host: host(memory),
  });
  const module = observing ? artifacts.observing : artifacts.cold;
  if (module === undefined)
    throw new Error('observing wants the module observing.wasm of the build as artifacts.observing');
  const cold = new WebAssembly.Instance(new WebAssembly.Module(module), {
    env: { memory },
    core: core.exports,
  });
  const counts = observing ? new ExecutionCounts(memory, ramPages * PAGE) : undefined;
  const { run, table, storeFlags } = cold.exports;
  const dispatch = run as Modules['dispatch'];
  return {
    memory,
    core: core.exports as unknown as Core,
    dispatch: counts?.around(dispatch) ?? dispatch,
    table: table as unknown as Modules['table'],
    functions: { ...core.exports, storeFlags },
    counts,
  };
}
