import { SpecialPage, specialFrame, SpecialPages } from '../../src/devices/special-pages.js';
import { GuestAddressError, type GuestMemory } from '../../src/memory/guest-memory.js';
import { Domain, type DomainDescription } from '../../src/xen/domain.js';
import type { CallMode, DomainEnd, XenHost, XenRegister } from '../../src/xen/host.js';
import type { HypercallRecord } from '../../src/xen/hypercall.js';
import { PlainRam } from './ram.js';

const RAM = 1 << 20;
const pages = { readOnly: 0xf_0000, absent: 0xf_1000 } as const;

/** A page that the guest may not write and one that it has not mapped; the rest is where it is. */
class GuardedRam extends PlainRam implements GuestMemory {
  override readVirtual(address: bigint, length: number): Uint8Array {
    this.guard(address, length, pages.absent, 'not-present');
    return super.readVirtual(address, length);
  }
  override writeVirtual(address: bigint, bytes: Uint8Array): void {
    this.requireWritable(address, bytes.length);
    super.writeVirtual(address, bytes);
  }
  override requireWritable(address: bigint, length: number): void {
    this.guard(address, length, pages.absent, 'not-present');
    this.guard(address, length, pages.readOnly, 'read-only');
    super.requireWritable(address, length);
  }
  private guard(address: bigint, length: number, page: number, why: 'not-present' | 'read-only'): void {
    const at = Number(address);
    if (at + length > page && at < page + 4096) throw new GuestAddressError(address, length, why);
  }
}

const wide: readonly XenRegister[] = ['rdi', 'rsi', 'rdx', 'r10', 'r8'];
const narrow: readonly XenRegister[] = ['rbx', 'rcx', 'rdx', 'rsi', 'rdi'];

/** A domain with 1 MiB of RAM at linear = physical addresses, and everything that it asks of its machine. */
export class TestDomain {
  static readonly readOnly = pages.readOnly;
  static readonly absent = pages.absent;
  readonly ram = new GuardedRam(RAM);
  readonly special = new SpecialPages();
  readonly registers = new Map<XenRegister, bigint>();
  readonly interrupts: number[] = [];
  readonly events = new Map<string, number>();
  readonly lines: string[] = [];
  readonly calls: HypercallRecord[] = [];
  mode: CallMode = 'wide';
  cpl = 0;
  tick = 1000;
  tscOffset = 5000n;
  callbackLine = false;
  blocked = false;
  /** IF of the virtual processor. */
  interruptFlag = true;
  /** The local APIC asks for attention; a test clears it where its guest would take the interrupt. */
  interruptWaits = false;
  repeats = 0;
  end: DomainEnd | undefined;
  readonly domain: Domain;

  constructor(private readonly initial?: NonNullable<DomainDescription['initial']>) {
    this.domain = this.make();
    this.domain.onHypercall = (call) => this.calls.push(call);
  }

  /** A second domain over the same memory: what a restored machine makes. */
  make(): Domain {
    const page = (number: number) => ({ bytes: this.special.page(number), gfn: specialFrame(number) });
    return new Domain(this.host(), {
      number: 1,
      name: 'test',
      uuid: '01234567-89ab-cdef-0123-456789abcdef',
      startSeconds: 1_700_000_000,
      instruction: 'vmcall',
      windows: [this.special],
      consolePage: page(SpecialPage.console),
      xenstorePage: page(SpecialPage.xenstore),
      e820: Uint8Array.from({ length: 60 }, (_, i) => i),
      ...(this.initial && { initial: this.initial }),
    });
  }

  /** Makes a hypercall; the result is signed. */
  call(number: number, ...args: (number | bigint)[]): number {
    const bits = this.mode === 'wide' ? 64 : 32;
    this.registers.set('rax', BigInt.asUintN(64, BigInt(number)));
    (bits === 64 ? wide : narrow).forEach((name, i) => {
      this.registers.set(name, BigInt.asUintN(64, BigInt(args[i] ?? 0)));
    });
    this.domain.hypercall();
    return Number(BigInt.asIntN(bits, this.registers.get('rax') ?? 0n));
  }

  /** Stores little-endian numbers of so many bytes at an address. */
  store(address: number, ...values: readonly (readonly [bytes: 1 | 2 | 4 | 8, value: number | bigint])[]): number {
    let at = address;
    for (const [bytes, value] of values) {
      let rest = BigInt.asUintN(64, BigInt(value));
      for (let i = 0; i < bytes; i++, rest >>= 8n) this.ram.bytes[at++] = Number(rest & 0xffn);
    }
    return address;
  }

  u32(address: number): number {
    return new DataView(this.ram.bytes.buffer).getUint32(address, true);
  }

  u64(address: number): bigint {
    return new DataView(this.ram.bytes.buffer).getBigUint64(address, true);
  }

  /** Moves time to an event that was scheduled and lets it happen. */
  fire(name: string): void {
    const tick = this.events.get(name);
    if (tick === undefined) throw new Error(`no event ${name} waits: ${[...this.events.keys()].join(', ')}`);
    this.events.delete(name);
    this.tick = Math.max(this.tick, tick);
    this.domain.onEvent(name);
  }

  private host(): XenHost {
    const machine = (): TestDomain => this;
    return {
      memory: this.ram,
      getRegister: (name) => this.registers.get(name) ?? 0n,
      setRegister: (name, value) => this.registers.set(name, value),
      rip: 0x100n,
      get cpl() {
        return machine().cpl;
      },
      get mode() {
        return machine().mode;
      },
      now: () => this.tick,
      timeStamp: () => BigInt(this.tick) + this.tscOffset,
      schedule: (name, tick) => this.events.set(name, tick),
      cancel: (name) => this.events.delete(name),
      interrupt: (vector) => {
        this.interrupts.push(vector);
        this.interruptWaits = true;
      },
      setCallbackLine: (asserted) => (this.callbackLine = asserted),
      interruptDue: () => this.interruptFlag && (this.callbackLine || this.interruptWaits),
      block: () => (this.blocked = true),
      wake: () => (this.blocked = false),
      repeat: () => (this.repeats += 1),
      end: (end) => (this.end ??= end),
      log: (line) => this.lines.push(line),
    };
  }
}
