/** Decodes guest code into instruction records: one block at a time, never across a page but by its last instruction. */
import {
  Code,
  Decoder,
  DecoderError,
  DecoderOptions,
  Instruction,
  OpKind,
  Register,
  type IcedDecoder,
} from './iced.js';
import type { ProcessorArtifacts } from './artifacts.js';
import { endsBlock, linkable } from './block-ends.js';
import { DecodeTemplates, ENDS_BLOCK, LINKABLE, RIP_RELATIVE } from './decode-templates.js';
import { GATE_SLOT, NO_HANDLER, handlerSlot } from './handler-slots.js';
import { FloatingUnit } from './isa/floating-unit.js';
import { registerAddress } from './register-addresses.js';
import * as L from './state-layout.js';
import { variableParts } from './variable-parts.js';

const MAX_BLOCK = 64; // instructions
const PAGE = 4096;

/** Why an instruction faults whenever it is executed. */
export interface Refusal {
  readonly vector: number;
  /** What is missing in this processor, for the log; undefined when the guest has switched the unit off. */
  readonly unimplemented?: string;
}

const LONGEST = 15; // bytes
const GENERAL_PROTECTION = 13;
const UNDEFINED_OPCODE = 6;
const DEVICE_NOT_AVAILABLE = 7;
/** What of the mode a record depends on. */
const DECODING_MODE = L.MODE_LONG | L.MODE_SEGMENTED | L.MODE_TASK_SWITCHED | L.MODE_EMULATE | L.MODE_NO_FXSR;
const UNITS_OFF = L.MODE_TASK_SWITCHED | L.MODE_EMULATE | L.MODE_NO_FXSR;

export interface DecodeRequest {
  readonly linear: bigint;
  readonly physical: number;
  readonly mode: number;
  /** Guest-physical address of the page behind, or undefined when it cannot be fetched; asked for once, when needed. */
  readonly nextPage: () => number | undefined;
  readonly isBreakpoint: (physical: number) => boolean;
}

export interface DecodedBlock {
  readonly record: number; // address of the first record
  readonly records: number; // count, pseudo-records included
  readonly bytes: number; // guest bytes covered
  readonly secondPage: number | undefined; // guest-physical page of the straddling instruction's tail
  readonly faultsBehind: boolean; // the first instruction runs into a page that cannot be fetched: nothing was decoded
}

export class BlockDecoder {
  private readonly view: DataView;
  private readonly u8: Uint8Array;
  private readonly templates: DecodeTemplates;
  /** The bytes from the instruction at hand on. */
  private window: Uint8Array = new Uint8Array(0);
  private readonly instruction = new Instruction();
  private readonly handlers: Uint16Array;
  private readonly pseudo: ProcessorArtifacts['pseudo'];
  private readonly units: Uint8Array;
  private readonly segmentBase = new Uint32Array(512);
  /** Where the next record goes. */
  cursor = L.RECORDS;

  /** `learns` is false in tests alone: then every instruction takes the long way. */
  constructor(
    memory: WebAssembly.Memory,
    artifacts: Pick<ProcessorArtifacts, 'handlers' | 'pseudo' | 'units'>,
    private readonly learns = true,
  ) {
    this.handlers = artifacts.handlers;
    this.pseudo = artifacts.pseudo;
    this.units = artifacts.units;
    this.view = new DataView(memory.buffer);
    this.u8 = new Uint8Array(memory.buffer);
    this.templates = new DecodeTemplates(memory);
    for (const name of ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'] as const) {
      this.segmentBase[Register[name]] = (registerAddress[Register[name]] ?? 0) + L.SEGMENT_BASE;
    }
  }

  /** True when there may be no room for another block: the caller must drop all blocks first. */
  get full(): boolean {
    return this.cursor + (2 * MAX_BLOCK + 4) * L.RECORD_BYTES > L.RECORDS_END;
  }

  /** All records are free again. */
  reset(): void {
    this.cursor = L.RECORDS;
    this.refused.clear();
  }

