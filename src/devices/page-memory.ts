import { fromHex, toHex } from '../../firmware-tables/hex.js';
import type { MmioDevice, Stateful } from './device.js';

export const PAGE_BYTES = 4096;

/** Pages that hold anything but zeroes, by their number, in hexadecimal. */
export type PageMemoryState = Readonly<Record<string, string>>;

/**
 * Pages of plain memory behind the MMIO windows, for frames that are no RAM of the guest's but that it reads and writes
 * like RAM. Meant for data: every access takes the way of a device.
 */
export class PageMemory implements MmioDevice, Stateful<PageMemoryState> {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  /** `address` is guest-physical, a multiple of the page size. */
  constructor(
    readonly address: number,
    readonly pages: number,
  ) {
    this.bytes = new Uint8Array(pages * PAGE_BYTES);
    this.view = new DataView(this.bytes.buffer);
  }

  /** The page itself: it stays the same as long as the machine stands, and changes with the guest. */
  page(number: number): Uint8Array {
    if (!Number.isInteger(number) || number < 0 || number >= this.pages) {
      throw new RangeError(`page ${String(number)} is none of the ${String(this.pages)} pages here`);
    }
    return this.bytes.subarray(number * PAGE_BYTES, (number + 1) * PAGE_BYTES);
  }

  /** Whether all of a guest-physical range lies in these pages. */
  covers(address: number, length: number): boolean {
    return address >= this.address && address + length <= this.address + this.bytes.length;
  }

  /** A copy of guest-physical bytes that lie in these pages. */
  read(address: number, length: number): Uint8Array {
    return this.bytes.slice(address - this.address, address - this.address + length);
  }

  /** Stores bytes at a guest-physical address of these pages. */
  write(address: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, address - this.address);
  }

  readMmio(offset: number, bytes: 1 | 2 | 4): number {
    if (bytes === 4) return this.view.getUint32(offset, true);
    return bytes === 2 ? this.view.getUint16(offset, true) : this.view.getUint8(offset);
  }

  writeMmio(offset: number, bytes: 1 | 2 | 4, value: number): void {
    if (bytes === 4) this.view.setUint32(offset, value, true);
    else if (bytes === 2) this.view.setUint16(offset, value, true);
    else this.view.setUint8(offset, value);
  }

  save(): PageMemoryState {
    const state: Record<string, string> = {};
    for (let number = 0; number < this.pages; number++) {
      const page = this.page(number);
      if (page.some((byte) => byte !== 0)) state[String(number)] = toHex(page);
    }
    return state;
  }

  restore(state: PageMemoryState): void {
    this.bytes.fill(0);
    for (const [number, text] of Object.entries(state)) this.page(Number(number)).set(fromHex(text));
  }
}
