/** The devices of the machine and how they are wired: the port map, the MMIO windows, interrupts, reset and power. */
import type { DeviceHost, MmioDevice, Stateful } from './devices/device.js';
import { LocalApic, type LocalApicState } from './devices/local-apic.js';
import { localApicTimerEvent } from './devices/local-apic-timer.js';
import { Mtrr, type MtrrState } from './devices/mtrr.js';
import { PAGE_BYTES, PageMemory, type PageMemoryState } from './devices/page-memory.js';
import { PcDevices, type PcState } from './devices/pc-devices.js';
import { readPlatformMsr, writePlatformMsr } from './devices/platform-msrs.js';
import { absentOnPc, absentUnderXen, PortMap } from './devices/port-map.js';
import { SpecialPages } from './devices/special-pages.js';
import type { Uart16550 } from './devices/uart-16550.js';
import { layout } from './memory/layout.js';
import type { ProvidedMemory } from './memory/provided.js';
import { acpiTablesOf, platforms, type MachinePart, type PlatformDescription } from './platform-description.js';

/** What the platform needs of the machine. */
export interface PlatformHost extends DeviceHost {
  tscToTicks(tsc: bigint): number;
  setInterruptLine(asserted: boolean): void;
  powerOff(reason: string): void;
  reset(reason: string): void;
  log(line: string): void;
  /** Stores bytes in guest RAM. */
  writeRam(address: number, bytes: Uint8Array): void;
  /** Is told of the ACPI tables. */
  readonly provided?: ProvidedMemory;
}

export interface PlatformOptions {
  /** What the real-time clock shows at tick 0: seconds since 1970, UTC. Never the host's clock, so that runs repeat. */
  readonly startSeconds: number;
  /** `platforms.uart` when left out. */
  readonly description?: PlatformDescription;
}

/** State of all devices as plain JSON data; what a platform lacks is absent. */
export interface PlatformState extends Partial<PcState> {
  readonly localApic: LocalApicState;
  readonly specialPages?: PageMemoryState;
  readonly acpiPages?: PageMemoryState;
  readonly mtrr?: MtrrState;
  /** Ports and MMIO pages that are empty and were logged. */
  readonly logged: { readonly ports: readonly number[]; readonly mmio: readonly number[] };
}

interface Window {
  readonly device: MmioDevice;
  readonly base: number; // guest-physical, of the device
}

export class Platform implements Stateful<PlatformState> {
  readonly localApic: LocalApic;
  readonly ports: PortMap;
  /** The serial port, where the platform has one. */
  readonly uart: Uart16550 | undefined;
  /** Xen's special pages, where the platform has them. */
  readonly specialPages: SpecialPages | undefined;
  /** Guest-physical address of the RSDP. */
  readonly rsdp: number;
  private readonly pc: PcDevices | undefined;
  private readonly mtrr: Mtrr | undefined;
  /** The ACPI tables, where they do not lie in RAM. */
  readonly acpiPages: PageMemory | undefined;
  /** By the guest-physical address of each page; the local APIC's moves. */
  private readonly windows = new Map<number, Window>();
  private readonly emptyMmio = new Set<number>();

  constructor(
    private readonly host: PlatformHost,
    options: PlatformOptions,
  ) {
    const { startSeconds } = options;
    const description: PlatformDescription = options.description ?? platforms.uart;
    this.localApic = new LocalApic(host, { x2apic: description.x2apic });
    this.localApic.onLineChange = (asserted) => {
      host.setInterruptLine(asserted);
    };
    this.localApic.onUnsupported = (what) => {
      host.log(what);
    };
    if (description.devices === 'uart') this.pc = this.pcDevices(startSeconds, description.without ?? []);
    else this.acpiPages = this.pages(new PageMemory(layout.xenAcpi, Math.ceil(layout.xenAcpiBytes / PAGE_BYTES)));
    this.uart = this.pc?.uart;
    if (description.mtrr) this.mtrr = new Mtrr();
    if (description.specialPages) this.specialPages = this.pages(new SpecialPages());
    const tables = acpiTablesOf(description);
    this.rsdp = tables.rsdp;
    for (const structure of tables.structures) host.provided?.add(structure);
    if (this.acpiPages === undefined) host.writeRam(tables.address, tables.bytes);
    else this.acpiPages.write(tables.address, tables.bytes);
    this.ports = new PortMap(
      this.pc?.portRanges ?? [],
      (_port, line) => {
        host.log(line);
      },
      description.devices === 'uart' ? absentOnPc : absentUnderXen,
    );
  }

  /** An event that a device scheduled is due. */
  onEvent(name: string): void {
    if (name === localApicTimerEvent) this.localApic.onEvent();
    else throw new Error(`no device owns the event ${name}`);
  }

  readMsr(index: number): bigint | undefined {
    return this.localApic.readMsr(index) ?? this.mtrr?.readMsr(index) ?? readPlatformMsr(index);
  }

  writeMsr(index: number, value: bigint): boolean {
    return (
      this.localApic.writeMsr(index, value) || this.mtrr?.writeMsr(index, value) === true || writePlatformMsr(index)
    );
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

  private windowOf(address: number): Window | undefined {
    const page = address - (address % PAGE_BYTES);
    if (page === this.localApic.address) return { device: this.localApic, base: page };
    const window = this.windows.get(page);
    if (window === undefined && !this.emptyMmio.has(page)) {
      this.emptyMmio.add(page);
      this.host.log(`nothing answers at guest-physical 0x${page.toString(16)}; reads give all ones`);
    }
    return window;
  }

  private pcDevices(startSeconds: number, without: readonly MachinePart[]): PcDevices {
    const { host, localApic } = this;
    const pc = new PcDevices(
      {
        now: () => host.now(),
        schedule: (name, tick) => {
          host.schedule(name, tick);
        },
        cancel: (name) => {
          host.cancel(name);
        },
        message: (message) => localApic.message(message),
        powerOff: (reason) => {
          host.powerOff(reason);
        },
        reset: (reason) => {
          host.reset(reason);
        },
        log: (line) => {
          host.log(line);
        },
      },
      startSeconds,
      without,
    );
    if (without.includes('io-apic')) return pc;
    localApic.onEndOfInterrupt = (vector) => {
      pc.ioApic.endOfInterrupt(vector);
    };
    this.windows.set(layout.ioApic, { device: pc.ioApic, base: layout.ioApic });
    return pc;
  }

  private pages<Pages extends PageMemory>(memory: Pages): Pages {
    const window = { device: memory, base: memory.address };
    for (let n = 0; n < memory.pages; n++) this.windows.set(memory.address + n * PAGE_BYTES, window);
    return memory;
  }

  save(): PlatformState {
    return {
      localApic: this.localApic.save(),
      ...this.pc?.save(),
      ...(this.specialPages && { specialPages: this.specialPages.save() }),
      ...(this.acpiPages && { acpiPages: this.acpiPages.save() }),
      ...(this.mtrr && { mtrr: this.mtrr.save() }),
      logged: { ports: this.ports.save(), mmio: [...this.emptyMmio] },
    };
  }

  /** Takes up a saved state of the same platform. Pending events are the machine's to restore. */
  restore(state: PlatformState): void {
    this.localApic.restore(state.localApic);
    this.pc?.restore(state as PcState);
    this.specialPages?.restore(state.specialPages ?? {});
    this.acpiPages?.restore(state.acpiPages ?? {});
    this.mtrr?.restore(state.mtrr ?? {});
    this.ports.restore(state.logged.ports);
    this.emptyMmio.clear();
    for (const page of state.logged.mmio) this.emptyMmio.add(page);
  }
}
