import type { PortDevice, Stateful } from './device.js';

/** Registers by offset; RBR/THR/IER become DLL/DLM while LCR.DLAB is set. National PC16550D table II. */
export const UartRegister = { DATA: 0, IER: 1, IIR_FCR: 2, LCR: 3, MCR: 4, LSR: 5, MSR: 6, SCR: 7 } as const;

/** PC16550D section 8.7, Interrupt Enable Register. */
const Ier = { receive: 1, transmit: 2, lineStatus: 4, modemStatus: 8 } as const;
/** Section 8.6, table IV: interrupt identification, most urgent first. */
const Iir = { none: 1, modemStatus: 0, transmit: 2, receive: 4, lineStatus: 6, timeout: 0xc, fifos: 0xc0 } as const;
/** Section 8.5, FIFO Control Register. */
const Fcr = { enable: 1, clearReceive: 2, clearTransmit: 4 } as const;
/** Section 8.4, Line Status Register. */
const Lsr = { dataReady: 1, overrun: 2, transmitEmpty: 0x60 } as const;
/** Section 8.8, Modem Control Register. */
const Mcr = { dtr: 1, rts: 2, out1: 4, out2: 8, loop: 0x10 } as const;
/** Section 8.9, Modem Status Register: lines in the high half, changes since the last read in the low half. */
const Msr = { cts: 0x10, dsr: 0x20, ring: 0x40, carrier: 0x80 } as const;
const dlab = 0x80;
const fifoBytes = 16;
const triggerLevels = [1, 4, 8, 14] as const;

export interface Uart16550State {
  readonly ier: number;
  readonly lcr: number;
  readonly mcr: number;
  readonly scr: number;
  readonly fcr: number;
  readonly divisor: number;
  readonly msrChanges: number;
  readonly overrun: boolean;
  readonly transmitPending: boolean;
  readonly fifo: readonly number[];
  readonly fifoIsPiped: boolean;
  readonly typed: readonly number[];
  readonly piped: readonly number[];
}

/**
 * 16550A UART. National Semiconductor PC16550D. The line is infinitely fast: a transmitted byte is gone at once, and the
 * character timeout that announces bytes below the trigger level (section 8.11) passes at once. Data set ready, clear
 * to send and carrier are on: a terminal is attached.
 */
export class Uart16550 implements PortDevice, Stateful<Uart16550State> {
  /** A byte left the transmitter. */
  onTransmit: (byte: number) => void = () => undefined;
  /** The interrupt output changed (gated by OUT2, as on a PC). */
  onInterrupt: (asserted: boolean) => void = () => undefined;

  private ier = 0;
  private lcr = 0;
  private mcr = 0;
  private scr = 0;
  private fcr = 0;
  private divisor = 12; // 9600 baud
  private msrChanges = 0;
  private overrun = false;
  private transmitPending = false;
  private fifo: number[] = [];
  private fifoIsPiped = false; // the byte in the FIFO came from `piped`
  private typed: number[] = [];
  private piped: number[] = [];
  private asserted = false;

  /** Bytes as typed: they enter the receive FIFO as soon as there is room. */
  type(bytes: Uint8Array): void {
    this.typed.push(...bytes);
    this.update();
  }

  /**
   * Bytes of a pipe or a file. They enter only while the guest's receive interrupt is enabled, each when the one before
   * was read, so that what the guest sees does not depend on when they came.
   */
  pipe(bytes: Uint8Array): void {
    for (const byte of bytes) this.piped.push(byte);
    this.update();
  }

  /** The next byte for a firmware that drives the port; a pipe's bytes too, for it waits for no interrupt. */
  take(): number | undefined {
    if (this.fifo.length > 0) return this.readData();
    const byte = this.typed.shift() ?? this.piped.shift();
    this.update();
    return byte;
  }

  /** Bytes of the host that the guest has not read yet. */
  get waiting(): number {
    return this.typed.length + this.piped.length + this.fifo.length;
  }

  readPort(port: number): number {
    const R = UartRegister;
    switch (port & 7) {
      case R.DATA:
        return this.isDivisor() ? this.divisor & 0xff : this.readData();
      case R.IER:
        return this.isDivisor() ? this.divisor >> 8 : this.ier;
      case R.IIR_FCR:
        return this.readInterruptIdentification();
      case R.LCR:
        return this.lcr;
      case R.MCR:
        return this.mcr;
      case R.LSR:
        return this.readLineStatus();
      case R.MSR:
        return this.readModemStatus();
      default:
        return this.scr;
    }
  }

  writePort(port: number, _bytes: 1 | 2 | 4, value: number): void {
    const R = UartRegister;
    switch (port & 7) {
      case R.DATA:
        if (this.isDivisor()) this.divisor = (this.divisor & 0xff00) | value;
        else this.transmit(value);
        break;
      case R.IER:
        if (this.isDivisor()) this.divisor = (this.divisor & 0xff) | (value << 8);
        else this.writeInterruptEnable(value);
        break;
      case R.IIR_FCR:
        this.writeFifoControl(value);
        break;
      case R.LCR:
        this.lcr = value;
        break;
      case R.MCR:
        this.writeModemControl(value & 0x1f);
        break;
      case R.SCR:
        this.scr = value;
        break;
      default: // LSR and MSR are read only (8.4: writing LSR is for factory tests)
    }
    this.update();
  }

  save(): Uart16550State {
    const { ier, lcr, mcr, scr, fcr, divisor, msrChanges, overrun, transmitPending, fifoIsPiped } = this;
    const buffers = { fifo: [...this.fifo], typed: [...this.typed], piped: [...this.piped] };
    return { ier, lcr, mcr, scr, fcr, divisor, msrChanges, overrun, transmitPending, fifoIsPiped, ...buffers };
  }

