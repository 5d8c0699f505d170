import type { MmioDevice, Stateful } from './device.js';
import type { InterruptMessage } from './local-apic.js';

/** Registers behind the window. Intel 82093AA section 3.2. */
export const IoApicRegister = { ID: 0x00, VERSION: 0x01, ARBITRATION: 0x02, REDIRECTION: 0x10 } as const;
/** The window itself; EOI exists since version 0x20. Intel 82093AA section 3.1, ICH9 datasheet 13.5. */
export const IoApicWindow = { IOREGSEL: 0x00, IOWIN: 0x10, EOI: 0x40 } as const;

export const ioApicPins = 24;
const version = 0x20 | ((ioApicPins - 1) << 16);

/** Low half of a redirection entry. 82093AA section 3.2.4. */
const Entry = {
  deliveryMode: 7 << 8,
  logical: 1 << 11,
  remoteIrr: 1 << 14,
  level: 1 << 15,
  masked: 1 << 16,
  writable: 0x1_afff, // all but delivery status and remote IRR
} as const;

export interface IoApicState {
  readonly select: number;
  readonly id: number;
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly lines: readonly boolean[];
}

/**
 * I/O APIC with 24 pins. Intel 82093AA. Lines are what a device asserts, so the polarity bit is kept and not
 * interpreted: no device here is wired active low.
 */
export class IoApic implements MmioDevice, Stateful<IoApicState> {
  private readonly low = new Uint32Array(ioApicPins).fill(Entry.masked);
  private readonly high = new Uint32Array(ioApicPins);
  private readonly lines: boolean[] = new Array<boolean>(ioApicPins).fill(false);
  private select = 0;
  private id = 0;

  /** `send` delivers to the local APICs and returns whether one of them took the message. */
  constructor(private readonly send: (message: InterruptMessage) => boolean) {}

  /** A device changed its interrupt line. An edge on a masked pin is lost (section 3.2.4, interrupt mask). */
  setLine(pin: number, asserted: boolean): void {
    const rose = asserted && this.lines[pin] === false;
    this.lines[pin] = asserted;
    if (rose || (asserted && this.isLevel(pin))) this.service(pin);
  }

  /** EOI message of a local APIC: level pins with this vector may interrupt again, at once if still asserted. */
  endOfInterrupt(vector: number): void {
    for (let pin = 0; pin < ioApicPins; pin++) {
      const entry = this.low[pin] ?? 0;
      if ((entry & 0xff) !== vector || (entry & Entry.remoteIrr) === 0) continue;
      this.low[pin] = entry & ~Entry.remoteIrr;
      if (this.lines[pin]) this.service(pin);
    }
  }

  readMmio(offset: number, bytes: 1 | 2 | 4): number {
    if (offset === IoApicWindow.IOREGSEL) return this.select;
    if (offset !== IoApicWindow.IOWIN || bytes !== 4) return 0;
    switch (this.select) {
      case IoApicRegister.ID:
      case IoApicRegister.ARBITRATION:
        return this.id << 24;
      case IoApicRegister.VERSION:
        return version;
      default: {
        const index = this.select - IoApicRegister.REDIRECTION;
        if (index < 0 || index >= 2 * ioApicPins) return 0;
        return ((index & 1) === 0 ? this.low[index >> 1] : this.high[index >> 1]) ?? 0;
      }
    }
  }

  writeMmio(offset: number, _bytes: 1 | 2 | 4, value: number): void {
    if (offset === IoApicWindow.IOREGSEL) this.select = value & 0xff;
    else if (offset === IoApicWindow.EOI) this.endOfInterrupt(value & 0xff);
    else if (offset === IoApicWindow.IOWIN) this.writeSelected(value);
  }

  save(): IoApicState {
    return { select: this.select, id: this.id, low: [...this.low], high: [...this.high], lines: [...this.lines] };
  }

  restore(state: IoApicState): void {
    this.select = state.select;
    this.id = state.id;
    this.low.set(state.low);
    this.high.set(state.high);
    state.lines.forEach((asserted, pin) => (this.lines[pin] = asserted));
  }

  private writeSelected(value: number): void {
    if (this.select === IoApicRegister.ID) this.id = (value >>> 24) & 0xf;
    const index = this.select - IoApicRegister.REDIRECTION;
    if (index < 0 || index >= 2 * ioApicPins) return;
    const pin = index >> 1;
    if ((index & 1) === 1) {
      this.high[pin] = value & 0xff00_0000;
      return;
    }
    const kept = (this.low[pin] ?? 0) & Entry.remoteIrr;
    this.low[pin] = (value & Entry.writable) | ((value & Entry.level) === 0 ? 0 : kept); // edge has no remote IRR
    if (this.lines[pin] && this.isLevel(pin)) this.service(pin);
  }

  private isLevel(pin: number): boolean {
    return ((this.low[pin] ?? 0) & Entry.level) !== 0;
  }

  private service(pin: number): void {
    const entry = this.low[pin] ?? 0;
    if ((entry & (Entry.masked | Entry.remoteIrr)) !== 0) return;
    const level = this.isLevel(pin);
    const taken = this.send({
      vector: entry & 0xff,
      deliveryMode: (entry & Entry.deliveryMode) >> 8,
      destination: (this.high[pin] ?? 0) >>> 24,
      logical: (entry & Entry.logical) !== 0,
      level,
    });
    if (level && taken) this.low[pin] = (this.low[pin] ?? 0) | Entry.remoteIrr;
  }
}