  decode(request: DecodeRequest): DecodedBlock {
    const { linear, physical, mode } = request;
    const inPage = PAGE - (physical % PAGE);
    const long = (mode & L.MODE_LONG) !== 0;
    const start = this.cursor;
    const low = Number(linear & 0xffff_ffffn);
    const high = Number(linear >> 32n);
    const { templates } = this;
    const root = templates.root(mode & DECODING_MODE);
    const code = L.RAM + physical;
    let records = 0;
    let offset = 0;
    let secondPage: number | undefined;
    for (let count = 0; count < MAX_BLOCK && offset < inPage; count++) {
      const template = templates.find(root, code + offset, code + inPage);
      if (template !== 0) {
        if (request.isBreakpoint(physical + offset)) {
          this.emitPseudo(this.pseudo.breakpoint, linear + BigInt(offset));
          records++;
        }
        const record = this.cursor;
        this.cursor += L.RECORD_BYTES;
        const at = low + offset; // in the page of `low`: no carry
        templates.write(template, record, code + offset, at, high, long);
        records++;
        offset += templates.length(template);
        if (templates.endsBlock(template)) break;
        continue;
      }
      this.window = this.u8.subarray(code + offset, code + Math.min(inPage, offset + LONGEST + 1));
      if (!this.next(linear + BigInt(offset), long)) {
        // It runs into the next page, or is no instruction.
        if (offset + 15 > inPage && this.decoder?.lastError === DecoderError.NoMoreBytes) {
          // A block of its own: the next page is translated when the guest gets there, not when code is decoded.
          if (records > 0) break;
          const next = request.nextPage();
          if (next === undefined) return { record: start, records: 0, bytes: 0, secondPage, faultsBehind: true };
          const tail = this.u8.subarray(L.RAM + next, L.RAM + next + 15);
          const joined = new Uint8Array(inPage - offset + LONGEST);
          joined.set(this.window);
          joined.set(tail, inPage - offset);
          this.window = joined;
          this.next(linear + BigInt(offset), long);
          if (offset + this.length > inPage) {
            secondPage = next;
            this.emitCheckPage(linear + BigInt(offset), linear + BigInt(inPage), next);
            records++;
          }
        }
      }
      if (request.isBreakpoint(physical + offset)) {
        this.emitPseudo(this.pseudo.breakpoint, linear + BigInt(offset));
        records++;
      }
      const record = this.cursor;
      const ends = this.emitInstruction(offset, linear, long, mode);
      if (this.learns && secondPage === undefined) this.learn(root, code + offset, record, ends);
      records++;
      offset += this.length;
      if (ends || secondPage !== undefined) break;
    }
    this.emitPseudo(this.pseudo.end, linear + BigInt(offset));
    return { record: start, records: records + 1, bytes: offset, secondPage, faultsBehind: false };
  }

  /** Keeps the record just written as a template. */
  private learn(root: number, at: number, record: number, ends: boolean): void {
    const handler = this.view.getUint16(record + L.REC_HANDLER, true);
    if (handler === this.pseudo.undefined || handler === this.handlers[GATE_SLOT] || this.decoder === undefined) return;
    const shift = this.view.getUint8(record + L.REC_SHIFT);
    const parts = variableParts(this.decoder.getConstantOffsets(this.instruction), this.immediateOperand, shift);
    if (parts === undefined) return;
    const ripRelative = this.view.getUint32(record + L.REC_BASE, true) === record + L.REC_NEXT_RIP;
    const flags = (ripRelative ? RIP_RELATIVE : 0) | (this.linkable ? LINKABLE : 0) | (ends ? ENDS_BLOCK : 0);
    this.templates.learn(root, at, record, this.length, parts | flags);
  }

  /** Bytes of the instruction at hand. */
  private length = 0;
  /** The kind of its last operand that is neither register nor memory. */
  private immediateOperand: number = OpKind.Register;
  private linkable = false;
  private decoder: IcedDecoder | undefined;

  private isGate(): boolean {
    const w = this.window;
    return w[0] === 0x0f && w[1] === 0x3f && w[2] === 0x45 && w[3] === 0x4b && w.length >= 6;
  }

  /** Decodes the window's first instruction; false when the bytes at hand are no whole one. */
  private next(address: bigint, long: boolean): boolean {
    this.decoder?.free();
    this.decoder = undefined;
    if (this.isGate()) {
      this.length = 6;
      return true;
    }
    this.decoder = new Decoder(long ? 64 : 32, this.window, DecoderOptions.None);
    this.decoder.ip = BigInt.asUintN(64, address);
    this.decoder.decodeOut(this.instruction);
    this.length = Math.max(1, this.instruction.length);
    return this.instruction.code !== Code.INVALID;
  }

  private emitPseudo(handler: number, linear: bigint): number {
    const record = this.cursor;
    this.cursor += L.RECORD_BYTES;
    this.view.setUint32(record + L.REC_HANDLER, handler, true);
    this.view.setUint32(record + L.REC_SCALE, 0, true); // scale, shift, length, flags
    this.view.setBigUint64(record + L.REC_NEXT_RIP, BigInt.asUintN(64, linear), true);
    return record;
  }

  private emitCheckPage(linear: bigint, second: bigint, physical: number): void {
    const record = this.emitPseudo(this.pseudo.checkPage, linear);
    this.view.setUint32(record + L.REC_OP0, physical, true);
    this.view.setBigUint64(record + L.REC_IMMEDIATE, BigInt.asUintN(64, second), true);
  }

