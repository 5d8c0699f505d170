import { fromHex, toHex } from '../../firmware-tables/hex.js';
import { frameBytes, type DomainFrames } from './domain-frames.js';

/** Where the page is, or its bytes in hexadecimal while the guest has not mapped it. */
export type XenPageState = { readonly gfn: number } | { readonly bytes: string };

/** A page of Xen's own that a guest may have mapped at one place: its bytes are there while it has. */
export class XenPage {
  private kept: Uint8Array | undefined = new Uint8Array(frameBytes);
  private at = -1;

  constructor(private readonly frames: DomainFrames) {}

  /** The frame number at which the guest sees it. */
  get gfn(): number | undefined {
    return this.kept === undefined ? this.at : undefined;
  }

  read(): Uint8Array {
    return this.kept ?? this.frames.read(this.at * frameBytes, frameBytes);
  }

  write(offset: number, bytes: Uint8Array): void {
    if (this.kept !== undefined) this.kept.set(bytes, offset);
    else this.frames.write(this.at * frameBytes + offset, bytes);
  }

  /** Moves it to a place in the guest's map, over what is there. */
  map(gfn: number): void {
    if (this.gfn === gfn) return;
    const bytes = this.read();
    const old = this.gfn;
    this.frames.put(gfn, bytes, 'xen');
    [this.at, this.kept] = [gfn, undefined];
    if (old !== undefined) this.frames.remove(old);
  }

  /** The guest's map loses the page: Xen keeps it. */
  unmap(): void {
    if (this.kept !== undefined) return;
    this.kept = this.read();
  }

  save(): XenPageState {
    return this.kept === undefined ? { gfn: this.at } : { bytes: toHex(this.kept) };
  }

  restore(state: XenPageState): void {
    if ('gfn' in state) [this.at, this.kept] = [state.gfn, undefined];
    else this.kept = fromHex(state.bytes);
  }
}
