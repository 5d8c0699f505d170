/** A machine as data: what Machine.save() gives and Machine.restore() takes, and its form as bytes. */
import type { EmulatedProcessor } from './cpu/processor.js';
import { processorStateBytes } from './cpu/processor-state.js';
import { Hash } from './cpu/state-hash.js';
import type { EventQueue } from './events.js';
import type { FirmwareState } from './firmware/firmware.js';
import type { Firmware, Overrides } from './firmware/index.js';
import type { Outcome } from './machine.js';
import type { TypedInput, TypedInputState } from './typed-input.js';
import type { Platform, PlatformState } from './platform.js';
import type { Domain, DomainState } from './xen/domain.js';
import type { XenOptions } from './xen-machine.js';
import type { PlatformDescription } from './platform-description.js';

/** Raised whenever what a snapshot holds, or where the processor keeps it, changes. */
export const snapshotVersion = 5;

/** The options that a machine was made with and that its state depends on. */
export interface MachineConfiguration {
  readonly memoryBytes: number;
  readonly tlbEntries: number;
  /** Absent for the small PC. */
  readonly platform?: PlatformDescription;
  /** The guest is a domain of Xen. */
  readonly xen?: XenOptions;
  readonly profile: string;
  readonly overrides: Overrides;
  readonly strict: boolean;
}

export interface Snapshot {
  readonly version: number;
  readonly configuration: MachineConfiguration;
  readonly state: MachineState;
  /** The processor's areas of linear memory (ProcessorState.save()). */
  readonly processor: Uint8Array;
  /** Numbers of the pages of RAM (RamPages) that hold anything but zeroes, ascending, and their bytes in the same order. */
  readonly pages: Uint32Array;
  readonly memory: Uint8Array;
  /** What LoadFile2 still has to hand out. */
  readonly initrd: Uint8Array | undefined;
  /** The caller's own: plain data, kept as it is (what a probe counted, say). */
  readonly notes: unknown;
}

/** Everything but the processor's areas and RAM: plain data. */
export interface MachineState {
  readonly extraTicks: number;
  readonly halted: boolean;
  readonly idle: boolean;
  readonly outcome: Outcome | null;
  readonly random: bigint;
  readonly events: Readonly<Record<string, number>>;
  readonly platform: PlatformState;
  readonly xen?: DomainState;
  readonly typed: TypedInputState;
  readonly firmware: FirmwareState;
}

/** A snapshot cannot be used; the message says why and what to do. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly code = 'SNAPSHOT';
}

/** The parts of a machine that have state. */
export interface MachineParts {
  readonly processor: EmulatedProcessor;
  readonly platform: Platform;
  readonly xen: Domain | undefined;
  readonly typed: TypedInput;
  readonly firmware: Firmware;
  readonly events: EventQueue;
  readonly random: { state: bigint };
  outcome: Outcome | undefined;
  idle: boolean;
}

const PAGE = 4096;

export function takeSnapshot(parts: MachineParts, configuration: MachineConfiguration, notes: unknown): Snapshot {
  const { processor, firmware } = parts;
  const { ramPages } = processor;
  const pages = Uint32Array.from(ramPages.written().filter((page) => !ramPages.isZero(page)));
  const memory = new Uint8Array(pages.length * PAGE);
  pages.forEach((page, i) => {
    memory.set(ramPages.page(page), i * PAGE);
  });
  return {
    version: snapshotVersion,
    configuration,
    state: machineState(parts),
    processor: processor.state.save(),
    pages,
    memory,
    initrd: firmware.bootServicesEnded ? undefined : firmware.initrd && new Uint8Array(firmware.initrd),
    notes,
  };
}

export function machineState(parts: MachineParts): MachineState {
  const { processor } = parts;
  return {
    extraTicks: processor.extraTicks,
    halted: processor.halted,
    idle: parts.idle,
    outcome: parts.outcome ?? null,
    random: parts.random.state,
    events: parts.events.save(),
    platform: parts.platform.save(),
    ...(parts.xen && { xen: parts.xen.save() }),
    typed: parts.typed.save(),
    firmware: parts.firmware.save(),
  };
}