  /** Writes the record of the instruction at `offset`; true when it ends the block. */
  private emitInstruction(offset: number, linear: bigint, long: boolean, mode: number): boolean {
    const { view } = this;
    const record = this.cursor;
    this.cursor += L.RECORD_BYTES;
    const address = linear + BigInt(offset);
    if (this.isGate()) {
      const handler = this.handlers[GATE_SLOT] ?? NO_HANDLER;
      view.setUint32(record + L.REC_HANDLER, handler, true);
      view.setUint32(record + L.REC_SCALE, 6 << 16, true);
      const service = (this.window[4] ?? 0) | ((this.window[5] ?? 0) << 8);
      view.setBigInt64(record + L.REC_IMMEDIATE, BigInt(service), true);
      view.setBigUint64(record + L.REC_NEXT_RIP, BigInt.asUintN(64, address + 6n), true);
      return true;
    }
    const i = this.instruction;
    const { code } = i;
    const next = long
      ? BigInt.asUintN(64, address + BigInt(this.length))
      : BigInt.asUintN(32, address + BigInt(this.length));
    const operands = i.opCount;
    const flow = i.flowControl;
    this.linkable = linkable(flow);
    this.immediateOperand = OpKind.Register;
    let memory = false;
    let flags = 0;
    let string16 = false; // such a form is refused below, with a line in the log
    let immediate = 0n;
    view.setUint32(record + L.REC_OP0, 0, true);
    view.setUint32(record + L.REC_OP1, 0, true);
    for (let n = 0; n < operands; n++) {
      const kind = n === 0 ? i.op0Kind : n === 1 ? i.op1Kind : i.opKind(n);
      if (kind !== OpKind.Register && kind !== OpKind.Memory) this.immediateOperand = kind;
      switch (kind) {
        case OpKind.Register:
          if (n === 0) view.setUint32(record + L.REC_OP0, registerAddress[i.op0Register] ?? 0, true);
          else if (n === 1) view.setUint32(record + L.REC_OP1, registerAddress[i.op1Register] ?? 0, true);
          else immediate = BigInt(registerAddress[i.opRegister(n)] ?? 0); // MASKMOVDQU's mask
          break;
        case OpKind.Memory:
          memory = true;
          break;
        case OpKind.NearBranch32:
        case OpKind.NearBranch64:
          immediate = i.nearBranchTarget;
          break;
        case OpKind.FarBranch32:
          immediate = BigInt(i.farBranch32);
          view.setUint32(record + L.REC_OP0, i.farBranchSelector, true);
          break;
        case OpKind.Immediate8:
        case OpKind.Immediate16:
        case OpKind.Immediate32:
        case OpKind.Immediate64:
        case OpKind.Immediate8to64:
        case OpKind.Immediate32to64:
          immediate = i.immediate(n);
          break;
        case OpKind.Immediate8_2nd:
          view.setUint32(record + L.REC_OP1, i.immediate8_2nd, true);
          break;
        case OpKind.Immediate8to16:
          immediate = BigInt.asUintN(16, i.immediate(n));
          break;
        case OpKind.Immediate8to32:
          immediate = BigInt.asUintN(32, i.immediate(n));
          break;
        default: {
          // String operands and other implicit memory: the address size shows in the register.
          if (kind === OpKind.MemorySegEDI || kind === OpKind.MemorySegESI || kind === OpKind.MemoryESEDI)
            flags |= L.REC_ADDRESS32;
          string16 ||= kind === OpKind.MemorySegSI || kind === OpKind.MemorySegDI || kind === OpKind.MemoryESDI;
          memory ||= kind === OpKind.MemorySegRDI || kind === OpKind.MemorySegEDI;
        }
      }
    }
    let base = L.ZERO;
    let index = L.ZERO;
    let scale = 0;
    let shift = 0;
    let displacement = 0;
    let segment = L.ZERO;
    if (memory) {
      flags |= L.REC_IS_MEMORY;
      const baseRegister = i.memoryBase;
      const indexRegister = i.memoryIndex;
      const size = i.memoryDisplSize;
      if (baseRegister === Register.RIP || baseRegister === Register.EIP) {
        // iced gives the absolute target: keep it relative to the record's own next RIP.
        base = record + L.REC_NEXT_RIP;
        displacement = Number(BigInt.asIntN(32, i.memoryDisplacement - next));
        if (baseRegister === Register.EIP) shift = 32;
      } else {
        if (baseRegister !== Register.None) base = registerAddress[baseRegister] ?? L.ZERO;
        // XLAT adds AL itself.
        if (indexRegister !== Register.None && indexRegister !== Register.AL)
          index = registerAddress[indexRegister] ?? L.ZERO;
        scale = Math.log2(i.memoryIndexScale);
        if (size === 8 && base === L.ZERO && index === L.ZERO) {
          // A 64-bit absolute address (moffs): the immediate field holds it.
          const absolute = i.memoryDisplacement;
          if (BigInt.asIntN(32, absolute) === BigInt.asIntN(64, absolute))
            displacement = Number(BigInt.asIntN(32, absolute));
          else {
            base = record + L.REC_IMMEDIATE;
            immediate = absolute;
          }
        } else if (size !== 0) displacement = Number(BigInt.asIntN(32, i.memoryDisplacement));
        if (isRegister16(baseRegister) || isRegister16(indexRegister) || size === 2) shift = 48;
        else if (
          !long ||
          isRegister32(baseRegister) ||
          isRegister32(indexRegister) ||
          (size === 4 && base === L.ZERO && index === L.ZERO)
        )
          shift = 32;
      }
      if (shift !== 0 && !(baseRegister === Register.RIP)) flags |= L.REC_ADDRESS32;
    }
    const segmentRegister = i.memorySegment;
    if (segmentRegister === Register.SS) flags |= L.REC_STACK_SEGMENT;
    const based = long
      ? segmentRegister === Register.FS || segmentRegister === Register.GS
      : (mode & L.MODE_SEGMENTED) !== 0 || segmentRegister === Register.FS || segmentRegister === Register.GS;
    if (based) segment = this.segmentBase[segmentRegister] || L.ZERO;
    if (i.hasRepePrefix || i.hasRepPrefix) flags |= L.REC_REP;
    if (i.hasRepnePrefix) flags |= L.REC_REPNE;

    let handler = this.handlers[handlerSlot(code, memory, long)] ?? NO_HANDLER;
    if (code === Code.INVALID) handler = NO_HANDLER; // its slot is the gate's
    if (string16) handler = NO_HANDLER;
    if (handler === NO_HANDLER) handler = this.refuse(record, code, this.length);
    else if ((mode & UNITS_OFF) !== 0) handler = this.checkUnit(record, handler, mode);
    const ends = endsBlock(flow, code) || handler === this.pseudo.undefined;
    if (this.linkable && immediate >> 12n === address >> 12n) flags |= L.REC_LINKABLE;
    view.setUint32(record + L.REC_HANDLER, handler, true);
    view.setUint32(record + L.REC_BASE, base, true);
    view.setUint32(record + L.REC_INDEX, index, true);
    view.setUint32(record + L.REC_SCALE, scale | (shift << 8) | (this.length << 16) | (flags << 24), true);
    view.setUint32(record + L.REC_SEGMENT, segment, true);
    view.setInt32(record + L.REC_DISPLACEMENT, displacement, true);
    view.setBigUint64(record + L.REC_IMMEDIATE, BigInt.asUintN(64, immediate), true);
    view.setBigUint64(record + L.REC_NEXT_RIP, next, true);
    return ends;
  }

