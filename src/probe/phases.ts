import type { ServiceCall } from '../firmware/log/describe.js';
import type { ElfImage } from '../loaders/image.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { readKallsyms, SymbolsError, SymbolTable } from '../symbols/kallsyms.js';
import { kernelLocator, locatorOf, type KernelLocator } from '../symbols/kernel-locator.js';

/** The way of a kernel, in the order in which it passes them. */
export const phaseNames = ['entry', 'exit-boot-services', 'kernel-entry', 'start_kernel', 'user-space'] as const;
export type PhaseName = (typeof phaseNames)[number];

/**
 * Phases and, as `symbol:NAME`, the functions that are marked besides where instructions are counted, in the order in
 * which a kernel passes them. startup_64 is the kernel's entry. Linux arch/x86/kernel/head_64.S, arch/x86/platform/pvh/head.S, init/main.c.
 */
export const pointNames: readonly string[] = [
  'entry',
  'exit-boot-services',
  'symbol:pvh_start_xen',
  'symbol:xen_prepare_pvh',
  'kernel-entry',
  'symbol:x86_64_start_kernel',
  'start_kernel',
  'symbol:rest_init',
  'symbol:run_init_process',
  'user-space',
];

export const pointSymbols: readonly string[] = pointNames
  .filter((name) => name.startsWith('symbol:'))
  .map((name) => name.slice('symbol:'.length));

export const isPhaseName = (text: string): text is PhaseName => (phaseNames as readonly string[]).includes(text);

const startKernel = 'start_kernel';

/** A point that the guest has passed. */
export interface Phase {
  readonly name: string;
  /** Instructions retired before it. */
  readonly instructions: number;
  /** RIP: guest-virtual. */
  readonly address: bigint;
}

/** What a probe knows: plain data, but for the bigints in it. */
export interface PhaseState {
  readonly phases: readonly Phase[];
  readonly symbolsProblem: string | null;
  /** Symbols that somebody waits for. */
  readonly watched: readonly string[];
  /** The kernel's entry in the file, while it has not been found in the guest. */
  readonly entry: { readonly linked: number; readonly expected: readonly number[] } | null;
  /** Where symbols lie when the kernel runs where it was linked; null: it has no such symbol. Guest-physical. */
  readonly symbols: Readonly<Record<string, number | null>>;
  /** How far from there the kernel runs, once it has been found. */
  readonly distance: number | null;
}

/** What the probe uses of the machine. */
export interface PhaseTarget {
  readonly instructions: number;
  readonly memory: Pick<GuestMemory, 'readPhysical'>;
  readonly processor: {
    readonly registers: { readonly rip: bigint };
    setBreakpoint(physical: number, callback: (() => void) | undefined): void;
    onDecode: ((linear: bigint, physical: number, cpl: number) => void) | undefined;
  };
}

/**
 * Marks when a guest passes the phases and, on demand, kernel symbols. It only watches: breakpoints and decoded
 * addresses cost the guest neither time nor a register.
 */
export class PhaseProbe {
  readonly phases: Phase[] = [];
  /** Why the phases that need symbols are missing; undefined when they are not, or nobody has needed them yet. */
  symbolsProblem: string | undefined;
  /** Called at each phase and watched symbol; a symbol's name is `symbol:NAME`. */
  onPhase: (phase: Phase) => void = () => undefined;
  /** Code is about to run for the first time where it stands. Up to the kernel's entry and user space, whichever is later. */
  onDecoded: ((linear: bigint, physical: number) => void) | undefined;
  private readonly watched = new Set<string>();
  private locator: KernelLocator | undefined;
  /** How far from where it was linked the kernel runs, once its entry was found: guest-physical. */
  distance: number | undefined;
  /** Where symbols that were asked for lie when the kernel runs where it was linked: guest-physical. */
  private readonly linked = new Map<string, number | undefined>();
  private symbols: SymbolTable | SymbolsError | undefined;

  /**
   * `kernel` is the ELF with the kernel proper; without it only the phases that need none are marked. It is used up to
   * entered() and not kept.
   */
  constructor(
    private readonly target: PhaseTarget,
    private kernel: ElfImage | undefined,
  ) {
    this.locator = kernel === undefined ? undefined : kernelLocator(kernel);
    this.watchCode();
  }

  /** Goes on where another probe of the same guest was saved. Somebody has to listen before watchSymbol() is called. */
  static restore(target: PhaseTarget, state: PhaseState): PhaseProbe {
    const probe = new PhaseProbe(target, undefined);
    probe.phases.push(...state.phases);
    probe.symbolsProblem = state.symbolsProblem ?? undefined;
    for (const [name, physical] of Object.entries(state.symbols)) probe.linked.set(name, physical ?? undefined);
    if (state.entry !== null) probe.locator = locatorOf(state.entry.linked, Uint8Array.from(state.entry.expected));
    for (const name of state.watched) probe.watched.add(name);
    probe.distance = state.distance ?? undefined;
    probe.watchCode();
    probe.stopAtSymbols();
    return probe;
  }

