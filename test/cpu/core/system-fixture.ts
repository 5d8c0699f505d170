/** A core in protected or long mode with a GDT, IDT, TSS and stacks, and one instruction record to run helpers with. */
import { TestCore, P, W, U } from './memory-fixture.js';
import * as s from '../../../src/cpu/state-layout.js';

export const RECORD = s.RECORDS;
export const gdt = 0x1000;
export const idt = 0x2000;
export const tss = 0x3000;
export const memory = 0x6000; // for memory operands
export const kernelStack = 0x9000; // grows down
export const privilegedStack = 0xb000; // RSP0
export const istStack = 0xd000; // IST1
export const userStack = 0xf000;
export const readOnlyPage = 0x1_0000;
export const absentPage = 0x1_1000;

/** Selectors of the GDT below. */
export const sel = {
  code64: 0x08,
  data: 0x10,
  userCode32: 0x18,
  userData: 0x20,
  userCode64: 0x28,
  absentCode: 0x30,
  conforming64: 0x38,
  tss: 0x40, // 16 bytes in long mode
  absentData: 0x50,
  code32: 0x58,
  ldt: 0x60, // 16 bytes in long mode
  readOnly: 0x70,
  longAndBig: 0x78,
  executeOnly: 0x80,
  beyond: 0x200,
} as const;

export const descriptorOf = (access: number, flags: number, base = 0n, limit = 0xf_ffffn): bigint =>
  (limit & 0xffffn) |
  ((base & 0xff_ffffn) << 16n) |
  (BigInt(access) << 40n) |
  (((limit >> 16n) & 15n) << 48n) |
  (BigInt(flags) << 52n) |
  (((base >> 24n) & 0xffn) << 56n);

export interface Fields {
  op0?: number;
  op1?: number;
  base?: number;
  displacement?: number;
  flags?: number;
  immediate?: bigint;
  length?: number;
}

export class SystemCore extends TestCore {
  readonly log: [string, ...number[]][];
  ports: (port: number, bytes: number) => number = () => 0;
  msr: (index: number) => bigint | undefined = () => undefined;
  priority = 0;

  constructor(readonly kind: 'long' | 'legacy' = 'long') {
    const log: [string, ...number[]][] = [];
    super({
      unimplemented: (what, detail) => void log.push(['unimplemented', Number(what), Number(detail)]),
      readPort: (port, bytes) => this.ports(Number(port), Number(bytes)),
      writePort: (port, bytes, value) => void log.push(['out', Number(port), Number(bytes), Number(value) >>> 0]),
      readMsr: (index) => {
        const value = this.msr(Number(index) >>> 0);
        if (value !== undefined) this.set64(s.SCRATCH, value);
        return value === undefined ? 0 : 1;
      },
      writeMsr: (index, low, high) => {
        log.push(['wrmsr', Number(index) >>> 0, Number(low) >>> 0, Number(high) >>> 0]);
        return this.msr(Number(index) >>> 0) === undefined ? 0 : 1;
      },
      cpuid: (leaf, subleaf) => {
        [leaf, subleaf, 3, 4].forEach((value, i) => {
          this.set32(s.SCRATCH + 4 * i, Number(value));
        });
      },
      random: () => {
        this.set64(s.SCRATCH, 0x1122_3344_5566_7788n);
      },
      readTaskPriority: () => this.priority,
      writeTaskPriority: (value) => {
        this.priority = Number(value);
      },
    });
    this.log = log;
    const long = kind === 'long';
    for (let page = 0x1000; page < readOnlyPage; page += 0x1000) this.map(BigInt(page), page, P | W | U);
    this.map(BigInt(readOnlyPage), readOnlyPage, P | U);
    this.set64(s.CR0, long ? 0x8001_0031n : 0x31n);
    this.set64(s.CR4, 0x6b0n);
    this.set64(s.EFER, long ? 0xd01n : 0n);
    const table: Record<number, bigint> = {
      [sel.code64]: descriptorOf(0x9b, long ? 0xa : 0xc),
      [sel.data]: descriptorOf(0x93, 0xc),
      [sel.userCode32]: descriptorOf(0xfb, 0xc),
      [sel.userData]: descriptorOf(0xf3, 0xc),
      [sel.userCode64]: descriptorOf(0xfb, long ? 0xa : 0xc),
      [sel.absentCode]: descriptorOf(0x1b, long ? 0xa : 0xc),
      [sel.conforming64]: descriptorOf(0x9f, long ? 0xa : 0xc),
      [sel.tss]: descriptorOf(0x89, 0, BigInt(tss), 0xfffn),
      [sel.absentData]: descriptorOf(0x13, 0xc),
      [sel.code32]: descriptorOf(0x9b, 0xc),
      [sel.ldt]: descriptorOf(0x82, 0, 0x4000n, 0xffn),
      [sel.readOnly]: descriptorOf(0x91, 0xc),
      [sel.longAndBig]: descriptorOf(0x9b, 0xe),
      [sel.executeOnly]: descriptorOf(0x99, 0xa),
    };
    for (const [at, value] of Object.entries(table)) this.setRam(gdt + Number(at), value);
    this.set64(s.GDTR_BASE, BigInt(gdt));
    this.set32(s.GDTR_LIMIT, 0x87);
    this.set64(s.IDTR_BASE, BigInt(idt));
    this.set32(s.IDTR_LIMIT, 0xfff);
    this.segment(s.SEG_TR, sel.tss, 0x8b, tss, 0xfff);
    this.setRam(tss + 4, BigInt(privilegedStack) | (long ? 0n : BigInt(sel.data) << 32n));
    if (long) this.setRam(tss + 36, BigInt(istStack));
    this.segment(s.SEG_DS, sel.data, 0xc093);
    this.segment(s.SEG_ES, sel.data, 0xc093);
    this.kernel();
    this.flags = 2n;
    this.set64(s.RIP, 0x5555n);
    this.view.setFloat64(s.RUN_END, 1000, true);
    this.set32(s.BUDGET, 100);
    this.view.setFloat64(s.SHADOW_TICK, -1, true);
  }

