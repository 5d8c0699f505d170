import { efi } from '../boot/efi.js';
import { linux64 } from '../boot/linux64.js';
import { proposalDoor } from '../boot/proposal.js';
import { pvh } from '../boot/pvh.js';
import type { Touch } from '../cpu/touch.js';
import type { Firmware, FirmwareEvent, ServiceCall } from '../firmware/index.js';
import { ImageError, type ElfImage, type LoadedImage } from '../loaders/image.js';
import { Machine, type Outcome } from '../machine.js';
import { layout } from '../memory/layout.js';
import type { Snapshot } from '../snapshot.js';
import type { HypercallRecord } from '../xen/hypercall.js';
import { CallerNames } from '../symbols/caller-names.js';
import type { BootSetup, Landmark, RunSetup } from './boot-setup.js';
import { ConsoleWatch } from './console-watch.js';
import { readKallsyms, SymbolsError } from '../symbols/kallsyms.js';
import { isPhaseName, PhaseProbe, type Phase } from './phases.js';
import { needsOf, type TakenByProbe } from './probe.js';
import { KernelPlace } from '../symbols/kernel-place.js';
import { Probing } from './probing.js';
import { HypercallLog } from './hypercall-log.js';
import { bootNotes, withoutStop, type BootNotes, type ResumeSetup } from './saved-boot.js';
import { ServiceLog } from './service-log.js';

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
  /** Absent in a run that goes on from a snapshot: probes want all of a run. */
  private readonly probing: Probing | undefined;

  private constructor(
    readonly setup: RunSetup,
    readonly machine: Machine,
    readonly probe: PhaseProbe,
    fresh?: BootSetup,
    kernel?: KernelPlace,
  ) {
    this.callers = new CallerNames(machine);
    this.probing = fresh && new Probing(fresh, machine, this.firmware, this.callers, kernel, probe);
  }

  /** Throws BootError, ImageError or UnreachableError. */
  static start(setup: BootSetup): ObservedBoot {
    const { observer } = setup;
    const needs = needsOf(setup.probes ?? []);
    let onTouch: ((touch: Touch) => void) | undefined;
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
      ...((setup.observing ?? (['counts', 'touches', 'watches'] as const).some((need) => needs.has(need)))
        ? { observing: true }
        : {}),
      ...(needs.has('touches') ? { onTouch: (touch: Touch) => onTouch?.(touch) } : {}),
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
      const kernel = elf && needs.size > 0 ? KernelPlace.of(elf) : undefined;
      const boot = new ObservedBoot(setup, machine, new PhaseProbe(machine, elf), setup, kernel);
      onTouch = boot.probing?.tell.touch;
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
      boot.enter(setup);
      return boot;
    } finally {
      if (isDirect) setup.image.unpackInto?.(undefined);
    }
  }

  /**
   * Goes on where the saved run stood: its result is that of a run that was never interrupted. Throws SnapshotError or
   * UnreachableError.
   */
  static resume(setup: ResumeSetup, snapshot: Snapshot): ObservedBoot {
    const notes = bootNotes(snapshot);
    let boot: ObservedBoot | undefined = undefined as ObservedBoot | undefined;
    const machine = Machine.restore(
      {
        artifacts: setup.artifacts,
        ...(setup.profile && { profile: setup.profile }),
        ...(setup.overrides && { overrides: setup.overrides }),
        ...(setup.tier === 'interpreter' ? { compileAfter: 'never' as const } : {}),
        ...(setup.observing === undefined ? {} : { observing: setup.observing }),
        onServiceCall: (call) => boot?.called(call),
        onHypercall: (call) => boot?.hypercalled(call),
        onFirmwareEvent: (event) => boot?.happened(event),
        log: (line) => setup.observer?.log?.(line),
      },
      snapshot,
    );
    const { door, commandLine } = notes;
    const { memoryBytes } = snapshot.configuration;
    const known = { ...setup, door, memoryBytes, options: { commandLine } };
    boot = new ObservedBoot(known, machine, PhaseProbe.restore(machine, notes.phases));
    boot.services.restore(notes.services);
    boot.hypercalls.restore(notes.hypercalls);
    boot.console.restore(notes.console);
    boot.callers.restore(notes.images);
    boot.watch();
    return boot;
  }

  /**
   * The run as it stands, between two runs of its machine: what `until` or a limit stopped goes on when it is taken up
   * again. `about` is the caller's own, plain data.
   */
  save(about: unknown = null): Snapshot {
    const notes: BootNotes = {
      of: 'observed boot',
      door: this.setup.door,
      commandLine: this.setup.options.commandLine,
      phases: this.probe.save(),
      console: this.console.save(),
      services: this.services.summary(),
      hypercalls: this.hypercalls.summary(),
      images: this.callers.save(),
      about,
    };
    return withoutStop(this.machine.save(notes));
  }

  /** The EFI firmware; undefined where the guest has none of it. */
  get firmware(): Firmware | undefined {
    const { door } = this.setup;
    const { firmware } = this.machine;
    const isEntered = door === 'efi' || door === 'proposal';
    return isEntered || (door === 'linux64' && firmware.profile.handedOver) ? firmware : undefined;
  }

  get phases(): readonly Phase[] {
    return this.probe.phases;
  }

  /** What the probes took; once, when the run has ended. */
  taken(): TakenByProbe {
    return this.probing?.taken() ?? new Map<string, unknown>();
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
    const { until, landmarks = [] } = setup;
    const stop: Landmark[] =
      until === undefined
        ? []
        : [
            {
              at: until,
              then: () => {
                machine.end({ outcome: 'reached', reason: until });
              },
            },
          ];
    const all = [...landmarks, ...stop];
    const pass = (name: string): void => {
      for (const { at, then } of all) if (at === name) then(this);
    };
    machine.onConsole = (byte) => {
      setup.observer?.console?.(byte);
      this.probing?.tell.console(byte);
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
    probe.onPhase = (phase) => {
      this.probing?.tell.phase(phase);
      setup.observer?.phase?.(phase);
      pass(phase.name);
    };
    console.onText = (text) => {
      pass(`text:${text}`);
    };
    for (const { at } of all) this.expect(at, at === until ? 'until' : 'save-at');
  }

  /** Looks out for a phase, a symbol or a text. Throws UnreachableError; `option` is for its message. */
  private expect(until: string, option: string): void {
    const { console, probe, setup } = this;
    if (until.startsWith('text:')) {
      console.waitFor(until.slice('text:'.length));
      return;
    }
    if (probe.has(until)) {
      throw new UnreachableError(`--${option} ${until} cannot be reached: the run that was saved is past it`);
    }
    const symbol = until.startsWith('symbol:') ? until.slice('symbol:'.length) : until;
    if (until === 'start_kernel' || !isPhaseName(until)) {
      if (until === 'start_kernel' ? probe.knowsSymbol(symbol) : probe.watchSymbol(symbol)) return;
      const unknown =
        this.probing === undefined
          ? `a snapshot has the symbols alone that its boot was told to look for, and not ${symbol}`
          : `the kernel has no symbol ${symbol}`;
      const why = probe.symbolsProblem ?? unknown;
      throw new UnreachableError(`--${option} ${until} cannot be reached: ${why}; take text:STRING or another phase`);
    }
    if (until === 'exit-boot-services' && setup.door !== 'efi' && setup.door !== 'proposal') {
      throw new UnreachableError(
        `--${option} ${until} cannot be reached: the door ${setup.door} has no boot services; take --door efi`,
      );
    }
  }

  private enter({ door, image, options, proposalLinux }: BootSetup): void {
    const { machine } = this;
    if (door === 'pvh') machine.boot(pvh, image, options);
    else if (door === 'linux64') machine.boot(linux64, image, options);
    else {
      if (door === 'proposal' && proposalLinux === undefined) throw new Error('the door proposal wants proposal-linux');
      machine.boot(proposalLinux === undefined ? efi : proposalDoor(proposalLinux), image, options);
      this.tellMemoryMap('entry');
    }
    this.probe.entered(this.probing?.entered());
  }

  private called(call: ServiceCall): void {
    this.services.record(call);
    const { observer } = this.setup;
    if (call.name === 'ExitBootServices') this.tellMemoryMap('exit-boot-services');
    const from = (): string | undefined => this.callers.ofCall(call.caller);
    observer?.call?.(call, from);
    this.probing?.tell.call(call, from);
    this.probe.serviceCalled(call);
  }

  private tellMemoryMap(when: 'entry' | 'exit-boot-services'): void {
    const entries = this.machine.firmware.memoryMap.entries();
    this.setup.observer?.memoryMap?.(when, entries);
    this.probing?.tell.memoryMap(when, entries);
  }

  private hypercalled(call: HypercallRecord): void {
    this.hypercalls.record(call);
    const from = (): string | undefined => this.callers.ofCall(call.caller);
    this.setup.observer?.hypercall?.(call, from);
    this.probing?.tell.hypercall(call, from);
  }

  private happened(event: FirmwareEvent): void {
    this.callers.happened(event);
    this.probing?.tell.event(event);
    const { address } = event;
    this.setup.observer?.event?.(event, () => (address === undefined ? undefined : this.callers.nameOf(address)));
  }
}

function wantsKernel({ kernelPhases = true, until, landmarks = [] }: BootSetup): boolean {
  const wants = (at: string): boolean => at === 'kernel-entry' || at === 'start_kernel' || at.startsWith('symbol:');
  return kernelPhases || (until !== undefined && wants(until)) || landmarks.some(({ at }) => wants(at));
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
