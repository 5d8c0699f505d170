/** The composition root: RAM, processor, devices and firmware as one machine that is booted, run, saved and restored. */
import { BootError, type BootOptions, type BootProtocol } from './boot/boot-protocol.js';
import type { EfiTarget } from './boot/efi.js';
import type { ProcessorArtifacts } from './cpu/artifacts.js';
import type { CompileAfter } from './cpu/hot/tier.js';
import { DEFAULT_TLB_ENTRIES, EmulatedProcessor } from './cpu/processor.js';
import type { Touch } from './cpu/touch.js';
import type { Stop } from './cpu/types.js';
import { digestOf, type Digest } from './digest.js';
import { EventQueue } from './events.js';
import {
  Firmware,
  profiles,
  type CommitVariable,
  type FirmwareEvent,
  type Overrides,
  type Profile,
  type ServiceCall,
  type StoredVariable,
} from './firmware/index.js';
import { firmwareEvent, firmwareHost, watchdogEvent } from './firmware-host.js';
import { machineBus } from './machine-bus.js';
import type { LoadedImage } from './loaders/image.js';
import type { GuestMemory } from './memory/guest-memory.js';
import type { GuestMap } from './memory/guest-map.js';
import { layout } from './memory/layout.js';
import { ProvidedMemory } from './memory/provided.js';
import { Platform } from './platform.js';
import { mapOf, platforms, type PlatformDescription } from './platform-description.js';
import { TypedInput, typedInputEvent, type TypedBytes } from './typed-input.js';
import {
  applySnapshot,
  checkSnapshot,
  SnapshotError,
  takeSnapshot,
  type MachineParts,
  type Snapshot,
} from './snapshot.js';
import { SeededRandom } from './cpu/seeded-random.js';
import { xenDomain, type XenOptions } from './xen-machine.js';
import type { Domain } from './xen/domain.js';
import type { HypercallRecord } from './xen/hypercall.js';

/** How a run ended. docs: the result of `boot --json`. */
export interface Outcome {
  readonly outcome: 'reached' | 'powered-off' | 'exited' | 'reset' | 'halted' | 'panicked' | 'triple-fault' | 'limit';
  readonly reason: string;
  /** EFI status of Exit, when the outcome is `exited`. */
  readonly status?: bigint;
}

export interface MachineOptions {
  readonly artifacts: ProcessorArtifacts;
  /** Guest RAM, bytes: 64 MiB to 3 GiB. */
  readonly memoryBytes: number;
  /** Seed of everything random: RDRAND, the firmware's random numbers. */
  readonly seed?: number;
  /** What the real-time clock shows at the start, seconds since 1970 (UTC). */
  readonly startSeconds?: number;
  readonly tlbEntries?: number;
  /** The guest is a PVH domain of Xen; there is no hypervisor when left out. */
  readonly xen?: XenOptions;
  /** What stands around the processor; `platforms.uart` when left out, `platforms.xen` with `xen`. */
  readonly platform?: PlatformDescription;
  /** When hot code is compiled: after so many entries of a block, 'never', or at random (for tests). */
  readonly compileAfter?: CompileAfter;
  /** The processor knows what it executes: its currentInstruction() and takeCounts(). The guest cannot tell. */
  readonly observing?: boolean;
  /** Which EFI services exist; `proposal` when left out. */
  readonly profile?: Profile;
  readonly overrides?: Overrides;
  /** Poison what the EFI ABI lets a firmware clobber, at each call. */
  readonly strict?: boolean;
  readonly variables?: readonly StoredVariable[];
  /** Makes each change of a non-volatile variable last before SetVariable returns. */
  readonly commitVariable?: CommitVariable;
  /** Called for each firmware call, before the guest goes on. */
  readonly onServiceCall?: (call: ServiceCall) => void;
  /** Called for what else happens between firmware and guest: images that are entered or return, exceptions. */
  readonly onFirmwareEvent?: (event: FirmwareEvent) => void;
  /** Called for each hypercall that was served, before the guest goes on. */
  readonly onHypercall?: (call: HypercallRecord) => void;
  /** Called for each CPUID, RDMSR, WRMSR, port and MMIO access of the guest, when it is done. */
  readonly onTouch?: (touch: Touch) => void;
  readonly log?: (line: string) => void;
}

