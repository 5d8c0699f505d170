/** The composition root: RAM, processor, devices and firmware as one machine that is booted, run, saved and restored. */
import { BootError, type BootOptions, type BootProtocol } from './boot/boot-protocol.js';
import type { EfiTarget } from './boot/efi.js';
import type { ProcessorArtifacts } from './cpu/artifacts.js';
import { cpuid } from './cpu/cpuid.js';
import type { CompileAfter } from './cpu/hot/tier.js';
import { DEFAULT_TLB_ENTRIES, EmulatedProcessor } from './cpu/processor.js';
import type { ProcessorBus, Stop } from './cpu/types.js';
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
import { firmwareHost } from './firmware-host.js';
import type { LoadedImage } from './loaders/image.js';
import type { GuestMemory } from './memory/guest-memory.js';
import type { GuestMap } from './memory/guest-map.js';
import { layout } from './memory/layout.js';
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
  /** What stands around the processor; `platforms.uart` when left out. */
  readonly platform?: PlatformDescription;
  /** When hot code is compiled: after so many entries of a block, 'never', or at random (for tests). */
  readonly compileAfter?: CompileAfter;
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
  readonly log?: (line: string) => void;
}

/** What the restored machine still needs of its caller; everything else is in the snapshot. */
export type RestoreOptions = Omit<
  MachineOptions,
  'memoryBytes' | 'seed' | 'startSeconds' | 'tlbEntries' | 'platform' | 'overrides' | 'strict' | 'variables'
>;

const DEFAULT_START = Date.UTC(2026, 0, 1) / 1000;

export class Machine implements EfiTarget, MachineParts {
  readonly processor: EmulatedProcessor;
  readonly platform: Platform;
  readonly memory: GuestMemory;
  readonly firmware: Firmware;
  /** What is typed at the console, with its ticks. */
  readonly typed: TypedInput;
  readonly rsdp: number;
  readonly map: GuestMap;
  /** Set when the run has ended. */
  outcome: Outcome | undefined;
  /** The guest halted and waits for an interrupt. */
  idle = false;
  /** Console bytes as the guest writes them. */
  onConsole: (byte: number) => void = () => undefined;
  readonly events = new EventQueue();
  readonly random: SeededRandom;

  constructor(private readonly options: MachineOptions) {
    const log = options.log ?? (() => undefined);
    this.random = new SeededRandom(options.seed ?? 1);
    this.processor = new EmulatedProcessor({
      ramBytes: options.memoryBytes,
      ...lowRam(options),
      artifacts: options.artifacts,
      bus: this.bus(log),
      ...(options.tlbEntries === undefined ? {} : { tlbEntries: options.tlbEntries }),
      ...(options.compileAfter === undefined ? {} : { compileAfter: options.compileAfter }),
    });
    this.memory = this.processor.memory;
    const description = options.platform ?? platforms.uart;
    this.platform = new Platform(
      {
        now: () => this.processor.ticks,
        schedule: (name, tick) => {
          this.events.schedule(name, tick);
          this.processor.runNoLaterThan(tick);
        },
        cancel: (name) => {
          this.events.cancel(name);
        },
        tscToTicks: (tsc) => this.processor.tscToTicks(tsc),
        setInterruptLine: (asserted) => {
          this.processor.setInterruptLine(asserted);
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
      },
      { startSeconds: options.startSeconds ?? DEFAULT_START, description },
    );
    this.rsdp = this.platform.rsdp;
    this.map = mapOf(description);
    this.typed = new TypedInput({
      now: () => this.processor.ticks,
      idle: () => this.idle,
      schedule: (name, tick) => {
        this.events.schedule(name, tick);
        this.processor.runNoLaterThan(tick);
      },
      deliver: (bytes) => {
        this.platform.uart?.type(bytes);
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
    const { memoryBytes, tlbEntries = DEFAULT_TLB_ENTRIES, platform, overrides = {}, strict = false } = this.options;
    const configuration = {
      memoryBytes,
      tlbEntries,
      ...(platform && { platform }),
      profile: this.firmware.profile.name,
      overrides,
      strict,
    };
    return takeSnapshot(this, configuration, notes);
  }

  /**
   * A machine that goes on where the saved one stood: same ticks, same result. Callbacks, breakpoints and the console's
   * listener are the caller's to attach again; piped input that was not read yet is in the snapshot. Give the profile
   * when it is none of efikit's own. Throws SnapshotError.
   */
  static restore(options: RestoreOptions, snapshot: Snapshot): Machine {
    checkSnapshot(snapshot);
    const { memoryBytes, tlbEntries, platform, profile: name, overrides, strict } = snapshot.configuration;
    const profile = options.profile ?? profiles.find((known) => known.name === name);
    if (profile?.name !== name) {
      throw new SnapshotError(`the snapshot was saved under the profile ${name}: give that profile, or none`);
    }
    const machine = new Machine({
      ...options,
      memoryBytes,
      tlbEntries,
      ...(platform && { platform }),
      profile,
      overrides,
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
    this.processor.skipTo(Math.min(tick, this.events.next));
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
        else this.platform.onEvent(name);
      }
      if (now >= end) return;
      const stop: Stop = this.processor.run(Math.min(end, this.events.next));
      if (stop === 'shutdown') this.end({ outcome: 'triple-fault', reason: this.describeShutdown() });
      else if (stop === 'halted' && this.events.next > this.processor.ticks) {
        if ((this.processor.registers.rflags & 0x200n) === 0n) {
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

  private describeShutdown(): string {
    const { rip, cr2 } = this.processor.registers;
    return `triple fault at RIP ${hex(rip)}, CR2 ${hex(cr2)}`;
  }

  private bus(log: (line: string) => void): ProcessorBus {
    return {
      readPort: (port, bytes) => this.platform.ports.readPort(port, bytes),
      writePort: (port, bytes, value) => {
        this.platform.ports.writePort(port, bytes, value);
      },
      readMmio: (address, bytes) => this.platform.readMmio(address, bytes),
      writeMmio: (address, bytes, value) => {
        this.platform.writeMmio(address, bytes, value);
      },
      acknowledgeInterrupt: () => this.platform.localApic.acknowledge(),
      readMsr: (index) => this.platform.readMsr(index),
      writeMsr: (index, value) => this.platform.writeMsr(index, value),
      readTaskPriority: () => this.platform.localApic.readTaskPriority(),
      writeTaskPriority: (value) => {
        this.platform.localApic.writeTaskPriority(value);
      },
      cpuid,
      random: () => this.random.next64(),
      gate: (service) => {
        this.firmware.serve(service);
      },
      unimplemented: (what) => {
        log(`not implemented: ${what}; the guest gets a fault`);
      },
    };
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