/** Puts a machine that was just made into the state of a snapshot. */
export function applySnapshot(parts: MachineParts, snapshot: Snapshot): void {
  const { processor, firmware } = parts;
  const { state, pages, memory } = snapshot;
  const kept = new Set(pages);
  const zeroes = new Uint8Array(PAGE);
  for (const page of processor.ramPages.written()) {
    if (!kept.has(page)) processor.memory.writePhysical(processor.ramPages.address(page), zeroes);
  }
  pages.forEach((page, i) => {
    processor.memory.writePhysical(processor.ramPages.address(page), memory.subarray(i * PAGE, (i + 1) * PAGE));
  });
  firmware.restore(state.firmware, snapshot.initrd);
  parts.platform.restore(state.platform);
  if (state.xen !== undefined) parts.xen?.restore(state.xen);
  parts.typed.restore(state.typed);
  parts.events.restore(state.events);
  parts.random.state = state.random;
  parts.idle = state.idle;
  parts.outcome = state.outcome ?? undefined;
  processor.extraTicks = state.extraTicks;
  processor.halted = state.halted;
  processor.state.restore(snapshot.processor); // last: devices moved its interrupt line and its budget
}

// The form as bytes: magic, version, length of the JSON part, hash of all that follows; JSON; then the arrays.
const magic = 'EFIKITSN';
const HEADER = 8 + 4 + 4 + 8;

/** A snapshot as bytes for a file: a header, JSON, the processor's areas, page numbers, pages, initrd. */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const { configuration, state, processor, pages, memory, initrd, notes } = snapshot;
  const lengths = [processor.length, pages.byteLength, memory.length, initrd?.length ?? -1];
  const json = new TextEncoder().encode(JSON.stringify({ configuration, state, notes, lengths }, writeBigint));
  const bodyBytes = lengths.reduce((sum, length) => sum + Math.max(0, length), json.length);
  const bytes = new Uint8Array(HEADER + bodyBytes + (-(HEADER + bodyBytes) & 3));
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic));
  view.setUint32(8, snapshot.version, true);
  view.setUint32(12, json.length, true);
  const pageBytes = new Uint8Array(pages.buffer, pages.byteOffset, pages.byteLength);
  let at = HEADER;
  for (const part of [json, processor, pageBytes, memory, initrd ?? new Uint8Array(0)]) {
    bytes.set(part, at);
    at += part.length;
  }
  const hash = bodyHash(bytes);
  view.setUint32(16, hash.high, true);
  view.setUint32(20, hash.low, true);
  return bytes;
}

/** The snapshot in a file's bytes. Throws SnapshotError for anything that this version did not write. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const aligned = new Uint8Array(bytes); // a copy, also of a Buffer: its own buffer, aligned
  const view = new DataView(aligned.buffer);
  if (aligned.length < HEADER || new TextDecoder().decode(aligned.subarray(0, 8)) !== magic) {
    throw new SnapshotError(`this is no snapshot of a machine: it does not begin with ${magic}`);
  }
  const version = view.getUint32(8, true);
  if (version !== snapshotVersion) throw new SnapshotError(versionProblem(version));
  const hash = aligned.length % 4 === 0 ? bodyHash(aligned) : undefined;
  if (hash?.high !== view.getUint32(16, true) || hash.low !== view.getUint32(20, true)) {
    throw new SnapshotError(
      `the snapshot is damaged: its ${String(bytes.length)} bytes do not have the hash that it names`,
    );
  }
  let at = HEADER;
  const take = (length: number): Uint8Array => aligned.slice(at, (at += length));
  const { configuration, state, notes, lengths } = JSON.parse(
    new TextDecoder().decode(take(view.getUint32(12, true))),
    readBigint,
  ) as Pick<Snapshot, 'configuration' | 'state' | 'notes'> & { lengths: [number, number, number, number] };
  const processor = take(lengths[0]);
  const pages = new Uint32Array(take(lengths[1]).buffer);
  const memory = take(lengths[2]);
  const initrd = lengths[3] < 0 ? undefined : take(lengths[3]);
  return { version, configuration, state, processor, pages, memory, initrd, notes };
}

/** Throws SnapshotError unless this version of the library can take up the snapshot. */
export function checkSnapshot(snapshot: Snapshot): void {
  if (snapshot.version !== snapshotVersion) throw new SnapshotError(versionProblem(snapshot.version));
  if (snapshot.processor.length !== processorStateBytes) {
    throw new SnapshotError(
      `the snapshot has ${String(snapshot.processor.length)} bytes of processor state, not ${String(processorStateBytes)}: save it again with this version`,
    );
  }
}

const versionProblem = (version: number): string =>
  `the snapshot has version ${String(version)} and this is version ${String(snapshotVersion)}: boot again and save anew`;

function bodyHash(bytes: Uint8Array): Hash {
  return new Hash().words(new Uint32Array(bytes.buffer, bytes.byteOffset), HEADER / 4, bytes.length / 4);
}

/** JSON has no bigint: it becomes { bigint: decimal digits }. */
function writeBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { bigint: value.toString() } : value;
}

function readBigint(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('bigint' in value)) return value;
  return typeof value.bigint === 'string' && Object.keys(value).length === 1 ? BigInt(value.bigint) : value;
}
