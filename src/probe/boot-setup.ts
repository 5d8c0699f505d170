import type { BootOptions } from '../boot/boot-protocol.js';
import type { DoorName } from '../boot/door-choice.js';
import type { ProcessorArtifacts } from '../cpu/artifacts.js';
import type {
  CommitVariable,
  FirmwareEvent,
  MapEntry,
  Overrides,
  Profile,
  ServiceCall,
  StoredVariable,
} from '../firmware/index.js';
import type { LoadedImage } from '../loaders/image.js';
import type { PlatformDescription } from '../platform-description.js';
import type { XenOptions } from '../xen-machine.js';
import type { HypercallRecord } from '../xen/hypercall.js';
import type { CodeLineFigures } from './cost/code-lines.js';
import type { ObservedBoot } from './observed-boot.js';
import type { Phase } from './phases.js';
import type { AnyProbe } from './probe.js';

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
  /** The processor knows what it executes (MachineOptions.observing). */
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
  /** More such points, and what is done when the guest passes one. */
  readonly landmarks?: readonly Landmark[];
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
  /** Lines of our own code, for whoever asks what a door costs. */
  readonly codeLines?: CodeLineFigures;
}

/** A phase, `symbol:NAME` or `text:STRING`, and what is done there; a `machine.end()` in it stops the run there. */
export interface Landmark {
  readonly at: string;
  readonly then: (run: ObservedBoot) => void;
}

/** What an observed boot knows of how it came to be. */
export interface RunSetup extends Pick<BootSetup, 'door' | 'memoryBytes' | 'until' | 'landmarks' | 'observer'> {
  readonly options: Pick<BootOptions, 'commandLine'>;
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
