/** What the build makes of the processor: WebAssembly modules and the table that leads from codes to handlers. */
export interface ProcessorArtifacts {
  readonly core: Uint8Array; // AssemblyScript core
  readonly cold: Uint8Array; // handlers and dispatch loop
  /** `cold` for a processor that observes (ProcessorOptions.observing), which alone needs it. */
  readonly observing?: Uint8Array;
  readonly handlers: Uint16Array; // by handlerSlot (handler-slots.ts)
  /** FloatingUnit of each handler. */
  readonly units: Uint8Array;
  readonly pseudo: {
    readonly end: number;
    readonly stale: number;
    readonly checkPage: number;
    readonly breakpoint: number;
    readonly undefined: number;
    readonly hot: number;
  };
  /** First index for hot functions in the cold module's table. */
  readonly hotBase: number;
  /** Handler names by index, for profiles and traces. */
  readonly names: readonly string[];
}
