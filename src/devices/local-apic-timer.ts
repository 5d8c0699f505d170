import { ticksPerCrystalPeriod } from './clock.js';
import type { DeviceHost, EventTarget, Stateful } from './device.js';

/** What the timer asks beyond a device's usual host: the processor owns the TSC's offset. */
export interface TimerHost extends DeviceHost {
  /** The tick at which the guest's TSC reaches `tsc`; may lie in the past. */
  tscToTicks(tsc: bigint): number;
}

/** LVT timer register, bits 17-18. Intel SDM volume 3, figure 11-8. */
export const TimerMode = { oneShot: 0, periodic: 1, tscDeadline: 2, reserved: 3 } as const;

export interface LocalApicTimerState {
  readonly mode: number;
  readonly initialCount: number;
  readonly divideConfiguration: number;
  readonly expiry: number;
  readonly deadline: string; // IA32_TSC_DEADLINE, decimal: JSON has no bigint
}

const eventName = 'local-apic-timer';
const stopped = -1;

/** The local APIC's timer: three modes over the core crystal clock and the TSC. Intel SDM volume 3, 11.5.4. */
export class LocalApicTimer implements Stateful<LocalApicTimerState>, EventTarget {
  private mode = 0;
  private initialCount = 0;
  private divideConfiguration = 0;
  /** Tick at which the count reaches 0 next; `stopped` when it does not run. */
  private expiry = stopped;
  private deadline = 0n;

  /** `expired` is called at each expiry; whether that interrupts is the LVT's business. */
  constructor(
    private readonly host: TimerHost,
    private readonly expired: () => void,
  ) {}

  /** Changing to or from TSC-deadline mode disarms the timer. Intel SDM volume 3, 11.5.4.1. */
  setMode(mode: number): void {
    if (mode === this.mode) return;
    if (mode === TimerMode.tscDeadline || this.mode === TimerMode.tscDeadline) this.disarm();
    this.mode = mode;
  }

  /** Initial Count Register, 0x380: a write starts the count, 0 stops it; ignored in TSC-deadline mode. */
  readInitialCount(): number {
    return this.initialCount;
  }

  writeInitialCount(count: number): void {
    if (this.mode === TimerMode.tscDeadline) return;
    this.initialCount = count;
    this.start(count);
  }

  /** Current Count Register, 0x390. */
  readCurrentCount(): number {
    if (this.expiry === stopped || this.mode === TimerMode.tscDeadline) return 0;
    return Math.max(0, Math.ceil((this.expiry - this.host.now()) / this.ticksPerCount()));
  }

  /** Divide Configuration Register, 0x3e0: bits 3, 1 and 0. */
  readDivideConfiguration(): number {
    return this.divideConfiguration;
  }

  writeDivideConfiguration(value: number): void {
    const remaining = this.readCurrentCount();
    this.divideConfiguration = value & 0b1011;
    if (remaining !== 0) this.start(remaining); // the rest of the count goes on at the new pace
  }

  /** IA32_TSC_DEADLINE: reads 0 and ignores writes outside TSC-deadline mode. Intel SDM volume 3, 11.5.4.1. */
  readDeadline(): bigint {
    return this.mode === TimerMode.tscDeadline ? this.deadline : 0n;
  }

  writeDeadline(tsc: bigint): void {
    if (this.mode !== TimerMode.tscDeadline) return;
    this.deadline = tsc;
    this.armDeadline();
  }

  /** The guest or the host changed the TSC's offset: an armed deadline moves. */
  tscChanged(): void {
    if (this.mode === TimerMode.tscDeadline) this.armDeadline();
  }

  onEvent(): void {
    if (this.mode === TimerMode.tscDeadline) {
      if (this.deadline === 0n) return;
      this.deadline = 0n;
    } else if (this.expiry === stopped) {
      return;
    } else if (this.mode === TimerMode.periodic && this.initialCount !== 0) {
      const period = this.initialCount * this.ticksPerCount();
      this.expiry += (Math.floor((this.host.now() - this.expiry) / period) + 1) * period;
      this.host.schedule(eventName, this.expiry);
    } else {
      this.expiry = stopped;
    }
    this.expired();
  }

  reset(): void {
    this.disarm();
    this.mode = TimerMode.oneShot;
    this.divideConfiguration = 0;
  }

  save(): LocalApicTimerState {
    const { mode, initialCount, divideConfiguration, expiry } = this;
    return { mode, initialCount, divideConfiguration, expiry, deadline: this.deadline.toString() };
  }

  /** The pending event itself is the machine's to restore, with its other events. */
  restore(state: LocalApicTimerState): void {
    this.mode = state.mode;
    this.initialCount = state.initialCount;
    this.divideConfiguration = state.divideConfiguration;
    this.expiry = state.expiry;
    this.deadline = BigInt(state.deadline);
  }

  private start(count: number): void {
    if (count === 0) {
      this.expiry = stopped;
      this.host.cancel(eventName);
      return;
    }
    this.expiry = this.host.now() + count * this.ticksPerCount();
    this.host.schedule(eventName, this.expiry);
  }

  private armDeadline(): void {
    this.host.cancel(eventName);
    if (this.deadline === 0n) return;
    const tick = this.host.tscToTicks(this.deadline);
    if (tick <= this.host.now()) this.onEvent();
    else if (tick <= Number.MAX_SAFE_INTEGER) this.host.schedule(eventName, tick); // later than that never comes
  }

  private disarm(): void {
    this.initialCount = 0;
    this.expiry = stopped;
    this.deadline = 0n;
    this.host.cancel(eventName);
  }

  /** Figure 11-10: 000 divides by 2, 001 by 4 ... 110 by 128, 111 by 1. */
  private ticksPerCount(): number {
    const code = (this.divideConfiguration & 0b11) | ((this.divideConfiguration & 0b1000) >> 1);
    return ticksPerCrystalPeriod * (1 << ((code + 1) & 7));
  }
}

export const localApicTimerEvent = eventName;
