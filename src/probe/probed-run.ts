import type { DoorName } from '../boot/door-choice.js';
import type { Firmware, FirmwareEvent, MapEntry, ServiceCall } from '../firmware/index.js';
import type { LoadedImage } from '../loaders/image.js';
import type { Machine } from '../machine.js';
import type { HypercallRecord } from '../xen/hypercall.js';
import type { Touch } from '../cpu/touch.js';
import type { CallerNames } from '../symbols/caller-names.js';
import type { CodeAreas } from './code/code-areas.js';
import type { CodeLineFigures } from './cost/code-lines.js';
import type { CodeNames } from './code/code-names.js';
import type { Stretch } from './code/executed-code.js';
import type { KernelPlace } from '../symbols/kernel-place.js';
import type { Phase } from './phases.js';

/** Whoever is told of something that happens in a run. */
type Listeners<Event extends readonly unknown[]> = ((...event: Event) => void)[];

/**
 * A run as probes see it: the machine, and what happens in it, in the guest's order. All listeners are called before the
 * guest goes on; those of one kind in the order in which they came.
 */
export class ProbedRun {
  /** The phase that the guest is in, by the point at which it began; `set-up` in front of the entry. */
  phase = 'set-up';
  readonly #phases: Listeners<[Phase]> = [];
  readonly #calls: Listeners<[ServiceCall, () => string | undefined]> = [];
  readonly #hypercalls: Listeners<[HypercallRecord, () => string | undefined]> = [];
  readonly #events: Listeners<[FirmwareEvent]> = [];
  readonly #console: Listeners<[number]> = [];
  readonly #memoryMaps: Listeners<['entry' | 'exit-boot-services', readonly MapEntry[]]> = [];
  readonly #stretches: Listeners<[Stretch]> = [];
  readonly #touches: Listeners<[Touch]> = [];
  readonly #decoded: Listeners<[bigint]> = [];

  constructor(
    readonly door: DoorName,
    readonly machine: Machine,
    /** The image as the user gave it. */
    readonly image: LoadedImage,
    /** The EFI firmware; undefined for doors that do not enter through it. */
    readonly firmware: Firmware | undefined,
    readonly callers: CallerNames,
    /** The Linux of the run with its symbols; undefined where there is none, or nobody needs it. */
    readonly kernel: KernelPlace | undefined,
    /** To whom executed addresses belong, and how that is called. */
    readonly code: CodeAreas,
    readonly names: CodeNames,
    /** Lines of our own code, where they were counted. */
    readonly codeLines?: CodeLineFigures | undefined,
  ) {}

  /** A phase begins; everything of the guest stands in front of its first instruction. `entry`: the machine is laid out. */
  onPhase(listener: (phase: Phase) => void): void {
    this.#phases.push(listener);
  }

  /** A gate was served; `from` names the caller while the call is being told of. */
  onCall(listener: (call: ServiceCall, from: () => string | undefined) => void): void {
    this.#calls.push(listener);
  }

  onHypercall(listener: (call: HypercallRecord, from: () => string | undefined) => void): void {
    this.#hypercalls.push(listener);
  }

  /** What else happens between firmware and guest. */
  onEvent(listener: (event: FirmwareEvent) => void): void {
    this.#events.push(listener);
  }

  /** The EFI memory map: at the entry and as each ExitBootServices finds it. */
  onMemoryMap(listener: (when: 'entry' | 'exit-boot-services', entries: readonly MapEntry[]) => void): void {
    this.#memoryMaps.push(listener);
  }

  /** What was executed between two points of the guest's way, told at the second one. The probe needs `counts`. */
  onStretch(listener: (stretch: Stretch) => void): void {
    this.#stretches.push(listener);
  }

  /**
   * Code at a guest-linear address is about to run there for the first time. Up to the kernel's entry and user space,
   * whichever is later. The probe needs `counts`.
   */
  onDecode(listener: (linear: bigint) => void): void {
    this.#decoded.push(listener);
  }

  /** CPUID, MSRs, ports and MMIO. The probe needs `touches`. */
  onTouch(listener: (touch: Touch) => void): void {
    this.#touches.push(listener);
  }

  /** A byte that the guest writes to its console. */
  onConsole(listener: (byte: number) => void): void {
    this.#console.push(listener);
  }

  /** Of the observed boot: tells everybody. */
  readonly tell = {
    phase: (phase: Phase): void => {
      if (!phase.name.startsWith('symbol:')) this.phase = phase.name;
      for (const listener of this.#phases) listener(phase);
    },
    call: (call: ServiceCall, from: () => string | undefined): void => {
      for (const listener of this.#calls) listener(call, from);
    },
    hypercall: (call: HypercallRecord, from: () => string | undefined): void => {
      for (const listener of this.#hypercalls) listener(call, from);
    },
    event: (event: FirmwareEvent): void => {
      for (const listener of this.#events) listener(event);
    },
    console: (byte: number): void => {
      for (const listener of this.#console) listener(byte);
    },
    memoryMap: (when: 'entry' | 'exit-boot-services', entries: readonly MapEntry[]): void => {
      for (const listener of this.#memoryMaps) listener(when, entries);
    },
    stretch: (stretch: Stretch): void => {
      for (const listener of this.#stretches) listener(stretch);
    },
    decoded: (linear: bigint): void => {
      for (const listener of this.#decoded) listener(linear);
    },
    touch: (touch: Touch): void => {
      for (const listener of this.#touches) listener(touch);
    },
  };
}