/** What the restored machine still needs of its caller; everything else is in the snapshot. */
export type RestoreOptions = Omit<
  MachineOptions,
  'memoryBytes' | 'seed' | 'startSeconds' | 'tlbEntries' | 'platform' | 'xen' | 'strict' | 'variables'
>;

const DEFAULT_START = Date.UTC(2026, 0, 1) / 1000;

/** Where input goes and what of it the guest has not read. */
export interface ConsoleDevice {
  type(bytes: Uint8Array): void;
  pipe(bytes: Uint8Array): void;
  readonly waiting: number;
  /** The next byte, for the firmware's console input; absent where the firmware has none. */
  take?(): number | undefined;
}

export class Machine implements EfiTarget, MachineParts {
  readonly processor: EmulatedProcessor;
  readonly platform: Platform;
  readonly memory: GuestMemory;
  readonly firmware: Firmware;
  /** What is typed at the console, with its ticks. */
  readonly typed: TypedInput;
  readonly rsdp: number;
  readonly map: GuestMap;
  /** What lies in guest memory for the guest, since the machine was made. */
  readonly provided = new ProvidedMemory();
  /** What the guest sees of Xen, where it does. */
  readonly xen: Domain | undefined;
  /** Set when the run has ended. */
  outcome: Outcome | undefined;
  /** The guest halted and waits for an interrupt. */
  idle = false;
  /** Console bytes as the guest writes them. */
  onConsole: (byte: number) => void = () => undefined;
  readonly events = new EventQueue();
  readonly random: SeededRandom;
  /** What asks for the processor's attention: the local APIC, and Xen's callback vector around it. */
  private readonly interruptLines = { localApic: false, callback: false };

  constructor(private readonly options: MachineOptions) {
    const log = options.log ?? (() => undefined);
    this.random = new SeededRandom(options.seed ?? 1);
    const description = options.platform ?? (options.xen === undefined ? platforms.uart : platforms.xen);
    const startSeconds = options.startSeconds ?? DEFAULT_START;
    this.processor = new EmulatedProcessor({
      ramBytes: options.memoryBytes,
      ...lowRam(options),
      artifacts: options.artifacts,
      bus: machineBus(this, description, log),
      ...(options.tlbEntries === undefined ? {} : { tlbEntries: options.tlbEntries }),
      ...(options.compileAfter === undefined ? {} : { compileAfter: options.compileAfter }),
      ...(options.observing === undefined ? {} : { observing: options.observing }),
      ...(options.xen === undefined ? {} : { hypercall: 'vmcall' as const }), // the vendor is Intel
      onTouch: options.onTouch,
    });
    this.memory = this.processor.memory;
    this.platform = new Platform(
      {
        now: () => this.processor.ticks,
        schedule: (name, tick) => {
          this.schedule(name, tick);
        },
        cancel: (name) => {
          this.events.cancel(name);
        },
        tscToTicks: (tsc) => this.processor.tscToTicks(tsc),
        setInterruptLine: (asserted) => {
          this.interruptLines.localApic = asserted;
          this.updateInterruptLine();
        },
        powerOff: (reason) => {
          this.end({ outcome: 'powered-off', reason });
        },
        reset: (reason) => {
          this.end({ outcome: 'reset', reason });
        },
        log,
        writeRam: (address, bytes) => {
          this.memory.writePhysical(address, bytes);
        },
        provided: this.provided,
      },
      { startSeconds, description },
    );
    this.rsdp = this.platform.rsdp;
    this.map = mapOf(description);
    const { specialPages } = this.platform;
    if (options.xen !== undefined) {
      if (specialPages === undefined)
        throw new BootError('a guest under Xen wants special pages: platforms.xen has them');
      this.xen = xenDomain(this, specialPages, options.xen, { startSeconds, log });
      this.xen.console.onOutput = (bytes) => {
        for (const byte of bytes) this.onConsole(byte);
      };
      this.xen.onHypercall = options.onHypercall;
    }
    this.typed = new TypedInput({
      now: () => this.processor.ticks,
      idle: () => this.idle,
      schedule: (name, tick) => {
        this.schedule(name, tick);
      },
      deliver: (bytes) => {
        this.consoleDevice?.type(bytes);
      },
    });
    if (this.platform.uart !== undefined) {
      this.platform.uart.onTransmit = (byte) => {
        this.onConsole(byte);
      };
    }
    this.firmware = new Firmware(firmwareHost(this, this.random), {
      ...(options.profile === undefined ? {} : { profile: options.profile }),
      ...(options.overrides === undefined ? {} : { overrides: options.overrides }),
      ...(options.strict === undefined ? {} : { strict: options.strict }),
      ...(options.variables === undefined ? {} : { variables: options.variables }),
      ...(options.commitVariable === undefined ? {} : { commitVariable: options.commitVariable }),
      ...(options.onServiceCall === undefined ? {} : { onCall: options.onServiceCall }),
      ...(options.onFirmwareEvent === undefined ? {} : { onEvent: options.onFirmwareEvent }),
    });
  }

