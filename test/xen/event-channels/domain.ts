import { FifoWordBit } from '../../../firmware-tables/xen/event-fifo.js';
import { EventChannels, type EventChannelOptions } from '../../../src/xen/event-channels/index.js';
import type { DomainMemory } from '../../../src/xen/domain-memory.js';
import { GuestAddressError } from '../../../src/memory/guest-memory.js';

/** Frames from guest-physical 0, some of which may be missing. */
export class FakeDomain implements DomainMemory {
  readonly bytes: Uint8Array;
  readonly holes = new Set<number>();
  readonly view: DataView;

  constructor(frames: number) {
    this.bytes = new Uint8Array(frames * 4096);
    this.view = new DataView(this.bytes.buffer);
  }

  #check(address: number, length: number): void {
    const last = Math.floor((address + length - 1) / 4096);
    let missing = !(address >= 0 && address + length <= this.bytes.length);
    for (let frame = Math.floor(address / 4096); !missing && frame <= last; frame++) missing = this.holes.has(frame);
    if (missing) throw new GuestAddressError(BigInt(Math.trunc(address)), length, 'not-ram');
  }

  read(address: number, length: number): Uint8Array {
    this.#check(address, length);
    return this.bytes.slice(address, address + length);
  }

  write(address: number, bytes: Uint8Array): void {
    this.#check(address, bytes.length);
    this.bytes.set(bytes, address);
  }

  u32(address: number): number {
    return this.view.getUint32(address, true);
  }

  u64(address: number): bigint {
    return this.view.getBigUint64(address, true);
  }
}

/** Where the guest of these tests keeps its pages: frame numbers. */
export const at = { sharedInfo: 0x10, vcpuInfo: 0x11, control: 0x12, array: 0x13, moreArray: 0x14 } as const;

/** A domain whose shared_info is mapped, and what came of it. */
export class Guest {
  readonly memory = new FakeDomain(0x40);
  upcalls = 0;
  readonly channels: EventChannels;

  constructor(options: EventChannelOptions = {}) {
    this.channels = new EventChannels(this.memory, () => this.upcalls++, options);
    this.channels.setSharedInfo(at.sharedInfo * 4096);
  }

  // 2-level, 64 bits

  get upcallPending(): number {
    return this.memory.bytes[at.sharedInfo * 4096]!;
  }

  get selector(): bigint {
    return this.memory.u64(at.sharedInfo * 4096 + 8);
  }

  pendingWord(word: number): bigint {
    return this.memory.u64(at.sharedInfo * 4096 + 2048 + 8 * word);
  }

  mask(port: number): void {
    this.memory.bytes[at.sharedInfo * 4096 + 2560 + (port >> 3)]! |= 1 << (port & 7);
  }

  masked(port: number): boolean {
    return (this.memory.bytes[at.sharedInfo * 4096 + 2560 + (port >> 3)]! & (1 << (port & 7))) !== 0;
  }

  /** As a guest's handler begins: everything is taken. Ports are those of the 2-level bitmaps. */
  takePending(): number[] {
    const base = at.sharedInfo * 4096;
    this.memory.bytes.fill(0, base, base + 16);
    const ports: number[] = [];
    for (let port = 0; port < 4096; port++) {
      const byte = base + 2048 + (port >> 3);
      if ((this.memory.bytes[byte]! & (1 << (port & 7))) === 0 || this.masked(port)) continue;
      this.memory.bytes[byte]! &= ~(1 << (port & 7));
      ports.push(port);
    }
    return ports;
  }

  // FIFO

  /** Switches as Linux does: control block, then one array page with every event masked. */
  useFifo(): this {
    this.memory.bytes.fill(0, at.control * 4096, (at.control + 1) * 4096);
    this.channels.initControl(at.control, 0, 0);
    this.maskArray(at.array);
    this.channels.expandArray(at.array);
    return this;
  }

  maskArray(gfn: number): void {
    for (let word = 0; word < 1024; word++)
      this.memory.view.setUint32(gfn * 4096 + 4 * word, 2 ** FifoWordBit.MASKED, true);
  }

  word(port: number): number {
    return this.memory.u32(at.array * 4096 + 4 * port);
  }

  setWord(port: number, value: number): void {
    this.memory.view.setUint32(at.array * 4096 + 4 * port, value >>> 0, true);
  }

  get ready(): number {
    return this.memory.u32(at.control * 4096);
  }

  head(queue: number): number {
    return this.memory.u32(at.control * 4096 + 8 + 4 * queue);
  }
}
