import type { Stateful } from '../devices/device.js';
import { frameBytes, type DomainFrames } from './domain-frames.js';
import { XenPage, type XenPageState } from './xen-page.js';

/** What xl gives: max_grant_frames. tools/libs/light; Xen's own default is the same. */
export const maxGrantFrames = 64;
const initialFrames = 1;
const reservedEntries = 8;
/** GTF_permit_access: the frame may be mapped by the domain named. xen/include/public/grant_table.h. */
const GTF_permit_access = 1;
const V1_ENTRY = 8;
const V2_ENTRY = 16;

/** Entries that the toolstack fills before the domain runs: GNTTAB_RESERVED_CONSOLE and _XENSTORE. */
export interface ReservedGrants {
  readonly consoleFrame: number;
  readonly xenstoreFrame: number;
}

export interface GrantTableState {
  readonly version: 1 | 2;
  readonly frames: readonly XenPageState[];
  readonly status: readonly XenPageState[];
}

/**
 * The domain's grant table as far as a guest without other domains sees it: its frames, their number and the version of
 * the entries. Nobody maps what is granted.
 */
export class GrantTable implements Stateful<GrantTableState> {
  version: 1 | 2 = 1;
  private frames: XenPage[] = [];
  private status: XenPage[] = [];

  constructor(
    private readonly map: DomainFrames,
    reserved: ReservedGrants,
  ) {
    this.grow(initialFrames);
    const entries = new Uint8Array(2 * V1_ENTRY);
    const view = new DataView(entries.buffer);
    [reserved.consoleFrame, reserved.xenstoreFrame].forEach((frame, index) => {
      view.setUint16(index * V1_ENTRY, GTF_permit_access, true); // for domain 0, at +2
      view.setUint32(index * V1_ENTRY + 4, frame, true);
    });
    this.frames[0]?.write(0, entries);
  }

  get count(): number {
    return this.frames.length;
  }

  /** Frame `index`, made when the table may grow so far; undefined beyond. */
  frame(index: number): XenPage | undefined {
    if (index < maxGrantFrames) this.grow(index + 1);
    return this.frames[index];
  }

  /** Frame `index` of the status words of version 2. */
  statusFrame(index: number): XenPage | undefined {
    return this.version === 2 ? this.status[index] : undefined;
  }

  /** The pages that the guest may have mapped. */
  get pages(): readonly XenPage[] {
    return [...this.frames, ...this.status];
  }

  grow(count: number): void {
    while (this.frames.length < count) this.frames.push(new XenPage(this.map));
    this.growStatus();
  }

  /** Entries other than the toolstack's are lost with a change of version, as under Xen. */
  setVersion(version: 1 | 2): void {
    if (version === this.version) return;
    const first = this.frames[0]?.read() ?? new Uint8Array(frameBytes);
    const kept = version === 2 ? upgrade(first) : downgrade(first);
    for (const page of this.frames) page.write(0, new Uint8Array(frameBytes));
    this.frames[0]?.write(0, kept);
    this.version = version;
    this.status = [];
    this.growStatus();
  }

  save(): GrantTableState {
    return {
      version: this.version,
      frames: this.frames.map((page) => page.save()),
      status: this.status.map((page) => page.save()),
    };
  }

  restore(state: GrantTableState): void {
    this.version = state.version;
    const pages = (states: readonly XenPageState[]): XenPage[] =>
      states.map((saved) => {
        const page = new XenPage(this.map);
        page.restore(saved);
        return page;
      });
    this.frames = pages(state.frames);
    this.status = pages(state.status);
  }

  /** A status word has 2 bytes, an entry of version 2 16: one frame of status for eight of entries. */
  private growStatus(): void {
    const wanted = this.version === 2 ? Math.ceil(this.frames.length / 8) : 0;
    while (this.status.length < wanted) this.status.push(new XenPage(this.map));
  }
}

/** The reserved entries of version 1 (flags, domain, 32-bit frame) as those of version 2 (flags, domain, pad, 64-bit frame). */
function upgrade(first: Uint8Array): Uint8Array {
  const out = new Uint8Array(reservedEntries * V2_ENTRY);
  for (let i = 0; i < reservedEntries; i++) {
    out.set(first.subarray(i * V1_ENTRY, i * V1_ENTRY + 4), i * V2_ENTRY);
    out.set(first.subarray(i * V1_ENTRY + 4, (i + 1) * V1_ENTRY), i * V2_ENTRY + 8);
  }
  return out;
}

function downgrade(first: Uint8Array): Uint8Array {
  const out = new Uint8Array(reservedEntries * V1_ENTRY);
  for (let i = 0; i < reservedEntries; i++) {
    out.set(first.subarray(i * V2_ENTRY, i * V2_ENTRY + 4), i * V1_ENTRY);
    out.set(first.subarray(i * V2_ENTRY + 8, i * V2_ENTRY + 12), i * V1_ENTRY + 4);
  }
  return out;
}
