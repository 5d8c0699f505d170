import { generalRegisters, segmentNames, type EntryState, type Registers, type SegmentState } from './types.js';

/** Flat segments, as boot protocols want them. Selectors are arbitrary where the protocol leaves them open. */
const flatCode32: SegmentState = { selector: 0x10, base: 0n, limit: 0xffff_ffff, attributes: 0xc09b };
const flatCode64: SegmentState = { selector: 0x10, base: 0n, limit: 0xffff_ffff, attributes: 0xa09b };
const flatData: SegmentState = { selector: 0x18, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 };
const busyTask: SegmentState = { selector: 0, base: 0n, limit: 0x67, attributes: 0x008b };
const noLdt: SegmentState = { selector: 0, base: 0n, limit: 0xffff, attributes: 0x0082 };

/** Puts the processor into the state in which a boot protocol enters the guest. */
export function enterState(registers: Registers, state: EntryState): void {
  for (const name of generalRegisters) registers.set(name, state.registers?.[name] ?? 0n);
  registers.efer = state.efer ?? 0n;
  registers.cr4 = state.cr4 ?? 0n;
  registers.cr3 = state.cr3 ?? 0n;
  registers.cr0 = state.cr0 ?? 0x11n;
  registers.gdtr = state.gdtr ?? { base: 0n, limit: 0 };
  registers.idtr = state.idtr ?? { base: 0n, limit: 0 };
  registers.ldtr = noLdt;
  registers.tr = state.tr ?? busyTask;
  for (const name of segmentNames) {
    const flat = name !== 'cs' ? flatData : state.mode === 'long64' ? flatCode64 : flatCode32;
    registers.setSegment(name, state.segments?.[name] ?? flat);
  }
  registers.rip = state.rip;
  registers.rflags = (state.rflags ?? 0n) | 2n;
}
