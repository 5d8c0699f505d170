/** Registers as views on the processor's state in linear memory. */
import type { Core } from './core-exports.js';
import * as L from './state-layout.js';
import {
  generalRegisters,
  type GeneralRegister,
  type Registers,
  type SegmentName,
  type SegmentState,
  type TableRegister,
} from './types.js';

const segmentAddress: Readonly<Record<SegmentName, number>> = {
  es: L.SEG_ES,
  cs: L.SEG_CS,
  ss: L.SEG_SS,
  ds: L.SEG_DS,
  fs: L.SEG_FS,
  gs: L.SEG_GS,
};

export interface FlagAccess {
  read(): bigint;
  write(value: bigint): void;
}

/** `changed` is told when something moved that the execution mode depends on. */
export class RegisterView implements Registers {
  private readonly view: DataView;

  constructor(
    memory: WebAssembly.Memory,
    private readonly flags: FlagAccess,
    private readonly changed: () => void,
  ) {
    this.view = new DataView(memory.buffer);
  }

  private u64(address: number): bigint {
    return this.view.getBigUint64(address, true);
  }
  private setU64(address: number, value: bigint): void {
    this.view.setBigUint64(address, BigInt.asUintN(64, value), true);
  }

  get(name: GeneralRegister): bigint {
    return this.u64(L.RAX + 8 * generalRegisters.indexOf(name));
  }
  set(name: GeneralRegister, value: bigint): void {
    this.setU64(L.RAX + 8 * generalRegisters.indexOf(name), value);
  }
  get rip(): bigint {
    return this.u64(L.RIP);
  }
  set rip(value: bigint) {
    this.setU64(L.RIP, value);
  }
  get rflags(): bigint {
    return this.flags.read();
  }
  set rflags(value: bigint) {
    this.flags.write(value);
  }
  get cr0(): bigint {
    return this.u64(L.CR0);
  }
  set cr0(value: bigint) {
    this.setU64(L.CR0, value);
    this.changed();
  }
  get cr2(): bigint {
    return this.u64(L.CR2);
  }
  set cr2(value: bigint) {
    this.setU64(L.CR2, value);
  }
  get cr3(): bigint {
    return this.u64(L.CR3);
  }
  set cr3(value: bigint) {
    this.setU64(L.CR3, value);
    this.changed();
  }
  get cr4(): bigint {
    return this.u64(L.CR4);
  }
  set cr4(value: bigint) {
    this.setU64(L.CR4, value);
    this.changed();
  }
  get efer(): bigint {
    return this.u64(L.EFER);
  }
  set efer(value: bigint) {
    this.setU64(L.EFER, value);
    this.changed();
  }
  get cpl(): number {
    return this.view.getUint32(L.CPL, true);
  }

  segment(name: SegmentName): SegmentState {
    return this.segmentAt(segmentAddress[name]);
  }
  setSegment(name: SegmentName, state: SegmentState): void {
    this.setSegmentAt(segmentAddress[name], state);
    if (name === 'cs') this.view.setUint32(L.CPL, state.selector & 3, true);
    this.changed();
  }
  get ldtr(): SegmentState {
    return this.segmentAt(L.SEG_LDTR);
  }
  set ldtr(state: SegmentState) {
    this.setSegmentAt(L.SEG_LDTR, state);
  }
  get tr(): SegmentState {
    return this.segmentAt(L.SEG_TR);
  }
  set tr(state: SegmentState) {
    this.setSegmentAt(L.SEG_TR, state);
  }
  get gdtr(): TableRegister {
    return { base: this.u64(L.GDTR_BASE), limit: this.view.getUint32(L.GDTR_LIMIT, true) };
  }
  set gdtr({ base, limit }: TableRegister) {
    this.setU64(L.GDTR_BASE, base);
    this.view.setUint32(L.GDTR_LIMIT, limit, true);
  }
  get idtr(): TableRegister {
    return { base: this.u64(L.IDTR_BASE), limit: this.view.getUint32(L.IDTR_LIMIT, true) };
  }
  set idtr({ base, limit }: TableRegister) {
    this.setU64(L.IDTR_BASE, base);
    this.view.setUint32(L.IDTR_LIMIT, limit, true);
  }

  private segmentAt(address: number): SegmentState {
    return {
      selector: this.view.getUint32(address + L.SEGMENT_SELECTOR, true),
      attributes: this.view.getUint32(address + L.SEGMENT_ATTRIBUTES, true),
      base: this.u64(address + L.SEGMENT_BASE),
      limit: this.view.getUint32(address + L.SEGMENT_LIMIT, true),
    };
  }
  private setSegmentAt(address: number, { selector, attributes, base, limit }: SegmentState): void {
    this.view.setUint32(address + L.SEGMENT_SELECTOR, selector, true);
    this.view.setUint32(address + L.SEGMENT_ATTRIBUTES, attributes, true);
    this.setU64(address + L.SEGMENT_BASE, base);
    this.view.setUint32(address + L.SEGMENT_LIMIT, limit, true);
  }
}

/** The registers of a processor; `core` keeps its flags and its mode. */
export function registersOf(
  memory: WebAssembly.Memory,
  core: Pick<Core, 'materialiseFlags' | 'absorbFlags' | 'flushAll' | 'updateMode'>,
): RegisterView {
  const view = new DataView(memory.buffer);
  const flags: FlagAccess = {
    read: () => {
      core.materialiseFlags();
      return view.getBigUint64(L.SCRATCH, true);
    },
    write: (value) => {
      view.setBigUint64(L.SCRATCH, value, true);
      core.absorbFlags();
    },
  };
  return new RegisterView(memory, flags, () => {
    core.flushAll();
    core.updateMode();
  });
}
