/** Which pages of guest RAM were written, and a hash of what RAM holds: both kept up by the processor's dirty log. */
import { ramAddress, type RamSizes } from '../memory/ram-map.js';
import { Hash, hex32 } from './state-hash.js';
import * as L from './state-layout.js';

const PAGE = 4096;
const PAGE_WORDS = PAGE / 4;

export class RamPages {
  private readonly u8: Uint8Array;
  private readonly u32: Uint32Array;
  /** The dirty log: one byte a page. */
  private readonly log: Uint8Array;
  private readonly pages: number;
  /** 1 for a page that an earlier look at the log found written. */
  private readonly touched: Uint8Array;
  /** By page: the two halves of the hash of its content; 0 for a page of zeroes. */
  private hashes: Uint32Array | undefined;
  private high = 0;
  private low = 0;

  /** `startLog` closes every write tag, so that the next store to any page is logged again. */
  constructor(
    memory: WebAssembly.Memory,
    private readonly ram: RamSizes,
    private readonly startLog: () => void,
  ) {
    this.u8 = new Uint8Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.pages = Math.ceil(ram.ramBytes / PAGE);
    this.log = this.u8.subarray(L.DIRTY_PAGES, L.DIRTY_PAGES + this.pages);
    this.touched = new Uint8Array(this.pages);
  }

  /** Guest-physical address of the page with this number: pages are counted through all of RAM. */
  address(page: number): number {
    return ramAddress(this.ram, page * PAGE);
  }

  /** Numbers of the pages that may hold anything but zeroes, ascending. */
  written(): number[] {
    const found: number[] = [];
    for (let page = 0; page < this.pages; page++) {
      if (this.touched[page] === 1 || this.log[page] === 1) found.push(page);
    }
    return found;
  }

  /** A borrowed view of a page, until the guest runs on. */
  page(page: number): Uint8Array {
    return this.u8.subarray(L.RAM + page * PAGE, L.RAM + (page + 1) * PAGE);
  }

  isZero(page: number): boolean {
    const first = (L.RAM + page * PAGE) / 4;
    for (let i = first; i < first + PAGE_WORDS; i++) if (this.u32[i] !== 0) return false;
    return true;
  }

  /**
   * A hash of all of RAM: the sum over its pages, so that only those written since the last call are read. It does not
   * depend on when it was asked for before. The guest notices nothing: a closed write tag opens at the next store.
   */
  digest(): string {
    const hashes = (this.hashes ??= new Uint32Array(2 * this.pages));
    let any = false;
    for (let page = this.log.indexOf(1); page !== -1; page = this.log.indexOf(1, page + 1)) {
      any = true;
      this.log[page] = 0;
      this.rehash(hashes, page);
    }
    if (any) this.startLog();
    return hex32(this.high) + hex32(this.low);
  }

  private rehash(hashes: Uint32Array, page: number): void {
    this.touched[page] = 1;
    let high = 0;
    let low = 0;
    if (!this.isZero(page)) {
      const first = (L.RAM + page * PAGE) / 4;
      const hash = new Hash().word(page).words(this.u32, first, first + PAGE_WORDS);
      ({ high, low } = hash);
    }
    this.high = (this.high + high - (hashes[2 * page] ?? 0)) >>> 0;
    this.low = (this.low + low - (hashes[2 * page + 1] ?? 0)) >>> 0;
    hashes[2 * page] = high;
    hashes[2 * page + 1] = low;
  }
}
