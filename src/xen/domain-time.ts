import type { Stateful } from '../devices/device.js';
import { GuestAddressError } from '../memory/guest-memory.js';
import type { DomainMemory } from './domain-memory.js';
import { GuestStruct } from './guest-struct.js';
import type { XenHost } from './host.js';

/** Names of the machine's events that belong to the domain. */
export const xenTimerEvent = { singleShot: 'xen single-shot timer', periodic: 'xen periodic timer' } as const;

/** struct vcpu_time_info; the same in both ABIs. xen/include/public/xen.h. */
export const TimeInfo = new GuestStruct('vcpu_time_info', {
  version: 'u32',
  pad0: 'u32',
  tsc_timestamp: 'u64aligned',
  system_time: 'u64aligned',
  tsc_to_system_mul: 'u32',
  tsc_shift: 'u8',
  flags: 'u8',
  pad1: 'u16',
});

/** struct vcpu_runstate_info. xen/include/public/vcpu.h. */
export const RunstateInfo = new GuestStruct('vcpu_runstate_info', {
  state: 's32',
  state_entry_time: 'u64',
  running: 'u64',
  runnable: 'u64',
  blocked: 'u64',
  offline: 'u64',
});

/** A tick that events can have: none comes to the last one. */
export const reachable = (tick: number): number => Math.min(tick, Number.MAX_SAFE_INTEGER);

const RUNSTATE_running = 0;
const nanosecondsPerSecond = 1_000_000_000;
/** The scale of a TSC of 1 GHz, as Xen computes it: (delta << 1) * 2^31 >> 32. */
export const tscScale = { kilohertz: 1_000_000, multiplier: 0x8000_0000, shift: 1 } as const;

/** Where the guest wants to be told: guest-linear, in the layout of the caller's ABI. */
interface LinearArea {
  readonly address: bigint;
  readonly wide: boolean;
}

export interface DomainTimeState {
  readonly period: number;
  readonly nextPeriod: number;
  readonly blocked: number;
  readonly entered: number;
  readonly runstateArea: { readonly address: string; readonly wide: boolean } | null;
  readonly timeArea: string | null;
  readonly offset: string;
}

/**
 * The clocks of the domain's one virtual processor. System time is the machine's virtual time: one tick is one
 * nanosecond. Timers are events of the machine; each rings VIRQ_TIMER.
 */
export class DomainTime implements Stateful<DomainTimeState> {
  private period = 0; // ns; 0 while stopped
  private nextPeriod = 0;
  private blockedTime = 0; // ns that the processor halted
  private entered = 0; // when it last began to run
  private runstateArea: LinearArea | undefined;
  private timeArea: bigint | undefined;
  private offset = 0n; // TSC at tick 0, as the guest was last told

  constructor(
    private readonly host: XenHost,
    private readonly memory: DomainMemory,
    /** The wall clock at system time 0: seconds since 1970. */
    private readonly startSeconds: number,
    private readonly ring: () => void,
  ) {}

  /** Writes struct vcpu_time_info into the vcpu_info there (guest-physical), and where the guest asked for a copy. */
  update(vcpuInfo: number | undefined): void {
    this.offset = this.tscOffset();
    if (vcpuInfo !== undefined) {
      const at = vcpuInfo + 32;
      const old = new DataView(this.memory.read(at, 4).slice().buffer).getUint32(0, true);
      this.memory.write(at, this.timeInfo((old & ~1) + 2));
    }
    if (this.timeArea === undefined) return;
    this.writeLinear(this.timeArea, this.timeInfo(2));
  }

  /** As update(), when the guest moved its TSC since it was last told. */
  refresh(vcpuInfo: number | undefined): void {
    if (this.tscOffset() !== this.offset) this.update(vcpuInfo);
  }

  /** What the wall clock of shared_info says: the time at system time 0. */
  wallClock(): { readonly seconds: bigint; readonly nanoseconds: number } {
    return { seconds: BigInt(this.startSeconds), nanoseconds: 0 };
  }

  setSingleShot(tick: number): void {
    this.host.schedule(xenTimerEvent.singleShot, reachable(Math.max(tick, this.host.now())));
  }

  stopSingleShot(): void {
    this.host.cancel(xenTimerEvent.singleShot);
  }

