import { fromHex, toHex } from '../../firmware-tables/hex.js';
import { SharedInfo, SharedInfo32 } from '../../firmware-tables/xen/shared-info.js';
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
  /** Called when one of Xen's pages has come to a guest-physical address, and when it is about to leave one. */
  onMapped: ((what: 'shared_info' | 'grant table', address: number) => void) | undefined;
  onLeaving: ((address: number) => void) | undefined;

  constructor(
    private readonly holders: FrameHolders,
    { ramBytes, e820 }: { readonly ramBytes: number; readonly e820: Uint8Array },
  ) {
    this.mostFrames = ramBytes / frameBytes;
    this.e820 = e820;
    this.sharedInfo = new XenPage(holders.frames);
    this.writeWallClock();
  }

  /** Puts shared_info at a frame, with the vCPU's time. */
  mapSharedInfo(gfn: number): void {
    const { events, time } = this.holders;
    this.mapPage(this.sharedInfo, gfn);
    events.setSharedInfo(gfn * frameBytes);
    time.update(events.vcpuInfoAddress);
  }

  /** The layout of shared_info follows the mode that the guest is in now: hvm_latch_shinfo_size() of Xen. */
  latch(wordBits: 32 | 64): void {
    this.holders.events.wordBits = wordBits;
    this.writeWallClock();
  }

  /** update_domain_wallclock_time() of Xen: when the domain is made, and with each latch. */
  private writeWallClock(): void {
    const { events, time } = this.holders;
    const layout = events.wordBits === 64 ? SharedInfo : SharedInfo32;
    const { seconds, nanoseconds } = time.wallClock();
    const old = new DataView(this.sharedInfo.read().slice().buffer).getUint32(layout.offsetOf('wc_version'), true);
    const put = (name: 'wc_version' | 'wc_sec' | 'wc_nsec' | 'wc_sec_hi', value: number): void => {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, value, true);
      this.sharedInfo.write(layout.offsetOf(name), bytes);
    };
    put('wc_version', (old & ~1) + 2);
    put('wc_sec', Number(seconds & 0xffff_ffffn));
    put('wc_nsec', nanoseconds);
    put('wc_sec_hi', Number(seconds >> 32n));
  }

  /** Puts one of Xen's pages at a frame, over what is there. */
  mapPage(page: XenPage, gfn: number): void {
    if (page.gfn === gfn) return;
    this.leave(gfn);
    const old = page.gfn;
    page.map(gfn);
    if (old !== undefined) this.holders.events.frameMoves(old, gfn);
    if (old !== undefined) this.onLeaving?.(old * frameBytes);
    this.onMapped?.(page === this.sharedInfo ? 'shared_info' : 'grant table', gfn * frameBytes);
  }

  /** XENMAPSPACE_gmfn: a frame of the domain's own moves. */
  move(from: number, to: number): void {
    const { frames } = this.holders;
    const bytes = frames.read(from * frameBytes, frameBytes);
    this.leave(to);
    const { events, grants } = this.holders;
    const page = [this.sharedInfo, ...grants.pages].find(({ gfn }) => gfn === from);
    if (page !== undefined)
      page.map(to); // Xen's page goes there, and no frame comes to its old place
    else frames.put(to, bytes);
    events.frameMoves(from, to);
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
    for (const page of [this.sharedInfo, ...grants.pages]) {
      if (page.gfn !== gfn) continue;
      this.onLeaving?.(gfn * frameBytes);
      page.unmap();
    }
  }
}
