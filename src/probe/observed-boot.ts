import type { BootOptions } from '../boot/boot-protocol.js';
import type { DoorName } from '../boot/door-choice.js';
import { efi } from '../boot/efi.js';
import { linux64 } from '../boot/linux64.js';
import { proposalDoor } from '../boot/proposal.js';
import { pvh } from '../boot/pvh.js';
import type { ProcessorArtifacts } from '../cpu/artifacts.js';
import type {
  CommitVariable,
  Firmware,
  FirmwareEvent,
  MapEntry,
  Overrides,
  Profile,
  ServiceCall,
  StoredVariable,
} from '../firmware/index.js';
import { ImageError, type ElfImage, type LoadedImage } from '../loaders/image.js';
import { Machine, type Outcome } from '../machine.js';
import { layout } from '../memory/layout.js';
import type { XenOptions } from '../xen-machine.js';
import type { HypercallRecord } from '../xen/hypercall.js';
import type { PlatformDescription } from '../platform-description.js';
import { CallerNames } from './caller-names.js';
import { CodeAreas } from './code-areas.js';
import { CodeNames } from './code-names.js';
import { ExecutionCounter } from './execution-counter.js';
import { KernelPlace } from './kernel-place.js';
import { ConsoleWatch } from './console-watch.js';
import { readKallsyms, SymbolsError } from './kallsyms.js';
import { isPhaseName, PhaseProbe, pointSymbols, type Phase } from './phases.js';
import { needsOf, type AnyProbe, type TakenByProbe } from './probe.js';
import { ProbedRun } from './probed-run.js';
import { HypercallLog } from './hypercall-log.js';
import { ServiceLog } from './service-log.js';

/** One boot: an image, a door and what goes through it. */
export interface BootSetup {
  readonly artifacts: ProcessorArtifacts;
  readonly door: DoorName;
  /** The image as the user gave it, prepared (LoadedImage.prepare). */
  readonly image: LoadedImage;
  /** The bytes of examples/proposal-linux, for the door `proposal`. */
  readonly proposalLinux?: Uint8Array;
  readonly profile: Profile;
  /** What ablations and quirks change in the profile. */
  readonly overrides?: Overrides;
  /** Poison at each call what the ABI lets a firmware clobber. */
  readonly strict: boolean;
  /** `interpreter` runs without the hot tier; `both` when left out. */
  readonly tier?: 'both' | 'interpreter';
  readonly memoryBytes: number;
  /** The processor keeps what is executed at hand (MachineOptions.observing). */
  readonly observing?: boolean;
  /** The guest is a PVH domain of Xen. */
  readonly xen?: XenOptions;
  /** What stands around the processor; the small PC when left out. */
  readonly platform?: PlatformDescription;
  readonly options: BootOptions;
  /** The variables that are there at the start, and what makes a change of them last. */
  readonly variables?: readonly StoredVariable[];
  readonly commitVariable?: CommitVariable;
  /** A phase, `symbol:NAME` or `text:STRING`: the run ends there with the outcome `reached`. */
  readonly until?: string;
  /**
   * Whether kernel-entry and start_kernel are marked; true when left out. They need the unpacked kernel, which the EFI
   * doors have no other use for. `until` one of them, or a symbol, brings it back.
   */
  readonly kernelPhases?: boolean;
  /** Called when the machine stands, before anything of the image is in its memory; what it throws ends the start. */
  readonly beforeEntry?: () => void;
  readonly observer?: BootObserver;
  /** What is asked of this run besides; ObservedBoot.taken() has the answers. */
  readonly probes?: readonly AnyProbe[];
}

/** What a caller may watch while the guest runs. All calls come in the guest's order. */
export interface BootObserver {
  console?(byte: number): void;
  /** `from` names the caller while the call is being served (CallerNames.ofCall). */
  call?(call: ServiceCall, from: () => string | undefined): void;
  /** A hypercall; `from` as with `call`. */
  hypercall?(call: HypercallRecord, from: () => string | undefined): void;
  /** A line of the dialogue with xenstore. */
  xenstore?(tick: number, line: string): void;
  /** What else happens between firmware and guest; `where` names its address. */
  event?(event: FirmwareEvent, where: () => string | undefined): void;
  /** The EFI memory map: at the entry and as each ExitBootServices finds it. */
  memoryMap?(when: 'entry' | 'exit-boot-services', entries: readonly MapEntry[]): void;
  phase?(phase: Phase): void;
  log?(line: string): void;
}

/** `until` names something that this boot can never reach; the message says what to do. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly code = 'UNREACHABLE';
}

/** A machine with an image at its entry and every probe attached. */
export class ObservedBoot {
  readonly services = new ServiceLog();
  readonly hypercalls = new HypercallLog();
  readonly console = new ConsoleWatch();
  readonly callers: CallerNames;
  private readonly probed: ProbedRun;
  private readonly counter: ExecutionCounter | undefined;
  private readonly started: ReadonlyMap<string, () => unknown>;

