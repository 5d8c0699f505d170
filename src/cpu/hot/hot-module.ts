/** Makes one WebAssembly module of several regions: a module and an instance cost more than a function in it. */
import * as L from '../state-layout.js';
import { ModuleWriter } from '../wasm/encoder.js';
import { RegionCounters, type CounterPool } from './region-counters.js';
import { RegionEmitter } from './region-emitter.js';
import type { Region } from './region.js';

export interface HotModuleHost {
  readonly memory: WebAssembly.Memory;
  /** What hot code may call: functions of the core, and storeFlags of the cold module. */
  readonly functions: Record<string, unknown>;
  /** TLB entries - 1. */
  readonly tlbMask: number;
  /** Of an observing processor. */
  readonly counters: CounterPool | undefined;
}

export interface HotModule {
  /** A function for each region: (entry) => status. */
  readonly functions: readonly unknown[];
  /** What each region counts, when they do. */
  readonly counters: readonly RegionCounters[];
  readonly bytes: number;
}

export function compileRegions(regions: readonly Region[], host: HotModuleHost): HotModule {
  const module = new ModuleWriter();
  const imports = new Map<string, number>();
  const pool = host.counters;
  const counters = pool === undefined ? [] : regions.map(() => new RegionCounters(pool));
  const bodies = regions.map((region, i) =>
    new RegionEmitter(region, {
      // Hot functions call imports alone, so imports may be added as long as no function is declared.
      functionIndex: (name, signature) => {
        const known = imports.get(name);
        if (known !== undefined) return known;
        const index = module.import('core', name, signature);
        imports.set(name, index);
        return index;
      },
      tlbMask: host.tlbMask,
      user: (region.mode & L.MODE_USER) !== 0,
      counters: counters[i],
    }).emit(),
  );
  bodies.forEach((body, i) => {
    const index = module.declare({ parameters: ['i32'], results: ['i32'] });
    module.define(index, body);
    module.export(String(i), index);
  });
  const bytes = module.encode(1);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory: host.memory },
    core: host.functions,
  });
  return { functions: bodies.map((_, i) => exports[String(i)]), counters, bytes: bytes.length };
}
