import { ticksPerSecond } from './clock.js';
import type { DeviceHost, PortDevice, Stateful } from './device.js';

/** Register indices. Motorola MC146818A figure 11; the century byte is where PC firmware keeps it. */
const Register = {
  seconds: 0,
  minutes: 2,
  hours: 4,
  weekday: 6,
  day: 7,
  month: 8,
  year: 9,
  A: 0xa,
  B: 0xb,
  C: 0xc,
  D: 0xd,
  century: 0x32,
} as const;

const registerA = 0x26; // 32,768 Hz time base, 1,024 Hz rate; UIP is never seen set: updates take no time
const registerB = 0x02; // 24 hours, BCD, no interrupts
const registerD = 0x80; // the battery is good

export interface RtcCmosState {
  readonly index: number;
  readonly offset: number;
  readonly memory: readonly number[];
}

/**
 * Real-time clock and CMOS memory. Motorola MC146818A. The time is that of the machine: `startSeconds` at tick 0, never
 * the host's clock. Alarms and interrupts do not exist; the time can be read, not set.
 */
export class RtcCmos implements PortDevice, Stateful<RtcCmosState> {
  private index = 0;
  private readonly memory = new Uint8Array(128);

  /** `startSeconds`: seconds since 1970-01-01 00:00 UTC at tick 0. */
  constructor(
    private readonly host: Pick<DeviceHost, 'now'>,
    private startSeconds: number,
  ) {}

  readPort(port: number): number {
    return (port & 1) === 0 ? 0xff : this.read(); // the index register is write only
  }

  writePort(port: number, _bytes: 1 | 2 | 4, value: number): void {
    if ((port & 1) === 0)
      this.index = value & 0x7f; // bit 7 masks the NMI, which this machine lacks
    else if (this.index > Register.D) this.memory[this.index] = value;
  }

  save(): RtcCmosState {
    return { index: this.index, offset: this.startSeconds, memory: [...this.memory] };
  }

  restore(state: RtcCmosState): void {
    this.index = state.index;
    this.startSeconds = state.offset;
    this.memory.set(state.memory);
  }

  private read(): number {
    const time = new Date((this.startSeconds + Math.floor(this.host.now() / ticksPerSecond)) * 1000);
    switch (this.index) {
      case Register.seconds:
        return bcd(time.getUTCSeconds());
      case Register.minutes:
        return bcd(time.getUTCMinutes());
      case Register.hours:
        return bcd(time.getUTCHours());
      case Register.weekday:
        return time.getUTCDay() + 1;
      case Register.day:
        return bcd(time.getUTCDate());
      case Register.month:
        return bcd(time.getUTCMonth() + 1);
      case Register.year:
        return bcd(time.getUTCFullYear() % 100);
      case Register.century:
        return bcd(Math.floor(time.getUTCFullYear() / 100));
      case Register.A:
        return registerA;
      case Register.B:
        return registerB;
      case Register.C:
        return 0;
      case Register.D:
        return registerD;
      default:
        return this.memory[this.index] ?? 0;
    }
  }
}

function bcd(value: number): number {
  return (Math.floor(value / 10) << 4) | (value % 10);
}
