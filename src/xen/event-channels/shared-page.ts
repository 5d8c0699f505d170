import { SharedInfo, SharedInfo32 } from '../../../firmware-tables/xen/shared-info.js';
import { VcpuInfo, VcpuInfo32 } from '../../../firmware-tables/xen/vcpu-info.js';
import { Errno } from '../errno.js';
import type { DomainMemory } from '../domain-memory.js';
import { Frame, frameBytes, type FrameState } from './frame.js';

export interface SharedPageState {
  readonly wordBits: 32 | 64;
  readonly shared: FrameState;
  /** null: inside shared_info. */
  readonly vcpu: { readonly frame: FrameState; readonly offset: number } | null;
}

interface Place {
  readonly frame: Frame;
  readonly offset: number; // bytes within the frame
}

/**
 * shared_info and vCPU 0's vcpu_info as far as they carry events, in the layout of a 32- or of a 64-bit domain. The
 * frame of shared_info is Xen's and exists whether the guest has mapped it or not.
 */
export class SharedPage {
  #shared: Frame;
  #vcpu: Place; // inside #shared until it is moved
  #wordBits: 32 | 64 = 64;

  constructor(
    private readonly memory: DomainMemory,
    private readonly markEventsPending: () => void,
  ) {
    this.#shared = new Frame(memory);
    this.#vcpu = { frame: this.#shared, offset: 0 };
  }

  /** BITS_PER_EVTCHN_WORD. */
  get wordBits(): 32 | 64 {
    return this.#wordBits;
  }

  /** As hvm_latch_shinfo_size(): what the page holds already is not converted. */
  set wordBits(bits: 32 | 64) {
    this.#wordBits = bits;
  }

  get shared(): Frame {
    return this.#shared;
  }

  /** Bytes from the start of shared_info. */
  get pendingOffset(): number {
    return (this.#wordBits === 64 ? SharedInfo : SharedInfo32).offsetOf('evtchn_pending');
  }

  get maskOffset(): number {
    return (this.#wordBits === 64 ? SharedInfo : SharedInfo32).offsetOf('evtchn_mask');
  }

  /** Guest-physical address of vCPU 0's vcpu_info; undefined while the guest has no access to it. */
  get vcpuInfoAddress(): number | undefined {
    const { frame, offset } = this.#vcpu;
    return frame.address === undefined ? undefined : frame.address + offset;
  }

  get #moved(): boolean {
    return this.#vcpu.frame !== this.#shared;
  }

  get #selectorOffset(): number {
    return this.#vcpu.offset + (this.#wordBits === 64 ? VcpuInfo : VcpuInfo32).offsetOf('evtchn_pending_sel');
  }

  get upcallPending(): boolean {
    const { frame, offset } = this.#vcpu;
    return frame.read8(offset) !== 0;
  }

  /** Answers whether it was set before: bit 0 alone, as Xen looks. */
  setUpcallPending(): boolean {
    const { frame, offset } = this.#vcpu;
    return frame.setBit(offset, 0);
  }

  /** Marks a word of the pending bits; answers whether it was marked before. */
  setSelector(word: number): boolean {
    return this.#vcpu.frame.setBit(this.#selectorOffset, word);
  }

  setSharedInfo(address: number | undefined): void {
    if (address === undefined) {
      this.#shared.detach();
      return;
    }
    const kept = this.#shared.attach(address);
    if (!kept) return; // the frame moved, and its bytes with it
    // Only what is kept here: the clocks in the frame are written by their own part.
    const end = this.maskOffset + (this.maskOffset - this.pendingOffset);
    this.#shared.write(this.pendingOffset, kept.slice(this.pendingOffset, end));
    this.#shared.write(0, kept.slice(0, VcpuInfo.offsetOf('cr2')));
  }

  setVcpuInfo(address: number): void {
    const offset = address % frameBytes;
    this.#move({ frame: new Frame(this.memory, address - offset), offset });
  }

  mapVcpuInfo(gfn: number, offset: number): number {
    const alignment = this.#wordBits / 8;
    if (offset > frameBytes - VcpuInfo.size || offset % alignment !== 0) return Errno.ENXIO;
    if (this.#moved) return Errno.EINVAL;
    const frame = Frame.at(this.memory, gfn);
    if (!frame) return Errno.EINVAL;
    this.#move({ frame, offset });
    return 0;
  }

  /** Everything is marked pending, lest an event get lost between the two places. */
  #move(place: Place): void {
    const old = this.#vcpu;
    place.frame.write(place.offset, old.frame.read(old.offset, VcpuInfo.size));
    this.#vcpu = place;
    place.frame.write(this.#selectorOffset, new Uint8Array(this.#wordBits / 8).fill(0xff));
    this.markEventsPending();
  }

  /** The frames that the map may lose. */
  *frames(): Iterable<Frame> {
    yield this.#shared;
    if (this.#moved) yield this.#vcpu.frame;
  }

  save(): SharedPageState {
    return {
      wordBits: this.#wordBits,
      shared: this.#shared.save(),
      vcpu: this.#moved ? { frame: this.#vcpu.frame.save(), offset: this.#vcpu.offset } : null,
    };
  }

  restore(state: SharedPageState): void {
    this.#wordBits = state.wordBits;
    this.#shared = Frame.restored(this.memory, state.shared);
    this.#vcpu = state.vcpu
      ? { frame: Frame.restored(this.memory, state.vcpu.frame), offset: state.vcpu.offset }
      : { frame: this.#shared, offset: 0 };
  }
}