  private constructor(
    readonly setup: BootSetup,
    readonly machine: Machine,
    readonly probe: PhaseProbe,
    kernel: KernelPlace | undefined,
  ) {
    const { door, image, probes = [] } = setup;
    this.callers = new CallerNames(machine);
    const areas = new CodeAreas(machine, image, door === 'efi', kernel);
    areas.kernelStands = door === 'pvh';
    const names = new CodeNames(door, image, kernel, this.firmware);
    this.probed = new ProbedRun(door, machine, image, this.firmware, this.callers, kernel, areas, names);
    if (needsOf(probes).has('counts'))
      this.counter = new ExecutionCounter(machine.processor, areas, this.firmware, this.probed.tell.stretch);
    this.started = new Map(probes.map((one) => [one.name, one.start(this.probed)]));
  }

  /** Throws BootError, ImageError or UnreachableError. */
  static start(setup: BootSetup): ObservedBoot {
    const { observer } = setup;
    const needs = needsOf(setup.probes ?? []);
    const observing = setup.observing ?? needs.size > 0;
    let onCall: (call: ServiceCall) => void = () => undefined;
    let onHypercall: (call: HypercallRecord) => void = () => undefined;
    let onEvent: (event: FirmwareEvent) => void = () => undefined;
    const machine = new Machine({
      artifacts: setup.artifacts,
      memoryBytes: setup.memoryBytes,
      ...(setup.platform && { platform: setup.platform }),
      profile: setup.profile,
      ...(setup.overrides === undefined ? {} : { overrides: setup.overrides }),
      strict: setup.strict,
      ...(setup.xen === undefined ? {} : { xen: setup.xen }),
      ...(setup.variables === undefined ? {} : { variables: setup.variables }),
      ...(setup.commitVariable === undefined ? {} : { commitVariable: setup.commitVariable }),
      ...(setup.tier === 'interpreter' ? { compileAfter: 'never' as const } : {}),
      ...(observing ? { observing } : {}),
      onServiceCall: (call) => {
        onCall(call);
      },
      onHypercall: (call) => {
        onHypercall(call);
      },
      onFirmwareEvent: (event) => {
        onEvent(event);
      },
      log: (line) => observer?.log?.(line),
    });
    const isDirect = setup.door === 'pvh' && !wantsKernel(setup);
    if (isDirect) setup.image.unpackInto?.({ memory: machine.memory, lowest: layout.highMemoryStart });
    try {
      setup.beforeEntry?.();
      const elf = wantsKernel(setup) ? kernelOf(setup.image) : undefined;
      const place = elf === undefined || needs.size === 0 ? undefined : KernelPlace.of(elf);
      const boot = new ObservedBoot(setup, machine, new PhaseProbe(machine, elf, place), place);
      onCall = (call) => {
        boot.called(call);
      };
      onHypercall = (call) => {
        boot.hypercalled(call);
      };
      onEvent = (event) => {
        boot.happened(event);
      };
      boot.watch();
      boot.enter();
      return boot;
    } finally {
      if (isDirect) setup.image.unpackInto?.(undefined);
    }
  }

  /** The EFI firmware; undefined for the doors that do not enter through it. */
  get firmware(): Firmware | undefined {
    return this.setup.door === 'efi' || this.setup.door === 'proposal' ? this.machine.firmware : undefined;
  }

  get phases(): readonly Phase[] {
    return this.probe.phases;
  }

  /** What the probes took; once, when the run has ended. */
  taken(): TakenByProbe {
    this.counter?.ended();
    return new Map([...this.started].map(([name, take]) => [name, take()]));
  }

  /** How the run ended, seen with its console: a reset or a halt after a kernel panic is the panic. */
  get outcome(): Outcome | undefined {
    const { outcome } = this.machine;
    const { panic } = this.console;
    if (outcome === undefined || panic === undefined) return outcome;
    if (outcome.outcome === 'panicked' && !outcome.reason.startsWith('Kernel panic'))
      return { outcome: 'panicked', reason: `Kernel panic: ${panic}; ${outcome.reason}` };
    const afterPanic =
      outcome.outcome === 'reset' || outcome.outcome === 'halted' || outcome.outcome === 'triple-fault';
    return afterPanic ? { outcome: 'panicked', reason: `Kernel panic: ${panic}` } : outcome;
  }

