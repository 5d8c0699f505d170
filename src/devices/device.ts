/** What every device may use of the machine: virtual time and one interrupt wire. */
export interface DeviceHost {
  /** Virtual time in ticks (1 ns each), exact also in the middle of a run. */
  now(): number;
  /**
   * Calls `fire` at the first instruction boundary at or after `tick`. One pending event per name: a second call moves
   * it. Events are data (name and tick) so that a saved machine can rebuild them.
   */
  schedule(name: string, tick: number): void;
  cancel(name: string): void;
}

/** A device on the I/O port bus. Values are unsigned; the bus splits wider accesses only when `split` is true. */
export interface PortDevice {
  readPort(port: number, bytes: 1 | 2 | 4): number;
  writePort(port: number, bytes: 1 | 2 | 4, value: number): void;
}

/** A device in guest-physical memory; `offset` is from the start of its window. */
export interface MmioDevice {
  readMmio(offset: number, bytes: 1 | 2 | 4): number;
  writeMmio(offset: number, bytes: 1 | 2 | 4, value: number): void;
}

/** State as plain JSON data, so that machine.save() and restore() work. */
export interface Stateful<State> {
  save(): State;
  restore(state: State): void;
}

/** A device whose scheduled events come back to it by name. */
export interface EventTarget {
  onEvent(name: string): void;
}
