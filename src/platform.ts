/** The devices of the machine and how they are wired: the port map, the MMIO windows, interrupts, reset and power. */
import { AcpiSleep } from './devices/acpi-sleep.js';
import type { DeviceHost, MmioDevice, Stateful } from './devices/device.js';
import { IoApic, type IoApicState } from './devices/io-apic.js';
import { LocalApic, type LocalApicState } from './devices/local-apic.js';
import { localApicTimerEvent } from './devices/local-apic-timer.js';
import { PitChannel2, type PitChannel2State } from './devices/pit-channel-2.js';
import { readPlatformMsr, writePlatformMsr } from './devices/platform-msrs.js';
import { PortMap } from './devices/port-map.js';
import { com1Interrupt, ports } from './devices/ports.js';
import { ResetPorts } from './devices/reset-ports.js';
import { RtcCmos, type RtcCmosState } from './devices/rtc-cmos.js';
import { Uart16550, type Uart16550State } from './devices/uart-16550.js';
import { layout } from './memory/layout.js';

const WINDOW = 4096;

/** What the platform needs of the machine. */
export interface PlatformHost extends DeviceHost {
  tscToTicks(tsc: bigint): number;
  setInterruptLine(asserted: boolean): void;
  powerOff(reason: string): void;
  reset(reason: string): void;
  log(line: string): void;
}

export interface PlatformOptions {
  /** What the real-time clock shows at tick 0: seconds since 1970, UTC. Never the host's clock, so that runs repeat. */
  readonly startSeconds: number;
}

/** State of all devices as plain JSON data. */
export interface PlatformState {
  readonly localApic: LocalApicState;
  readonly ioApic: IoApicState;
  readonly uart: Uart16550State;
  readonly pit: PitChannel2State;
  readonly rtc: RtcCmosState;
  readonly reset: { readonly control: number };
  /** Ports and MMIO pages that are empty and were logged. */
  readonly logged: { readonly ports: readonly number[]; readonly mmio: readonly number[] };
}

export class Platform implements Stateful<PlatformState> {
  readonly localApic: LocalApic;
  readonly ioApic: IoApic;
  readonly uart = new Uart16550();
  readonly ports: PortMap;
  private readonly pit: PitChannel2;
  private readonly rtc: RtcCmos;
  private readonly reset: ResetPorts;
  private readonly emptyMmio = new Set<number>();

  constructor(
    private readonly host: PlatformHost,
    options: PlatformOptions,
  ) {
    this.localApic = new LocalApic(host);
    this.ioApic = new IoApic((message) => this.localApic.message(message));
    this.localApic.onEndOfInterrupt = (vector) => {
      this.ioApic.endOfInterrupt(vector);
    };
    this.localApic.onLineChange = (asserted) => {
      host.setInterruptLine(asserted);
    };
    this.localApic.onUnsupported = (what) => {
      host.log(what);
    };
    this.uart.onInterrupt = (asserted) => {
      this.ioApic.setLine(com1Interrupt, asserted);
    };
    this.pit = new PitChannel2(host);
    this.rtc = new RtcCmos(host, options.startSeconds);
    const reset = (this.reset = new ResetPorts(() => {
      host.reset('reset port');
    }));
    const sleep = new AcpiSleep(() => {
      host.powerOff('ACPI sleep register (S5)');
    });
    sleep.onUnsupported = (what) => {
      host.log(what);
    };
    this.ports = new PortMap(
      [
        { name: 'PIT', first: ports.pit, count: ports.pitBytes, device: this.pit, split: true },
        { name: 'system control port B', first: ports.systemControlB, count: 1, device: this.pit },
        { name: 'keyboard controller', first: ports.keyboardController, count: 1, device: reset },
        { name: 'RTC', first: ports.rtc, count: ports.rtcBytes, device: this.rtc, split: true },
        { name: 'COM1', first: ports.com1, count: ports.com1Bytes, device: this.uart, split: true },
        { name: 'sleep control', first: ports.sleepControl, count: 1, device: sleep },
        { name: 'sleep status', first: ports.sleepStatus, count: 1, device: sleep },
        { name: 'reset control', first: ports.resetControl, count: 1, device: reset },
      ],
      (_port, line) => {
        host.log(line);
      },
    );
  }

  /** An event that a device scheduled is due. */
  onEvent(name: string): void {
    if (name === localApicTimerEvent) this.localApic.onEvent();
    else throw new Error(`no device owns the event ${name}`);
  }

  readMsr(index: number): bigint | undefined {
    return this.localApic.readMsr(index) ?? readPlatformMsr(index);
  }

  writeMsr(index: number, value: bigint): boolean {
    return this.localApic.writeMsr(index, value) || writePlatformMsr(index);
  }

  /** A guest-physical load outside RAM; nothing there reads as all ones. */
  readMmio(address: number, bytes: 1 | 2 | 4): number {
    const window = this.windowOf(address);
    if (window !== undefined) return window.device.readMmio(address - window.base, bytes);
    return bytes === 4 ? 0xffff_ffff : (1 << (8 * bytes)) - 1;
  }

  writeMmio(address: number, bytes: 1 | 2 | 4, value: number): void {
    const window = this.windowOf(address);
    window?.device.writeMmio(address - window.base, bytes, value);
  }

  private windowOf(address: number): { device: MmioDevice; base: number } | undefined {
    const page = address - (address % WINDOW);
    if (page === this.localApic.address) return { device: this.localApic, base: page };
    if (page === layout.ioApic) return { device: this.ioApic, base: page };
    if (!this.emptyMmio.has(page)) {
      this.emptyMmio.add(page);
      this.host.log(`nothing answers at guest-physical 0x${page.toString(16)}; reads give all ones`);
    }
    return undefined;
  }

  save(): PlatformState {
    return {
      localApic: this.localApic.save(),
      ioApic: this.ioApic.save(),
      uart: this.uart.save(),
      pit: this.pit.save(),
      rtc: this.rtc.save(),
      reset: this.reset.save(),
      logged: { ports: this.ports.save(), mmio: [...this.emptyMmio] },
    };
  }

  /** Takes up a saved state. Pending events are the machine's to restore. */
  restore(state: PlatformState): void {
    this.localApic.restore(state.localApic);
    this.ioApic.restore(state.ioApic);
    this.uart.restore(state.uart);
    this.pit.restore(state.pit);
    this.rtc.restore(state.rtc);
    this.reset.restore(state.reset);
    this.ports.restore(state.logged.ports);
    this.emptyMmio.clear();
    for (const page of state.logged.mmio) this.emptyMmio.add(page);
  }
}
