/** What an ablation finds: the result of `ablate --json`. docs/ablation.md says how to read it. All of it is plain JSON data. */

/** What can be taken away: an EFI service, a protocol, a configuration table, or a part of the machine. */
export type PartKind = 'service' | 'protocol' | 'table' | 'machine';

/** How a part is troubled in one trial. */
export type Way =
  /** The service is there and acts no more: EFI_UNSUPPORTED, or EFI_NOT_FOUND for look-ups. Anything else is not there at all. */
  | 'absent'
  /** The pointer to it is NULL. */
  | 'null'
  /** It returns a status of its specification instead of acting, at each call. */
  | 'status'
  /** It returns EFI_SUCCESS and does nothing, at each call. */
  | 'idle'
  /** It acts, and what it gives is wrong or unusual. */
  | 'corrupted';

/** How much of the guest's way a trial has in common with the whole run. */
export type Verdict =
  /** The same console, and the same end after as many instructions. */
  | 'same'
  /** The same end; the way there or the console differs. */
  | 'tolerated'
  /** It does not come to that end. */
  | 'fatal';

/** How one run of the guest ended. */
export interface Ending {
  /** As `outcome` and `reason` of `boot --json`. */
  readonly outcome: string;
  readonly reason: string;
  readonly instructions: number;
  /** The last phase that it passed: entry, exit-boot-services, kernel-entry, start_kernel or user-space; `end` for success. */
  readonly reached: string;
  /** Instructions retired before each phase. */
  readonly phases: readonly { readonly name: string; readonly instructions: number }[];
  /** The last service that was called; absent when none was. */
  readonly lastCall?: string;
}

/** One part in trouble, and how far the guest came. */
export interface Trial {
  /** `AllocatePages=EFI_OUT_OF_RESOURCES`, `protocol:LoadFile2=absent`, `GetMemoryMap=short-map`; unique in a result. */
  readonly id: string;
  readonly part: string;
  readonly way: Way;
  /** `EFI_OUT_OF_RESOURCES`, with way `status`. */
  readonly status?: string;
  /** Its name, with way `corrupted`: `short-map`. */
  readonly corruption?: string;
  /** Only so many calls are troubled; absent when all are. */
  readonly times?: number;
  /** What is done, for people. */
  readonly meaning: string;
  readonly verdict: Verdict;
  readonly ending: Ending;
  /** Instructions that it shares with the whole run and that were not executed again. */
  readonly shared: number;
  /** The line of the console that says most about it: one that the whole run does not print. Absent when there is none. */
  readonly says?: string;
  /** Lines of the console that the whole run prints and this one does not, and the other way round: the first few kinds. */
  readonly lost: readonly string[];
  readonly appeared: readonly string[];
  /** Services that are called no more, and others that the whole run does not call. */
  readonly notCalled: readonly string[];
  readonly calledBesides: readonly string[];
}

/** A part, and what the trials say of it. */
export interface Part {
  /** `AllocatePages`, `SimpleTextOutput.OutputString`, `protocol:LoadFile2`, `table:Acpi20`, `machine:io-apic`. */
  readonly id: string;
  readonly kind: PartKind;
  /** For people: `protocol LoadFile2`. */
  readonly title: string;
  /** UEFI 2.10, of a service. */
  readonly section?: string;
  /** Calls in the whole run, of a service; 0: never used. */
  readonly calls?: number;
  /** Instructions retired before the first call. */
  readonly firstCall?: number;
  /**
   * `acts`: the guest does not come to its end without it. `callable`: it does, but not when the pointer is NULL.
   * `any-other-status`: without it it does, but not with each status that the specification allows. `no`: nothing fatal was found.
   * `unused`: the guest does not use it, so that only the run of the minimal set went without it.
   */
  readonly need: 'acts' | 'callable' | 'any-other-status' | 'no' | 'unused';
  /** The first phase that is not reached when it is absent; absent when all are. */
  readonly neededFor?: string;
  readonly trials: readonly Trial[];
}

/** The smallest set that was found for a phase: without any of it the phase is not reached, with it alone it is. */
export interface MinimalSet {
  /** exit-boot-services, kernel-entry, start_kernel, user-space or `end`: the guest's own end, with success. */
  readonly goal: string;
  /** Ids of parts: services, protocols and tables. Everything else was absent together. */
  readonly parts: readonly string[];
  /** How the run ended that had these alone. */
  readonly verified: Ending;
  /** Runs that it took to find. */
  readonly runs: number;
}

/** One image, ablated. */
export interface Ablation {
  readonly efikit: string;
  readonly image: { readonly path: string; readonly sha256: string; readonly kind: string };
  /** `6.1.0-56-cloud-amd64`, as a Linux says on its console; absent for others. */
  readonly release?: string;
  readonly door: string;
  readonly profile: string;
  readonly memory: number; // bytes
  readonly append: string;
  readonly initrd: 'built-in' | 'none' | { readonly sha256: string };
  readonly xen: boolean;
  readonly strict: boolean;
  /** The run with everything. */
  readonly whole: Ending;
  readonly parts: readonly Part[];
  readonly minimal: readonly MinimalSet[];
  /** Ids of the trials with which the guest comes to its end all the same, the verdict `same` included. */
  readonly tolerated: readonly string[];
  /** Boots that were run, instructions that they executed, and instructions that they did not have to execute again. */
  readonly cost: { readonly runs: number; readonly instructions: number; readonly shared: number };
}

/** `ablate --json`. */
export interface AblationReport {
  readonly efikit: string;
  readonly ablations: readonly Ablation[];
}
