/** The devices of the small PC beside the local APIC, wired together. */
import { AcpiSleep } from './acpi-sleep.js';
import type { DeviceHost, Stateful } from './device.js';
import { IoApic, type IoApicState } from './io-apic.js';
import type { InterruptMessage } from './local-apic.js';
import { PitChannel2, type PitChannel2State } from './pit-channel-2.js';
import type { PortRange } from './port-map.js';
import { com1Interrupt, ports } from './ports.js';
import { ResetPorts } from './reset-ports.js';
import { RtcCmos, type RtcCmosState } from './rtc-cmos.js';
import { Uart16550, type Uart16550State } from './uart-16550.js';

export interface PcHost extends DeviceHost {
  /** An interrupt message of the I/O APIC; returns whether it was for a processor. */
  message(message: InterruptMessage): boolean;
  powerOff(reason: string): void;
  reset(reason: string): void;
  log(line: string): void;
}

export interface PcState {
  readonly ioApic: IoApicState;
  readonly uart: Uart16550State;
  readonly pit: PitChannel2State;
  readonly rtc: RtcCmosState;
  readonly reset: { readonly control: number };
}

/** The port ranges of each device that can be taken out (MachinePart). */
const portsOf: Readonly<Record<string, readonly string[]>> = {
  uart: ['COM1'],
  pit: ['PIT', 'system control port B'],
  rtc: ['RTC'],
  keyboard: ['keyboard controller'],
  sleep: ['sleep control', 'sleep status'],
  reset: ['reset control'],
};

export class PcDevices implements Stateful<PcState> {
  readonly ioApic: IoApic;
  readonly uart = new Uart16550();
  readonly portRanges: readonly PortRange[];
  private readonly pit: PitChannel2;
  private readonly rtc: RtcCmos;
  private readonly reset: ResetPorts;

  /**
   * `startSeconds`: what the real-time clock shows at tick 0, seconds since 1970 (UTC). `without`: devices whose ports
   * nothing answers at, by the keys of `portsOf`.
   */
  constructor(host: PcHost, startSeconds: number, without: readonly string[] = []) {
    this.ioApic = new IoApic((message) => host.message(message));
    this.uart.onInterrupt = (asserted) => {
      this.ioApic.setLine(com1Interrupt, asserted);
    };
    this.pit = new PitChannel2(host);
    this.rtc = new RtcCmos(host, startSeconds);
    const reset = (this.reset = new ResetPorts(() => {
      host.reset('reset port');
    }));
    const sleep = new AcpiSleep(() => {
      host.powerOff('ACPI sleep register (S5)');
    });
    sleep.onUnsupported = (what) => {
      host.log(what);
    };
    const all: readonly PortRange[] = [
      { name: 'PIT', first: ports.pit, count: ports.pitBytes, device: this.pit, split: true },
      { name: 'system control port B', first: ports.systemControlB, count: 1, device: this.pit },
      { name: 'keyboard controller', first: ports.keyboardController, count: 1, device: reset },
      { name: 'RTC', first: ports.rtc, count: ports.rtcBytes, device: this.rtc, split: true },
      { name: 'COM1', first: ports.com1, count: ports.com1Bytes, device: this.uart, split: true },
      { name: 'sleep control', first: ports.sleepControl, count: 1, device: sleep },
      { name: 'sleep status', first: ports.sleepStatus, count: 1, device: sleep },
      { name: 'reset control', first: ports.resetControl, count: 1, device: reset },
    ];
    const gone = without.flatMap((part) => portsOf[part] ?? []);
    this.portRanges = all.filter(({ name }) => !gone.includes(name));
  }

  save(): PcState {
    return {
      ioApic: this.ioApic.save(),
      uart: this.uart.save(),
      pit: this.pit.save(),
      rtc: this.rtc.save(),
      reset: this.reset.save(),
    };
  }

  restore(state: PcState): void {
    this.ioApic.restore(state.ioApic);
    this.uart.restore(state.uart);
    this.pit.restore(state.pit);
    this.rtc.restore(state.rtc);
    this.reset.restore(state.reset);
  }
}
