import { createHash } from 'node:crypto';
import * as L from '../../src/cpu/state-layout.js';
import { SpecialPage, specialFrame, SpecialPages } from '../../src/devices/special-pages.js';
import { EventQueue } from '../../src/events.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { Machine } from '../../src/machine.js';
import { layout } from '../../src/memory/layout.js';
import { Domain } from '../../src/xen/domain.js';
import type { CallMode, XenHost, XenRegister } from '../../src/xen/host.js';
import type { HypercallRecord } from '../../src/xen/hypercall.js';

const ramBytes = 2 << 20;
const page = 4096;
const present = 1n;
const writable = 2n;
const large = 0x80n;
const bigPage = 1 << 21;
/** Page tables at the end of RAM, behind everything that a session names on purpose. */
const tables = ramBytes - 16 * page;
/** Frames of RAM that the places lead to. */
const firstPlain = 0x10_0000;

/** Guest-linear addresses. Up to the RAM's size an address is the physical one. */
export const places = {
  plain: 0x4000_0000n, // four pages that may be read and written
  readOnly: 0x4000_5000n,
  device: 0x4000_7000n, // the local APIC
  noRam: 0x4000_9000n, // behind RAM
  farAway: 0x4000_b000n, // the last page of MAXPHYADDR
  absent: 0x4000_d000n,
  lastOfRam: 0x4000_f000n,
  console: 0x4001_1000n, // special pages
  xenstore: 0x4001_3000n,
  sharedInfo: 0x4001_5000n, // three frames beside RAM where Xen's pages may be
  aliases: 0x8000_0000n, // 1 GiB that is one page
  highAliases: 0x80_0000_0000n, // 512 GiB that are the same page
  top: 0xffff_ffff_ffff_f000n, // behind it the addresses wrap to 0
} as const;

/** Where sessions put Xen's pages beside RAM. */
export const besideRam = 0x1000_0000;
export { ramBytes as hypercallRamBytes, firstPlain };

/**
 * A domain over the real processor's page tables, on which hypercalls are made directly. One machine serves many
 * sessions; each has a domain of its own.
 */
export class HypercallMachine {
  private readonly machine = new Machine({ artifacts: loadProcessorArtifacts(), memoryBytes: ramBytes });
  private readonly zeros = new Uint8Array(ramBytes);
  private readonly registers = new Map<XenRegister, bigint>();
  /** Accesses of Xen to devices: there must be none. */
  deviceAccesses: number[] = [];
  special = new SpecialPages();
  events = new EventQueue();
  mode: CallMode = 'wide';
  cpl = 0;
  tick = 0;
  tscOffset = 0n;
  interruptFlag = true;
  blocked = false;
  line = false;
  /** The instruction is to be executed again. */
  repeated = false;
  ends = 0;
  domain!: Domain;
  records: HypercallRecord[] = [];

  constructor() {
    this.machine.platform.readMmio = (address) => {
      this.deviceAccesses.push(address);
      return 0xff;
    };
    this.machine.platform.writeMmio = (address) => void this.deviceAccesses.push(address);
  }

  get memory(): Machine['memory'] {
    return this.machine.memory;
  }

  /** An empty RAM with the places mapped, and a domain at its start. */
  begin(): void {
    this.memory.writePhysical(0, this.zeros);
    this.deviceAccesses = [];
    this.registers.clear();
    this.special = new SpecialPages();
    this.events = new EventQueue();
    [this.mode, this.cpl, this.tick, this.tscOffset, this.ends] = ['wide', 0, 1000, 5000n, 0];
    [this.interruptFlag, this.blocked, this.repeated, this.line] = [true, false, false, false];
    this.records = [];
    this.mapPlaces();
    this.domain = this.make();
  }

  /** Another machine goes on where this one was saved. */
  saveAndRestore(): void {
    const state = JSON.parse(JSON.stringify(this.domain.save())) as ReturnType<Domain['save']>;
    const special = this.special.save();
    this.domain = this.make(); // the toolstack fills the pages of the rings
    this.special.restore(special);
    this.domain.restore(state);
  }

  /** One execution of the instruction that calls. Answers RAX. */
  call(number: bigint, registers: readonly bigint[]): bigint {
    const names: readonly XenRegister[] =
      this.mode === 'wide' ? ['rdi', 'rsi', 'rdx', 'r10', 'r8'] : ['rbx', 'rcx', 'rdx', 'rsi', 'rdi'];
    this.registers.set('rax', number);
    names.forEach((name, i) => this.registers.set(name, registers[i] ?? 0n));
    return this.again();
  }

  /** Executes it with the registers as they are. */
  again(): bigint {
    this.repeated = false;
    this.tick++;
    this.domain.hypercall();
    return this.registers.get('rax') ?? 0n;
  }

  /** Time goes on to the next event and it happens. */
  nextEvent(): void {
    if (this.events.next === Infinity) return;
    this.tick = Math.max(this.tick, this.events.next);
    const name = this.events.takeDue(this.tick);
    if (name !== undefined && !this.domain.onEvent(name)) throw new Error(`nobody knows the event ${name}`);
  }

  /** The bytes that the guest has, and all that Xen knows, by part. */
  digest(): Readonly<Record<string, string>> {
    const { tick, ends, blocked, mode, cpl } = this;
    const parts = { ...this.domain.save(), special: this.special.save(), due: this.events.save() };
    const sum = (what: string | Uint8Array): string => createHash('sha1').update(what).digest('hex').slice(0, 12);
    return {
      ...Object.fromEntries(Object.entries(parts).map(([name, state]) => [name, sum(JSON.stringify(state))])),
      ram: sum(this.memory.readPhysical(0, ramBytes)),
      rest: JSON.stringify({ tick, ends, blocked, mode, cpl }),
    };
  }