  private watch(): void {
    const { machine, console, probe, setup } = this;
    const reach = (what: string): void => {
      machine.end({ outcome: 'reached', reason: what });
    };
    machine.onConsole = (byte) => {
      setup.observer?.console?.(byte);
      this.probed.tell.console(byte);
      console.write(byte);
    };
    if (machine.xen !== undefined) {
      machine.xen.storeRing.onMessage = (line) => {
        setup.observer?.xenstore?.(machine.ticks, line);
      };
    }
    console.onPanicEnd = (reason) => {
      machine.end({ outcome: 'panicked', reason: `Kernel panic: ${reason}` });
    };
    if (this.counter !== undefined) {
      probe.watchIfThere(pointSymbols);
      probe.onDecoded = this.probed.tell.decoded;
    }
    probe.onPhase = (phase) => {
      this.counter?.passed(phase.name);
      this.probed.tell.phase(phase);
      setup.observer?.phase?.(phase);
      if (phase.name === setup.until) reach(phase.name);
    };
    const { until } = setup;
    if (until === undefined) return;
    if (until.startsWith('text:')) {
      console.onText = () => {
        reach(until);
      };
      console.waitFor(until.slice('text:'.length));
      return;
    }
    const symbol = until.startsWith('symbol:') ? until.slice('symbol:'.length) : until;
    if (until === 'start_kernel' || !isPhaseName(until)) {
      if (until === 'start_kernel' ? probe.knowsSymbol(symbol) : probe.watchSymbol(symbol)) return;
      const why = probe.symbolsProblem ?? `the kernel has no symbol ${symbol}`;
      throw new UnreachableError(`--until ${until} cannot be reached: ${why}; take text:STRING or another phase`);
    }
    if (until === 'exit-boot-services' && this.firmware === undefined) {
      throw new UnreachableError(
        `--until ${until} cannot be reached: the door ${setup.door} has no boot services; take --door efi`,
      );
    }
  }

  private enter(): void {
    const { door, image, options, proposalLinux } = this.setup;
    const { machine } = this;
    if (door === 'pvh') machine.boot(pvh, image, options);
    else if (door === 'linux64') machine.boot(linux64, image, options);
    else {
      if (door === 'proposal' && proposalLinux === undefined) throw new Error('the door proposal wants proposal-linux');
      machine.boot(proposalLinux === undefined ? efi : proposalDoor(proposalLinux), image, options);
      this.tellMemoryMap('entry');
    }
    this.probe.entered(this.counter === undefined ? undefined : this.distanceOfDoor());
  }

  /** How far from where it was linked the door has put the kernel; undefined where it will only be unpacked. */
  private distanceOfDoor(): number | undefined {
    const { door, image } = this.setup;
    const entry = door === 'pvh' ? image.elf()?.pvhEntry : undefined;
    return entry === undefined ? undefined : Number(this.machine.processor.registers.rip) - entry;
  }

  private called(call: ServiceCall): void {
    this.services.record(call);
    const { observer } = this.setup;
    this.gateServed(call.name);
    if (call.name === 'ExitBootServices') this.tellMemoryMap('exit-boot-services');
    const from = (): string | undefined => this.callers.ofCall(call.caller);
    observer?.call?.(call, from);
    this.probed.tell.call(call, from);
    this.probe.serviceCalled(call);
  }

  /** Runtime gates stand at virtual addresses that are known while they are served. */
  private gateServed(name: string): void {
    if (this.counter === undefined) return;
    for (const { gate, name: known } of this.machine.firmware.slots.values()) {
      if (known === name) this.probed.code.gateAt(this.machine.processor.registers.rip, gate);
    }
  }

  private tellMemoryMap(when: 'entry' | 'exit-boot-services'): void {
    const entries = this.machine.firmware.memoryMap.entries();
    this.setup.observer?.memoryMap?.(when, entries);
    this.probed.tell.memoryMap(when, entries);
  }

  private hypercalled(call: HypercallRecord): void {
    this.hypercalls.record(call);
    const from = (): string | undefined => this.callers.ofCall(call.caller);
    this.setup.observer?.hypercall?.(call, from);
    this.probed.tell.hypercall(call, from);
  }

  private happened(event: FirmwareEvent): void {
    this.callers.happened(event);
    this.probed.code.happened(event);
    this.probed.tell.event(event);
    const { address } = event;
    this.setup.observer?.event?.(event, () => (address === undefined ? undefined : this.callers.nameOf(address)));
  }
}

function wantsKernel({ kernelPhases = true, until }: BootSetup): boolean {
  return kernelPhases || until === 'kernel-entry' || until === 'start_kernel' || until?.startsWith('symbol:') === true;
}

/**
 * The ELF with the kernel proper, for symbols and phases; undefined where there is no Linux in it. A payload that
 * cannot be unpacked costs those alone.
 */
function kernelOf(image: LoadedImage): ElfImage | undefined {
  try {
    const elf = image.elf();
    if (image.kind === 'elf' && elf !== undefined) readKallsyms(elf);
    return elf;
  } catch (error) {
    if (error instanceof ImageError || error instanceof SymbolsError) return undefined;
    throw error;
  }
}
