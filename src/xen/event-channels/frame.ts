import { GuestAddressError } from '../../memory/guest-memory.js';
import type { DomainMemory } from '../domain-memory.js';

export const frameBytes = 4096;

/** Frame numbers from here on are beyond every physical address of the processor (52 bits). */
const frameLimit = 2 ** 40;

/** Where a frame is, or its bytes in hexadecimal once no address leads to it. */
export type FrameState = { readonly address: number } | { readonly bytes: string };

/**
 * One frame that Xen shares with the guest. Xen keeps its hold on a frame also when the guest-physical map no longer
 * has it: then the bytes are here. Offsets are bytes within the frame and must lie in it. Nothing throws: what cannot
 * be read is 0, what cannot be written is lost.
 */
export class Frame {
  #address: number | undefined;
  #bytes: Uint8Array | undefined;

  /** At a guest-physical address; without one the frame is Xen's own and zero. */
  constructor(
    private readonly memory: DomainMemory,
    address?: number,
  ) {
    this.#address = address;
    if (address === undefined) this.#bytes = new Uint8Array(frameBytes);
  }

  /** The frame at a guest frame number, or undefined where there is none. */
  static at(memory: DomainMemory, gfn: number): Frame | undefined {
    if (!Number.isInteger(gfn) || gfn < 0 || gfn >= frameLimit) return undefined;
    try {
      memory.read(gfn * frameBytes, frameBytes);
    } catch (error) {
      if (error instanceof GuestAddressError) return undefined;
      throw error;
    }
    return new Frame(memory, gfn * frameBytes);
  }

  /** Guest-physical; undefined while nothing leads here. */
  get address(): number | undefined {
    return this.#address;
  }

  /** The map is about to lose this frame, or has lost it: `bytes` take its place and are used from now on. */
  detach(bytes = this.read(0, frameBytes)): void {
    if (this.#address === undefined) return;
    this.#bytes = bytes;
    this.#address = undefined;
  }

  /** The frame is now at a guest-physical address. The bytes there count; what was kept is given back. */
  attach(address: number): Uint8Array | undefined {
    const kept = this.#bytes;
    this.#address = address;
    this.#bytes = undefined;
    return kept;
  }

  read(offset: number, length: number): Uint8Array {
    if (this.#bytes) return this.#bytes.slice(offset, offset + length);
    try {
      return this.memory.read(this.#address! + offset, length);
    } catch (error) {
      if (error instanceof GuestAddressError) return new Uint8Array(length);
      throw error;
    }
  }

  write(offset: number, bytes: Uint8Array): void {
    if (this.#bytes) {
      this.#bytes.set(bytes, offset);
      return;
    }
    try {
      this.memory.write(this.#address! + offset, bytes);
    } catch (error) {
      if (!(error instanceof GuestAddressError)) throw error;
    }
  }

  read8(offset: number): number {
    return this.read(offset, 1)[0] ?? 0;
  }

  write8(offset: number, value: number): void {
    this.write(offset, Uint8Array.of(value));
  }

  /** Unsigned, little endian. */
  read32(offset: number): number {
    const b = this.read(offset, 4);
    return (b[0]! | (b[1]! << 8) | (b[2]! << 16) | (b[3]! << 24)) >>> 0;
  }

  write32(offset: number, value: number): void {
    this.write(offset, Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24));
  }

  /** Bit `bit` of the little-endian bit string that begins at `offset`. */
  testBit(offset: number, bit: number): boolean {
    return ((this.read8(offset + (bit >>> 3)) >>> (bit & 7)) & 1) !== 0;
  }

  /** As testBit, which it answers for the time before. */
  setBit(offset: number, bit: number): boolean {
    return this.#changeBit(offset, bit, true);
  }

  /** As testBit, which it answers for the time before. */
  clearBit(offset: number, bit: number): boolean {
    return this.#changeBit(offset, bit, false);
  }

  #changeBit(offset: number, bit: number, value: boolean): boolean {
    const at = offset + (bit >>> 3);
    const old = this.read8(at);
    const mask = 1 << (bit & 7);
    const was = (old & mask) !== 0;
    if (was !== value) this.write8(at, old ^ mask);
    return was;
  }

  save(): FrameState {
    if (this.#address !== undefined) return { address: this.#address };
    return { bytes: Array.from(this.#bytes!, (byte) => byte.toString(16).padStart(2, '0')).join('') };
  }

  static restored(memory: DomainMemory, state: FrameState): Frame {
    if ('address' in state) return new Frame(memory, state.address);
    const frame = new Frame(memory);
    const bytes = Uint8Array.from({ length: frameBytes }, (_, i) => parseInt(state.bytes.slice(2 * i, 2 * i + 2), 16));
    frame.write(0, bytes);
    return frame;
  }
}
