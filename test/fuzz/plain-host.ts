import type { FirmwareHost, FirmwareRegister } from '../../src/firmware/index.js';
import type { GuestMemory } from '../../src/memory/guest-memory.js';
import { GuardedRam } from './guarded-ram.js';

/** A firmware's host without a processor: registers in a map, everything that ends a run is counted. */
export class PlainHost implements FirmwareHost {
  private readonly registers = new Map<FirmwareRegister, bigint>();
  readonly memory: GuestMemory;
  /** Calls that would have ended the run. */
  ends = 0;
  /** Calls that faulted, because a pointer could not be followed. */
  faults = 0;

  constructor(memory: number | GuestMemory) {
    this.memory = typeof memory === 'number' ? new GuardedRam(memory) : memory;
  }

  getRegister = (name: FirmwareRegister): bigint => this.registers.get(name) ?? 0n;
  setRegister = (name: FirmwareRegister, value: bigint): void => void this.registers.set(name, value);
  now = (): number => 4711;
  random = (): bigint => 4n;
  stall = (): void => undefined;
  flushTlb = (): void => undefined;
  disableInterrupts = (): void => undefined;
  print = (): void => undefined;
  poweroff = (): void => {
    this.ends++;
  };
  reset = (): void => {
    this.ends++;
  };
  exit = (): void => {
    this.ends++;
  };
  fault = (): void => {
    this.faults++;
  };
  crash = (): void => {
    this.ends++;
  };
}
