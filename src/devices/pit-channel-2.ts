import { ticksPerSecond } from './clock.js';
import type { DeviceHost, PortDevice, Stateful } from './device.js';
import { ports } from './ports.js';

const pitHz = 1_193_182; // 14.31818 MHz / 12
const ticksPerRefreshToggle = 15_000; // port 0x61 bit 4, about 15 us on a PC/AT

export interface PitChannel2State {
  readonly mode: number;
  readonly reload: number;
  readonly started: number;
  readonly lowByte: number;
  readonly writeHigh: boolean;
  readonly readHigh: boolean;
  readonly latched: number;
  readonly control: number;
}

/**
 * Counter 2 of the 8254 with its gate and output at port 0x61: what a guest measures a clock with. Intel 8254
 * datasheet, IBM PC/AT technical reference. Counters 0 and 1 do not exist (no interrupt 0, no refresh) and read 0.
 * Modes 2 and 3 count as mode 2; others as mode 0. Binary, two bytes per access, as every calibration loop uses it.
 */
export class PitChannel2 implements PortDevice, Stateful<PitChannel2State> {
  private mode = 0;
  private reload = 0x1_0000;
  private started = -1; // tick at which counting began, -1 while it does not count
  private lowByte = 0;
  private writeHigh = false;
  private readHigh = false;
  private latched = -1;
  private control = 0;

  constructor(private readonly host: Pick<DeviceHost, 'now'>) {}

  readPort(port: number): number {
    if (port === ports.systemControlB) return this.readControl();
    return port === ports.pit + 2 ? this.readCount() : 0;
  }

  writePort(port: number, _bytes: 1 | 2 | 4, value: number): void {
    if (port === ports.systemControlB) {
      const gateRises = (value & 1) !== 0 && (this.control & 1) === 0;
      this.control = value & 3;
      if (gateRises && this.started < 0) this.started = this.host.now();
    } else if (port === ports.pit + 3) {
      this.writeCommand(value);
    } else if (port === ports.pit + 2) {
      this.writeCount(value);
    }
  }

  save(): PitChannel2State {
    const { mode, reload, started, lowByte, writeHigh, readHigh, latched, control } = this;
    return { mode, reload, started, lowByte, writeHigh, readHigh, latched, control };
  }

  restore(state: PitChannel2State): void {
    Object.assign(this, state);
  }

  /** Control word: counter in bits 6-7, access in bits 4-5 (0 latches), mode in bits 1-3. */
  private writeCommand(value: number): void {
    if (value >> 6 !== 2) return;
    if ((value & 0x30) === 0) {
      if (this.latched < 0) this.latched = this.count();
      return;
    }
    this.mode = (value >> 1) & 3;
    this.writeHigh = false;
    this.readHigh = false;
    this.latched = -1;
    this.started = -1;
  }

  private writeCount(value: number): void {
    this.writeHigh = !this.writeHigh;
    if (this.writeHigh) {
      this.lowByte = value;
      return;
    }
    this.reload = this.lowByte | (value << 8) || 0x1_0000;
    this.started = (this.control & 1) !== 0 ? this.host.now() : -1;
  }

  private readCount(): number {
    const count = this.latched >= 0 ? this.latched : this.count();
    this.readHigh = !this.readHigh;
    if (this.readHigh) return count & 0xff;
    this.latched = -1;
    return count >> 8;
  }

  private elapsed(): number {
    return this.started < 0 ? 0 : Math.floor(((this.host.now() - this.started) * pitHz) / ticksPerSecond);
  }

  private count(): number {
    const elapsed = this.elapsed();
    const remaining = this.mode >= 2 ? this.reload - (elapsed % this.reload) : this.reload - elapsed;
    return remaining & 0xffff; // mode 0 goes on counting below 0
  }

  /** Bit 5 is the counter's output, bit 4 toggles with the refresh; bits 6 and 7 would report an NMI. */
  private readControl(): number {
    const output = this.mode === 0 && this.started >= 0 && this.elapsed() >= this.reload;
    const refresh = Math.floor(this.host.now() / ticksPerRefreshToggle) & 1;
    return this.control | (refresh << 4) | (output ? 0x20 : 0);
  }
}