  restore(state: Uart16550State): void {
    Object.assign(this, state, { fifo: [...state.fifo], typed: [...state.typed], piped: [...state.piped] });
    this.asserted = this.interruptOutput(); // the I/O APIC restores its own view of the line
  }

  private isDivisor(): boolean {
    return (this.lcr & dlab) !== 0;
  }

  private fifosEnabled(): boolean {
    return (this.fcr & Fcr.enable) !== 0;
  }

  private capacity(): number {
    return this.fifosEnabled() ? fifoBytes : 1;
  }

  private readData(): number {
    const byte = this.fifo.shift() ?? 0;
    this.fifoIsPiped = false;
    this.updateOutput(); // the output falls with the last byte, before the host's next one raises it again
    this.update();
    return byte;
  }

  private readLineStatus(): number {
    const status = Lsr.transmitEmpty | (this.fifo.length > 0 ? Lsr.dataReady : 0) | (this.overrun ? Lsr.overrun : 0);
    this.overrun = false;
    this.update();
    return status;
  }

  private readModemStatus(): number {
    const status = this.modemLines() | this.msrChanges;
    this.msrChanges = 0;
    this.update();
    return status;
  }

  /** 8.8: in loopback RTS, DTR, OUT1 and OUT2 are CTS, DSR, RI and DCD. */
  private modemLines(): number {
    if ((this.mcr & Mcr.loop) === 0) return Msr.cts | Msr.dsr | Msr.carrier;
    return (
      ((this.mcr & Mcr.rts) !== 0 ? Msr.cts : 0) |
      ((this.mcr & Mcr.dtr) !== 0 ? Msr.dsr : 0) |
      ((this.mcr & Mcr.out1) !== 0 ? Msr.ring : 0) |
      ((this.mcr & Mcr.out2) !== 0 ? Msr.carrier : 0)
    );
  }

  private writeModemControl(value: number): void {
    const before = this.modemLines();
    this.mcr = value;
    const after = this.modemLines();
    const changed = (before ^ after) & (Msr.cts | Msr.dsr | Msr.carrier);
    const ringEnded = before & ~after & Msr.ring; // TERI: only the trailing edge counts
    this.msrChanges |= (changed | ringEnded) >> 4;
  }

  /** Reading IIR while it says so withdraws the transmitter interrupt. Table IV. */
  private readInterruptIdentification(): number {
    const id = this.identification();
    if (id === Iir.transmit) {
      this.transmitPending = false;
      this.update();
    }
    return id | (this.fifosEnabled() ? Iir.fifos : 0);
  }

  private writeInterruptEnable(value: number): void {
    const enabled = value & ~this.ier;
    this.ier = value & 0xf;
    if ((enabled & Ier.transmit) !== 0) this.transmitPending = true; // the holding register is empty
  }

  private writeFifoControl(value: number): void {
    const toggled = ((value ^ this.fcr) & Fcr.enable) !== 0; // 8.5: changing FCR0 clears both FIFOs
    this.fcr = (value & Fcr.enable) === 0 ? 0 : value & 0xc9;
    if (!toggled && (value & Fcr.clearReceive) === 0) return;
    if (this.fifoIsPiped) this.piped.unshift(...this.fifo); // a pipe's byte has not left the pipe before it is read
    this.fifo = [];
    this.fifoIsPiped = false;
  }

  private transmit(byte: number): void {
    this.transmitPending = false;
    this.update(); // the output falls before it rises again: an edge for the I/O APIC
    this.transmitPending = true;
    if ((this.mcr & Mcr.loop) === 0) {
      this.onTransmit(byte);
    } else if (this.fifo.length < this.capacity()) {
      this.fifo.push(byte);
    } else {
      this.overrun = true;
      if (!this.fifosEnabled()) this.fifo = [byte]; // 8.4: without FIFOs the new byte replaces the old one
    }
  }

  /** Table IV, by priority. */
  private identification(): number {
    if ((this.ier & Ier.lineStatus) !== 0 && this.overrun) return Iir.lineStatus;
    if ((this.ier & Ier.receive) !== 0 && this.fifo.length > 0) {
      const trigger = this.fifosEnabled() ? (triggerLevels[this.fcr >> 6] ?? 1) : 1;
      return this.fifo.length >= trigger ? Iir.receive : Iir.timeout;
    }
    if ((this.ier & Ier.transmit) !== 0 && this.transmitPending) return Iir.transmit;
    if ((this.ier & Ier.modemStatus) !== 0 && this.msrChanges !== 0) return Iir.modemStatus;
    return Iir.none;
  }

  private interruptOutput(): boolean {
    // OUT2 gates the interrupt on a PC; in loopback it is disconnected.
    return (this.mcr & (Mcr.out2 | Mcr.loop)) === Mcr.out2 && this.identification() !== Iir.none;
  }

  private fill(): void {
    if ((this.mcr & Mcr.loop) !== 0) return; // 8.8: the receiver's input is disconnected
    while (this.typed.length > 0 && this.fifo.length < this.capacity() && !this.fifoIsPiped) {
      this.fifo.push(this.typed.shift() ?? 0);
    }
    if (this.piped.length > 0 && this.fifo.length === 0 && (this.ier & Ier.receive) !== 0) {
      this.fifo.push(this.piped.shift() ?? 0);
      this.fifoIsPiped = true;
    }
  }

  private update(): void {
    this.fill();
    this.updateOutput();
  }

  private updateOutput(): void {
    const asserted = this.interruptOutput();
    if (asserted === this.asserted) return;
    this.asserted = asserted;
    this.onInterrupt(asserted);
  }
}