  segment(at: number, selector: number, attributes: number, base = 0, limit = 0xffff_ffff): void {
    this.set32(at, selector);
    this.set32(at + s.SEGMENT_ATTRIBUTES, attributes);
    this.set64(at + s.SEGMENT_BASE, BigInt(base));
    this.set32(at + s.SEGMENT_LIMIT, limit);
  }
  /** CPL 0 on the kernel stack. */
  kernel(): void {
    this.segment(s.SEG_CS, sel.code64, this.kind === 'long' ? 0xa09b : 0xc09b);
    this.segment(s.SEG_SS, sel.data, 0xc093);
    this.privilege(0, kernelStack);
  }
  /** CPL 3 on the user stack. */
  user(): void {
    this.segment(s.SEG_CS, sel.userCode64 | 3, this.kind === 'long' ? 0xa0fb : 0xc0fb);
    this.segment(s.SEG_SS, sel.userData | 3, 0xc0f3);
    this.privilege(3, userStack);
  }
  /** 32-bit code under long mode, at CPL 0. */
  compatibility(): void {
    this.segment(s.SEG_CS, sel.code32, 0xc09b);
    this.call('updateMode');
  }
  private privilege(cpl: number, stack: number): void {
    this.set32(s.CPL, cpl);
    this.set64(s.RSP, BigInt(stack));
    this.call('updateMode');
  }
  gate(
    vector: number,
    {
      selector = sel.code64,
      offset = 0x7000n,
      type = 0xe,
      dpl = 0,
      present = true,
      ist = 0,
    }: { selector?: number; offset?: bigint; type?: number; dpl?: number; present?: boolean; ist?: number } = {},
  ): void {
    const access = BigInt((present ? 0x80 : 0) | (dpl << 5) | type);
    const low =
      (offset & 0xffffn) |
      (BigInt(selector) << 16n) |
      (BigInt(ist) << 32n) |
      (access << 40n) |
      (((offset >> 16n) & 0xffffn) << 48n);
    const at = idt + vector * (this.kind === 'long' ? 16 : 8);
    this.setRam(at, low);
    if (this.kind === 'long') this.setRam(at + 8, offset >> 32n);
  }
  /** Sets the pending exception as raise() does. */
  pend(vector: number, error?: number): void {
    this.call('raise', vector, error ?? 0, error === undefined ? 0 : 1);
  }
  /** Runs a helper on a record; the next RIP is 0x1002 unless `length` says otherwise. */
  run(name: string, fields: Fields = {}): number {
    const length = fields.length ?? 2;
    this.bytes.fill(0, RECORD, RECORD + s.RECORD_BYTES);
    this.set32(RECORD + s.REC_OP0, fields.op0 ?? 0);
    this.set32(RECORD + s.REC_OP1, fields.op1 ?? 0);
    this.set32(RECORD + s.REC_BASE, fields.base ?? s.ZERO);
    this.set32(RECORD + s.REC_INDEX, s.ZERO);
    this.set32(RECORD + s.REC_SEGMENT, s.ZERO);
    this.set32(RECORD + s.REC_DISPLACEMENT, fields.displacement ?? 0);
    this.bytes[RECORD + s.REC_FLAGS] = fields.flags ?? 0;
    this.bytes[RECORD + s.REC_LENGTH] = length;
    this.set64(RECORD + s.REC_IMMEDIATE, fields.immediate ?? 0n);
    this.set64(RECORD + s.REC_NEXT_RIP, 0x1000n + BigInt(length));
    return this.call32(name, RECORD);
  }
  /** Runs a helper whose memory operand lies at `address`. */
  runMemory(name: string, address: number, fields: Fields = {}): number {
    return this.run(name, { ...fields, displacement: address, flags: (fields.flags ?? 0) | s.REC_IS_MEMORY });
  }
  selector(segment: number): number {
    return this.get32(segment);
  }
  get flags(): bigint {
    return this.call64('readFlags');
  }
  set flags(value: bigint) {
    this.call('writeFlags', value, 0x3f_7fd5n);
  }
  /** Pushes 8-byte (or 4-byte) values at the stack pointer, last first in memory order. */
  frame(values: readonly (bigint | number)[], bytes = 8): void {
    const at = Number(this.get64(s.RSP)) - values.length * bytes;
    values.forEach((value, i) => {
      if (bytes === 8) this.setRam(at + 8 * i, BigInt(value));
      else this.set32(s.RAM + at + 4 * i, Number(value));
    });
    this.set64(s.RSP, BigInt(at));
  }
}