  /** Throws when anything behind the guest's RAM was written, or a device was asked. */
  requireGuard(): void {
    const { u8 } = this.memory as unknown as { u8: Uint8Array };
    if (u8.subarray(L.RAM + ramBytes).some((byte) => byte !== 0)) {
      throw new Error('a byte behind the guest RAM was written');
    }
    const [device] = this.deviceAccesses;
    if (device !== undefined) throw new Error(`the device at 0x${device.toString(16)} was accessed`);
  }

  private make(): Domain {
    const { special } = this;
    const at = (number: number) => ({ bytes: special.page(number), gfn: specialFrame(number) });
    const domain = new Domain(this.host(), {
      number: 1,
      name: 'fuzz',
      uuid: '01234567-89ab-cdef-0123-456789abcdef',
      startSeconds: 1_700_000_000,
      instruction: 'vmcall',
      windows: [special],
      consolePage: at(SpecialPage.console),
      xenstorePage: at(SpecialPage.xenstore),
      e820: new Uint8Array(60).fill(1),
    });
    domain.onHypercall = (record) => this.records.push(record);
    return domain;
  }

  private host(): XenHost {
    const machine = (): HypercallMachine => this;
    const { events } = this;
    return {
      memory: this.memory,
      getRegister: (name) => this.registers.get(name) ?? 0n,
      setRegister: (name, value) => {
        if (BigInt.asUintN(64, value) !== value) throw new Error(`${name} has no 64 bits: ${String(value)}`);
        this.registers.set(name, value);
      },
      rip: 0x100n,
      get cpl() {
        return machine().cpl;
      },
      get mode() {
        return machine().mode;
      },
      now: () => this.tick,
      timeStamp: () => BigInt(this.tick) + this.tscOffset,
      schedule: (name, tick) => {
        if (!Number.isSafeInteger(tick) || tick < 0) throw new Error(`${name} at ${String(tick)}: no tick`);
        events.schedule(name, tick);
      },
      cancel: (name) => {
        events.cancel(name);
      },
      interrupt: (vector) => {
        if (!Number.isInteger(vector) || vector < 16 || vector > 255) throw new Error(`vector ${String(vector)}`);
      },
      setCallbackLine: (asserted) => (this.line = asserted),
      interruptDue: () => this.interruptFlag && this.line,
      block: () => (this.blocked = true),
      wake: () => (this.blocked = false),
      repeat: () => (this.repeated = true),
      end: () => this.ends++,
      log: (line) => {
        if (/\p{Cc}/u.test(line)) throw new Error(`no clear line: ${line}`);
      },
    };
  }

  private mapPlaces(): void {
    const { memory } = this;
    const put = (table: number, index: number, value: bigint): void => {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, value | present, true);
      memory.writePhysical(table + index * 8, bytes);
    };
    const table = (n: number): number => tables + n * page;
    const [pml4, low, plain, leaves, aliasTable, aliases, highAliases, ram, topLow, topPages, topLeaves, devices] =
      Array.from({ length: 12 }, (_, i) => table(i)) as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
    const to = (physical: number): bigint => BigInt(physical) | writable;
    put(pml4, 0, to(low));
    put(low, 0, to(ram));
    for (let i = 0; i * bigPage < ramBytes; i++) put(ram, i, to(i * bigPage) | large);
    put(low, 1, to(plain));
    put(plain, 0, to(leaves));
    put(low, 2, to(aliases));
    put(low, 3, to(devices));
    for (let i = 480; i < 512; i++) put(devices, i, to(0xc000_0000 + i * bigPage) | large);
    put(pml4, 1, to(highAliases));
    for (let i = 0; i < 512; i++) {
      put(aliasTable, i, to(firstPlain + 8 * page));
      put(aliases, i, to(aliasTable));
      put(highAliases, i, to(aliases));
    }
    put(pml4, 511, to(topLow));
    put(topLow, 511, to(topPages));
    put(topPages, 511, to(topLeaves));
    put(topLeaves, 511, to(firstPlain + 9 * page));
    const leavesOf: readonly (readonly [bigint, number, boolean?])[] = [
      ...[0, 1, 2, 3].map((i) => [places.plain + BigInt(i * page), firstPlain + i * page] as const),
      [places.readOnly, firstPlain + 4 * page, true],
      [places.device, 0xfee0_0000],
      [places.noRam, ramBytes],
      [places.farAway, 0xff_ffff_f000],
      [places.lastOfRam, ramBytes - page],
      [places.console, layout.specialPages + SpecialPage.console * page],
      [places.xenstore, layout.specialPages + SpecialPage.xenstore * page],
      ...[0, 1, 2].map((i) => [places.sharedInfo + BigInt(i * page), besideRam + i * page] as const),
    ];
    for (const [linear, frame, readOnly] of leavesOf) {
      put(leaves, Number(linear - places.plain) / page, BigInt(frame) | (readOnly === true ? 0n : writable));
    }
    const { registers } = this.machine.processor;
    registers.cr4 = 0x20n;
    registers.efer = 0x500n;
    registers.cr3 = BigInt(pml4);
    registers.cr0 = 0x8001_0011n;
  }
}
