import type { PortDevice } from './device.js';
import { ports, xenAcpiPorts } from './ports.js';

/** A device's place on the I/O bus: ports `first` to `first + count - 1`. */
export interface PortRange {
  readonly name: string;
  readonly first: number;
  readonly count: number;
  readonly device: PortDevice;
  /** Registers are bytes: a wider access becomes one access to each byte, lowest first. */
  readonly split?: boolean;
}

/** What guests look for at ports and does not exist, so that the log can name it. */
export type AbsentDevices = readonly (readonly [name: string, first: number, count: number])[];

/** Devices of a PC that the small PC lacks. */
export const absentOnPc: AbsentDevices = [
  ['8237 DMA controller', 0x00, 0x10],
  ['8259 interrupt controller', 0x20, 2],
  ['keyboard controller data', 0x60, 1],
  ['POST code display', 0x80, 1],
  ['DMA page registers', 0x81, 0xf],
  ['system control port A', 0x92, 1],
  ['8259 interrupt controller', 0xa0, 2],
  ['COM4', 0x2e8, 8],
  ['COM2', 0x2f8, 8],
  ['VGA', 0x3b0, 0x30],
  ['COM3', 0x3e8, 8],
  ['PCI configuration', 0xcf8, 8],
];

/** What a PVH domain of Xen lacks besides: all of the small PC's, and the fixed hardware that its ACPI tables name. */
export const absentUnderXen: AbsentDevices = [
  ...absentOnPc,
  ['8254 timer', ports.pit, ports.pitBytes],
  ['system control port B', ports.systemControlB, 1],
  ['keyboard controller', ports.keyboardController, 1],
  ['RTC', ports.rtc, ports.rtcBytes],
  ['COM1', ports.com1, ports.com1Bytes],
  ['8259 edge and level control', 0x4d0, 2],
  ['processors that are online, ACPI', 0xaf00, 0x20],
  ['GPE0 block, ACPI', xenAcpiPorts.gpe0, xenAcpiPorts.gpe0Bytes],
  ['PM1 event block, ACPI', xenAcpiPorts.pm1Event, xenAcpiPorts.pm1EventBytes],
  ['PM1 control block, ACPI', xenAcpiPorts.pm1Control, xenAcpiPorts.pm1ControlBytes],
  ['PM timer, ACPI', xenAcpiPorts.pmTimer, 4],
];

/** Called once for each port at which nothing answers, with a line for the log. */
export type AbsentPortLog = (port: number, line: string) => void;

/**
 * The I/O bus: which device answers at which port. An empty port reads as all ones, as a bus without a driver does,
 * and swallows writes.
 */
export class PortMap implements PortDevice {
  private readonly byPort = new Map<number, PortRange>();
  private readonly logged = new Set<number>();

  /** Throws RangeError when two devices claim a port: the composition of the machine is wrong. */
  constructor(
    ranges: readonly PortRange[],
    private readonly logAbsent: AbsentPortLog = () => undefined,
    private readonly absentDevices: AbsentDevices = absentOnPc,
  ) {
    for (const range of ranges) {
      for (let port = range.first; port < range.first + range.count; port++) {
        const other = this.byPort.get(port);
        if (other !== undefined) {
          throw new RangeError(
            `I/O port 0x${port.toString(16)} is claimed by ${other.name} and by ${range.name}; give one of them another range`,
          );
        }
        this.byPort.set(port, range);
      }
    }
  }

  readPort(port: number, bytes: 1 | 2 | 4): number {
    const range = this.byPort.get(port);
    if (range === undefined) {
      this.absent(port, 'read');
      return bytes === 4 ? 0xffff_ffff : bytes === 2 ? 0xffff : 0xff;
    }
    if (bytes === 1 || range.split !== true) return range.device.readPort(port, bytes) >>> 0;
    let value = 0;
    for (let index = 0; index < bytes; index++) value |= this.readPort((port + index) & 0xffff, 1) << (8 * index);
    return value >>> 0;
  }

  writePort(port: number, bytes: 1 | 2 | 4, value: number): void {
    const range = this.byPort.get(port);
    if (range === undefined) {
      this.absent(port, 'write');
    } else if (bytes === 1 || range.split !== true) {
      range.device.writePort(port, bytes, bytes === 1 ? value & 0xff : value);
    } else {
      for (let index = 0; index < bytes; index++) {
        this.writePort((port + index) & 0xffff, 1, (value >>> (8 * index)) & 0xff);
      }
    }
  }

  /** The devices and their ports, in the order of their addresses: for listings. */
  ranges(): readonly PortRange[] {
    return [...new Set(this.byPort.values())].sort((a, b) => a.first - b.first);
  }

  /** The ports that were logged, so that a restored machine does not log them again. */
  save(): readonly number[] {
    return [...this.logged];
  }

  restore(logged: readonly number[]): void {
    this.logged.clear();
    for (const port of logged) this.logged.add(port);
  }

  private absent(port: number, access: 'read' | 'write'): void {
    if (this.logged.has(port)) return;
    this.logged.add(port);
    const known = this.absentDevices.find(([, first, count]) => port >= first && port < first + count);
    const name = known === undefined ? '' : ` (${known[0]})`;
    this.logAbsent(port, `${access} of I/O port 0x${port.toString(16)}${name}: nothing is there`);
  }
}
