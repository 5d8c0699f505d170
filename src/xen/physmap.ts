import { fromHex, toHex } from '../../firmware-tables/hex.js';
import { SharedInfo } from '../../firmware-tables/xen/shared-info.js';
import type { Stateful } from '../devices/device.js';
import { frameBytes, type DomainFrames } from './domain-frames.js';
import type { DomainTime } from './domain-time.js';
import type { EventChannels } from './event-channels/index.js';
import type { GrantTable } from './grant-table.js';
import { XenPage, type XenPageState } from './xen-page.js';

/** The parts of a domain that have a hold on frames of the guest's map. */
export interface FrameHolders {
  readonly frames: DomainFrames;
  readonly events: EventChannels;
  readonly time: DomainTime;
  readonly grants: GrantTable;
}

export interface PhysmapState {
  readonly sharedInfo: XenPageState;
  readonly e820: string;
}

/** What a guest changes of its own physical map: Xen's pages in it, frames given away and taken back. */
export class Physmap implements Stateful<PhysmapState> {
  /** XENMEM_memory_map: entries of 20 bytes. */
  e820: Uint8Array;
  /** max_pages of the domain: the frames that it began with. */
  readonly mostFrames: number;
  private readonly sharedInfo: XenPage;

  constructor(
    private readonly holders: FrameHolders,
    { ramBytes, e820 }: { readonly ramBytes: number; readonly e820: Uint8Array },
  ) {
    this.mostFrames = ramBytes / frameBytes;
    this.e820 = e820;
    this.sharedInfo = new XenPage(holders.frames);
  }

  /** Puts shared_info at a frame, with its wall clock and the vCPU's time. */
  mapSharedInfo(gfn: number): void {
    const { events, time } = this.holders;
    this.mapPage(this.sharedInfo, gfn);
    events.setSharedInfo(gfn * frameBytes);
    const { version, seconds, nanoseconds } = time.wallClock();
    const clock = new Uint8Array(16);
    const view = new DataView(clock.buffer);
    view.setUint32(0, version, true);
    view.setUint32(4, Number(seconds & 0xffff_ffffn), true);
    view.setUint32(8, nanoseconds, true);
    view.setUint32(12, Number(seconds >> 32n), true);
    this.sharedInfo.write(SharedInfo.offsetOf('wc_version'), clock);
    time.update(events.vcpuInfoAddress);
  }

  /** Puts one of Xen's pages at a frame, over what is there. */
  mapPage(page: XenPage, gfn: number): void {
    if (page.gfn === gfn) return;
    this.leave(gfn);
    page.map(gfn);
  }

  /** XENMAPSPACE_gmfn: a frame of the domain's own moves. */
  move(from: number, to: number): void {
    const { frames } = this.holders;
    const bytes = frames.read(from * frameBytes, frameBytes);
    this.leave(to);
    frames.put(to, bytes);
    this.remove(from);
  }

  /** Takes a frame out of the map; false when there is none. */
  remove(gfn: number): boolean {
    const { frames } = this.holders;
    if (!frames.has(gfn)) return false;
    this.leave(gfn);
    frames.remove(gfn);
    return true;
  }

  /** XENMEM_populate_physmap of one frame: zeroes; false when the domain has all that it may have. */
  populate(gfn: number): boolean {
    const { frames } = this.holders;
    this.remove(gfn);
    if (frames.count >= this.mostFrames) return false;
    frames.put(gfn, new Uint8Array(frameBytes));
    return true;
  }

  save(): PhysmapState {
    return { sharedInfo: this.sharedInfo.save(), e820: toHex(this.e820) };
  }

  restore(state: PhysmapState): void {
    this.sharedInfo.restore(state.sharedInfo);
    this.e820 = fromHex(state.e820);
  }

  /** A frame is about to leave the map: what Xen holds of it stays with Xen. */
  private leave(gfn: number): void {
    const { events, grants } = this.holders;
    if (this.sharedInfo.gfn === gfn) events.setSharedInfo(undefined);
    events.frameLeaves(gfn);
    for (const page of [this.sharedInfo, ...grants.pages]) if (page.gfn === gfn) page.unmap();
  }
}