  /** Ticks since the entry: virtual nanoseconds. */
  get ticks(): number {
    return this.processor.ticks;
  }

  /** Instructions retired since the entry. */
  get instructions(): number {
    return this.processor.ticks - this.processor.extraTicks;
  }

  /** Where typed input goes: the serial port, or the console of Xen where there is none. */
  get consoleDevice(): ConsoleDevice | undefined {
    return this.platform.uart ?? this.xen?.console;
  }

  /** Puts an event on the list; a second one of the name moves it. */
  schedule(name: string, tick: number): void {
    this.events.schedule(name, tick);
    this.processor.runNoLaterThan(tick);
  }

  /** Xen's callback vector waits, or no longer does. */
  setCallbackLine(asserted: boolean): void {
    this.interruptLines.callback = asserted;
    this.updateInterruptLine();
  }

  /** Whether an interrupt waits, be the processor ready for it or not. */
  get interruptWaits(): boolean {
    return this.interruptLines.localApic || this.interruptLines.callback;
  }

  private updateInterruptLine(): void {
    this.processor.setInterruptLine(this.interruptWaits);
  }

  /** Lays the image out through a door and puts the processor at its entry. Throws BootError or ImageError. */
  boot(door: BootProtocol<EfiTarget>, image: LoadedImage, options: BootOptions): void {
    this.processor.enter(door.enter(this, image, options));
  }

  /** Bytes as typed on the console, between two runs or during one; `typed.log` has them with their ticks. */
  type(bytes: Uint8Array): void {
    this.typed.type(bytes);
  }

  /** Types what the log of another run says, each entry at its tick: the run becomes the same. Throws InputLogError. */
  replayInput(log: readonly TypedBytes[]): void {
    this.typed.replay(log);
  }

  /** Ends the run at the next instruction boundary; the first reason stands. */
  end(outcome: Outcome): void {
    this.outcome ??= outcome;
    this.processor.requestStop();
  }

  /** Tick of the next timer while the guest is idle; undefined when only input can wake it. */
  idleUntil(): number | undefined {
    return this.events.next === Infinity ? undefined : this.events.next;
  }

  /** The state as data, between two runs; `notes` are plain data of the caller that go with it. */
  save(notes: unknown = null): Snapshot {
    const {
      memoryBytes,
      tlbEntries = DEFAULT_TLB_ENTRIES,
      platform,
      xen,
      overrides = {},
      strict = false,
    } = this.options;
    const configuration = {
      memoryBytes,
      tlbEntries,
      ...(platform && { platform }),
      ...(xen && { xen }),
      profile: this.firmware.profile.name,
      overrides,
      strict,
    };
    return takeSnapshot(this, configuration, notes);
  }

