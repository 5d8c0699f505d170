/** The part of the WebAssembly JavaScript interface that the core uses; neither the DOM's nor Node's types. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(delta: number): number;
  }
  interface Module {
    readonly [brand: symbol]: never;
  }
  const Module: new (bytes: Uint8Array) => Module;
  type ExportValue = ((...values: number[]) => number) | Memory | object;
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, ExportValue>;
  }
}