  /** Rings the timer's VIRQ now. */
  expire(): void {
    this.stopSingleShot();
    this.ring();
  }

  /** 0 stops it. */
  setPeriodic(period: number): void {
    this.period = period;
    this.host.cancel(xenTimerEvent.periodic);
    if (period === 0) return;
    this.nextPeriod = reachable(this.host.now() + period);
    this.host.schedule(xenTimerEvent.periodic, this.nextPeriod);
  }

  /** A timer of the domain is due; false when the event is none of them. */
  onEvent(name: string): boolean {
    if (name === xenTimerEvent.singleShot) this.ring();
    else if (name === xenTimerEvent.periodic) {
      this.ring();
      this.nextPeriod = reachable(this.nextPeriod + this.period);
      this.host.schedule(xenTimerEvent.periodic, this.nextPeriod);
    } else return false;
    return true;
  }

  setRunstateArea(address: bigint, wide: boolean): void {
    this.runstateArea = { address, wide };
    this.writeRunstate();
  }

  setTimeArea(address: bigint): void {
    this.timeArea = address;
  }

  /** The processor halted for so many ticks and runs again: the guest sees it in its runstate area. */
  halted(ticks: number): void {
    this.blockedTime += ticks;
    this.entered = this.host.now();
    this.writeRunstate();
  }

  /** struct vcpu_runstate_info now. */
  runstate(wide: boolean): Uint8Array {
    const now = BigInt(this.host.now());
    const bytes = new Uint8Array(RunstateInfo.size(wide));
    RunstateInfo.encodeInto(
      bytes,
      {
        state: RUNSTATE_running,
        state_entry_time: BigInt(this.entered),
        running: now - BigInt(this.blockedTime),
        runnable: 0n,
        blocked: BigInt(this.blockedTime),
        offline: 0n,
      },
      wide,
    );
    return bytes;
  }

  save(): DomainTimeState {
    const { runstateArea: area } = this;
    return {
      period: this.period,
      nextPeriod: this.nextPeriod,
      blocked: this.blockedTime,
      entered: this.entered,
      runstateArea: area === undefined ? null : { address: area.address.toString(), wide: area.wide },
      timeArea: this.timeArea === undefined ? null : this.timeArea.toString(),
      offset: this.offset.toString(),
    };
  }

  /** Pending timers are the machine's to restore. */
  restore(state: DomainTimeState): void {
    this.period = state.period;
    this.nextPeriod = state.nextPeriod;
    this.blockedTime = state.blocked;
    this.entered = state.entered;
    const area = state.runstateArea;
    this.runstateArea = area === null ? undefined : { address: BigInt(area.address), wide: area.wide };
    this.timeArea = state.timeArea === null ? undefined : BigInt(state.timeArea);
    this.offset = BigInt(state.offset);
  }

  private tscOffset(): bigint {
    return BigInt.asUintN(64, this.host.timeStamp() - BigInt(this.host.now()));
  }

  private timeInfo(version: number): Uint8Array {
    const now = this.host.now();
    const bytes = new Uint8Array(TimeInfo.size(true));
    TimeInfo.encodeInto(
      bytes,
      {
        version: version >>> 0,
        pad0: 0,
        tsc_timestamp: BigInt.asUintN(64, this.offset + BigInt(now)),
        system_time: BigInt(now),
        tsc_to_system_mul: tscScale.multiplier,
        tsc_shift: tscScale.shift,
        flags: 0, // no XEN_PVCLOCK_TSC_STABLE_BIT: Xen's own clock source is not the TSC
        pad1: 0,
      },
      true,
    );
    return bytes;
  }

  private writeRunstate(): void {
    if (this.runstateArea === undefined) return;
    this.writeLinear(this.runstateArea.address, this.runstate(this.runstateArea.wide));
  }

  /** Xen tells the guest or not; it does not matter to it. */
  private writeLinear(address: bigint, bytes: Uint8Array): void {
    try {
      this.host.memory.readVirtual(address, bytes.length, true);
      this.host.memory.writeVirtual(address, bytes);
    } catch (error) {
      if (!(error instanceof GuestAddressError)) throw error;
    }
  }
}

export const secondsToTicks = (seconds: number): number => seconds * nanosecondsPerSecond;
