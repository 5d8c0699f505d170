/**
 * The public API: what the commands do, typed. Everything here runs in Node and in a browser alike; what only Node can
 * do (files, the terminal, the processor's modules on disk) is in 'efikit/node'.
 */
export {
  BootError,
  type BootModule,
  type BootOptions,
  type BootProtocol,
  type Linux64Options,
  type PvhOptions,
} from './boot/boot-protocol.js';
export { defaultDoor, doorNames, doorRefuses, isDoorName, type DoorName } from './boot/door-choice.js';
export { defaultInitramfs } from './boot/default-initramfs.js';
export { efi } from './boot/efi.js';
export { linux64 } from './boot/linux64.js';
export { HardwareSubarch } from '../firmware-tables/linux/setup-header.js';
export { pvh } from './boot/pvh.js';
export type { ProcessorArtifacts } from './cpu/artifacts.js';
export type { ExecutedInstructions } from './cpu/instruction-counts.js';
export {
  describeCall,
  describeMemoryMap,
  FirmwareError,
  linux,
  loader,
  profiles,
  proposal,
  quirkOverrides,
  QuirkError,
  quirks,
  tables,
  type CommitVariable,
  type FirmwareEvent,
  type MapEntry,
  type MissedService,
  type Overrides,
  type Profile,
  type Quirk,
  type ServiceCall,
  type StoredVariable,
  type VariableChange,
} from './firmware/index.js';
export { ImageError, type ElfImage, type LoadedImage, type PeImage } from './loaders/image.js';
export { readImage } from './loaders/read-image.js';
export { Machine, type MachineOptions, type Outcome } from './machine.js';
export type { XenOptions } from './xen-machine.js';
export { describeHypercall } from './xen/describe.js';
export type { Domain } from './xen/domain.js';
export type { HypercallRecord } from './xen/hypercall.js';
export { platforms, type PlatformDescription } from './platform-description.js';
export { ablate, type AblationOptions, type AblationProgress, type Findings } from './ablate/ablate.js';
export { Forker, type RunToEnd } from './ablate/forker.js';
export type { AblationSetup, Executor, Job, RunRecord, WholeRecord } from './ablate/job.js';
export { journaled, type Journal } from './ablate/journal.js';
export type { Ablation, AblationReport, Ending, MinimalSet, Part, Trial } from './ablate/result.js';
export { ablationLines, baselineLines } from './ablate/table.js';
export type { ResumeSetup } from './probe/saved-boot.js';
export { decodeSnapshot, encodeSnapshot, SnapshotError, type Snapshot } from './snapshot.js';
export { checkInputLog, InputLogError, TypedInput, type TypedBytes } from './typed-input.js';
export { GuestAddressError, type GuestMemory } from './memory/guest-memory.js';
export { readKallsyms, SymbolsError, type SymbolTable } from './symbols/kallsyms.js';
export { ObservedBoot, UnreachableError } from './probe/observed-boot.js';
export type { BootObserver, BootSetup } from './probe/boot-setup.js';
export {
  answer,
  probe,
  recordTaken,
  type AnyProbe,
  type Answers,
  type Probe,
  type TakenAtDoor,
} from './probe/probe.js';
export type { ProbedRun } from './probe/probed-run.js';
export { probes } from './probe/probes/index.js';
export type { Section, SectionTable } from './probe/section.js';
export { phaseNames, type Phase, type PhaseName } from './probe/phases.js';
export { eventRecord, traceRecord } from './probe/service-log.js';
export { consoleText } from './report/terminal.js';
export { exitStatusOf, outcomeLine, type BootResult } from './report/result.js';