  save(): PhaseState {
    const { locator } = this;
    const isSought = locator !== undefined && this.distance === undefined;
    return {
      phases: [...this.phases],
      symbolsProblem: this.symbolsProblem ?? null,
      watched: [...this.watched],
      entry: isSought ? { linked: locator.linkedEntry, expected: [...locator.expected] } : null,
      symbols: Object.fromEntries([...this.linked].map(([name, physical]) => [name, physical ?? null])),
      distance: this.distance ?? null,
    };
  }

  /** Looks at code when it is decoded, for as long as there is something to find. */
  private watchCode(): void {
    const { processor } = this.target;
    const isDone = (): boolean => this.has('user-space') && (this.locator === undefined || this.has('kernel-entry'));
    processor.onDecode = isDone()
      ? undefined
      : (linear, physical, cpl) => {
          if (cpl === 3 && !this.has('user-space')) this.mark('user-space', linear);
          if (cpl === 0 && !this.has('kernel-entry')) this.lookForKernel(linear, physical);
          this.onDecoded?.(linear, physical);
          if (isDone()) processor.onDecode = undefined;
        };
  }

  /**
   * The machine stands at the image's entry. `distance` says how far from where it was linked the kernel stands, where
   * its door has put it there: then symbols are marked in front of the kernel's own entry too.
   */
  entered(distance?: number): void {
    this.find(startKernel);
    this.stopAtSymbols(distance);
    this.kernel = undefined;
    if (this.symbols instanceof SymbolTable) this.symbols = undefined;
    this.mark('entry', this.target.processor.registers.rip);
  }

  /** A service was called; the first ExitBootServices that succeeds is a phase. */
  serviceCalled(call: ServiceCall): void {
    if (call.name === 'ExitBootServices' && call.status === 0n && !this.has('exit-boot-services')) {
      this.mark('exit-boot-services', call.caller);
    }
  }

  /** Marks `symbol:NAME` when the symbol's first instruction runs. False when the kernel has no such symbol. */
  watchSymbol(name: string): boolean {
    const known = this.knowsSymbol(name);
    if (known) this.watched.add(name);
    if (known) this.stopAtSymbols();
    return known;
  }

  /** As watchSymbol, for whoever can do without: it is no problem when the kernel lacks one. */
  watchIfThere(names: readonly string[]): void {
    for (const name of names) if (this.find(name) !== undefined) this.watched.add(name);
  }

  knowsSymbol(name: string): boolean {
    const known = this.find(name) !== undefined;
    this.sayProblem();
    return known;
  }

  has(name: string): boolean {
    return this.phases.some((phase) => phase.name === name);
  }

  /** Looks a symbol up while there is a kernel to look into. */
  private find(name: string): number | undefined {
    if (this.linked.has(name) || this.kernel === undefined) return this.linked.get(name);
    try {
      this.symbols ??= readKallsyms(this.kernel);
    } catch (error) {
      if (!(error instanceof SymbolsError)) throw error;
      this.symbols = error;
    }
    const physical = this.symbols instanceof SymbolsError ? undefined : this.symbols.physicalOf(name);
    this.linked.set(name, physical);
    return physical;
  }

  private sayProblem(): void {
    if (this.symbols instanceof SymbolsError) this.symbolsProblem = this.symbols.message;
  }

  private lookForKernel(linear: bigint, physical: number): void {
    const distance = this.locator?.check(
      (address, length) => this.target.memory.readPhysical(address, length),
      physical,
    );
    if (distance === undefined) return;
    this.distance = distance;
    this.mark('kernel-entry', linear);
    this.sayProblem();
    this.stopAtSymbols();
  }

  /** Once the kernel has been found: breakpoints for what it has not passed. */
  private stopAtSymbols(distance = this.distance): void {
    if (distance === undefined) return;
    for (const name of new Set([startKernel, ...this.watched])) {
      const marks = [...(name === startKernel ? [name] : []), ...(this.watched.has(name) ? [`symbol:${name}`] : [])];
      const phases = marks.filter((mark) => !this.has(mark));
      if (phases.length > 0) this.stopAt(name, phases, distance);
    }
  }

  private stopAt(symbol: string, phases: readonly string[], distance: number): void {
    const linked = this.find(symbol);
    if (linked === undefined) return;
    const { processor } = this.target;
    processor.setBreakpoint(linked + distance, () => {
      processor.setBreakpoint(linked + distance, undefined);
      for (const phase of phases) this.mark(phase, processor.registers.rip);
    });
  }

  private mark(name: string, address: bigint): void {
    const phase = { name, instructions: this.target.instructions, address };
    this.phases.push(phase);
    this.onPhase(phase);
  }
}