  /**
   * A machine that goes on where the saved one stood: same ticks, same result. Callbacks, breakpoints and the console's
   * listener are the caller's to attach again; piped input that was not read yet is in the snapshot. Give the profile
   * when it is none of efikit's own. Other `overrides` than the saved machine's make a fork: those of services act from
   * here on; what an override decides while memory is laid out (protocols, tables, NULL) stays as it is. Throws SnapshotError.
   */
  static restore(options: RestoreOptions, snapshot: Snapshot): Machine {
    checkSnapshot(snapshot);
    const { memoryBytes, tlbEntries, platform, xen, profile: name, overrides: saved, strict } = snapshot.configuration;
    const profile = options.profile ?? profiles.find((known) => known.name === name);
    if (profile?.name !== name) {
      throw new SnapshotError(`the snapshot was saved under the profile ${name}: give that profile, or none`);
    }
    const machine = new Machine({
      ...options,
      memoryBytes,
      tlbEntries,
      ...(platform && { platform }),
      ...(xen && { xen }),
      profile,
      overrides: options.overrides ?? saved,
      strict,
    });
    applySnapshot(machine, snapshot);
    return machine;
  }

  /** Short values that are equal when two machines are in the same state, between two runs. */
  digest(): Digest {
    return digestOf(this);
  }

  /** Moves an idle guest's time forward to a tick, at most to its next timer. */
  skipTo(tick: number): void {
    const before = this.ticks;
    this.processor.skipTo(Math.min(tick, this.events.next));
    this.xen?.time.halted(this.ticks - before);
  }

  /**
   * Runs for at most `ticks`, or until the guest idles (see `idle`) or the run has ended (see `outcome`). Synchronous;
   * a host calls it in slices and turns its event loop between them.
   */
  run(ticks: number): void {
    const end = this.processor.ticks + ticks;
    this.idle = false;
    while (this.outcome === undefined) {
      const now = this.processor.ticks;
      for (let name = this.events.takeDue(now); name !== undefined; name = this.events.takeDue(now)) {
        if (name === typedInputEvent) this.typed.onEvent();
        else if (name === firmwareEvent) this.firmware.waiting = undefined;
        else if (name === watchdogEvent) this.end({ outcome: 'reset', reason: 'the watchdog timer of EFI ran out' });
        else if (this.xen?.onEvent(name) !== true) this.platform.onEvent(name);
      }
      if (now >= end) return;
      if (this.isWaitingInFirmware()) {
        this.idle = true;
        return;
      }
      const stop: Stop = this.processor.run(Math.min(end, this.events.next));
      if (stop === 'shutdown') this.end({ outcome: 'triple-fault', reason: this.describeShutdown() });
      else if (stop === 'halted' && this.events.next > this.processor.ticks) {
        if ((this.processor.registers.rflags & 0x200n) === 0n && this.xen?.isWaiting !== true) {
          this.xen?.haltedForGood();
          this.end({
            outcome: 'halted',
            reason: `HLT with interrupts disabled at RIP ${hex(this.processor.registers.rip)}`,
          });
        }
        this.idle = true;
        return;
      } else if (stop === 'requested') return;
    }
  }

  /** Whether the guest is in WaitForEvent and what it waits for has not come. */
  private isWaitingInFirmware(): boolean {
    const { waiting } = this.firmware;
    if (waiting === undefined) return false;
    if (!waiting.input || (this.consoleDevice?.waiting ?? 0) === 0) return true;
    this.firmware.waiting = undefined;
    this.events.cancel(firmwareEvent);
    return false;
  }

  private describeShutdown(): string {
    const { rip, cr2 } = this.processor.registers;
    return `triple fault at RIP ${hex(rip)}, CR2 ${hex(cr2)}`;
  }
}

/** What of RAM lies below 4 GiB, where that is not all. Throws BootError. */
function lowRam({ memoryBytes, overrides }: MachineOptions): { readonly lowRamBytes?: number } {
  const lowRamBytes = overrides?.['memory:below-4g'];
  if (lowRamBytes === undefined) return {};
  if (lowRamBytes % 4096 === 0 && lowRamBytes >= layout.highMemoryStart && lowRamBytes < memoryBytes)
    return { lowRamBytes };
  throw new BootError(
    `${String(lowRamBytes)} bytes of RAM below 4 GiB: give a multiple of 4096, at least 1 MiB and less than the ${String(memoryBytes)} bytes that the machine has`,
  );
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