  /** What stands at a record of the `undefined` handler, for the log when it is executed. */
  readonly refused = new Map<number, Refusal>();

  /** Replaces the handler of an instruction whose unit is switched off. Intel SDM volume 3, 2.5 and 13.1. */
  private checkUnit(record: number, handler: number, mode: number): number {
    const unit = this.units[handler] ?? FloatingUnit.none;
    if (unit === FloatingUnit.none) return handler;
    const emulate = (mode & L.MODE_EMULATE) !== 0;
    const undefinedOpcode =
      unit === FloatingUnit.mmx ? emulate : unit === FloatingUnit.sse && (emulate || (mode & L.MODE_NO_FXSR) !== 0);
    const notAvailable = (mode & L.MODE_TASK_SWITCHED) !== 0 || (unit === FloatingUnit.x87 && emulate);
    if (!undefinedOpcode && !notAvailable) return handler;
    this.refused.set(record, { vector: undefinedOpcode ? UNDEFINED_OPCODE : DEVICE_NOT_AVAILABLE });
    return this.pseudo.undefined;
  }

  private refuse(record: number, code: number, length: number): number {
    // An instruction of more than 15 bytes is #GP(0), of whatever kind. Intel SDM volume 3, 6.15, interrupt 13.
    if (code === INVALID && length >= LONGEST) {
      this.refused.set(record, { vector: GENERAL_PROTECTION });
      return this.pseudo.undefined;
    }
    const bytes = Array.from(this.window.subarray(0, length), (b) => b.toString(16).padStart(2, '0'));
    const unimplemented = code === INVALID ? `opcode ${bytes.join(' ')}` : `instruction ${Code[code] ?? ''}`;
    this.refused.set(record, { vector: UNDEFINED_OPCODE, unimplemented });
    return this.pseudo.undefined;
  }
}

const INVALID: number = Code.INVALID;
/** Whether a register number lies in a range of iced's, whose enum is ordered by kind. */
const within = (register: number, first: number, last: number): boolean => register >= first && register <= last;
const isRegister16 = (register: number): boolean => within(register, Register.AX, Register.R15W);
const isRegister32 = (register: number): boolean => within(register, Register.EAX, Register.R15D);
