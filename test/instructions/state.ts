import { generalRegisters, type GeneralRegister } from '../../src/cpu/types.js';

/**
 * Linear addresses at which every instruction is executed, on the real processor and on ours: two executable,
 * read-only code pages filled with INT3; two writable data pages, then a read-only one. The pages around are absent.
 */
export const codePages = { address: 0x1000_0000, bytes: 0x2000 } as const;
export const dataPages = { address: 0x2000_0000, bytes: 0x3000, readOnlyAt: 0x2000 } as const;

/** Where most instructions are placed: far enough from both ends of the code pages for every short jump. */
export const usualRip = BigInt(codePages.address + 0x800);

/** Bytes of the FXSAVE image that a state holds: everything up to XMM15. Intel SDM volume 1, 10.5.1. */
export const fxBytes = 416;
export const fxOffset = { fcw: 0, fsw: 2, ftw: 4, mxcsr: 24, st: 32, xmm: 160 } as const;

/** RFLAGS bits. Intel SDM volume 1, 3.4.3. */
export const Flag = {
  CF: 1,
  PF: 4,
  AF: 0x10,
  ZF: 0x40,
  SF: 0x80,
  TF: 0x100,
  IF: 0x200,
  DF: 0x400,
  OF: 0x800,
  NT: 0x4000,
  RF: 0x1_0000,
  AC: 0x4_0000,
  ID: 0x20_0000,
} as const;
export const arithmeticFlags = Flag.CF | Flag.PF | Flag.AF | Flag.ZF | Flag.SF | Flag.OF;

/** Bytes placed in the data pages before the instruction runs. */
export interface Window {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** What a user-mode program can see of the processor, and the memory it may change. */
export interface MachineState {
  /** In encoding order: RAX RCX RDX RBX RSP RBP RSI RDI R8-R15. */
  readonly general: BigUint64Array;
  rip: bigint;
  rflags: number;
  /** 64, or 32 for compatibility mode with flat segments. */
  readonly bits: 32 | 64;
  /** FXSAVE image, `fxBytes` bytes. */
  readonly fx: Uint8Array;
  readonly windows: Window[];
}

/** An exception, as the handler sees it. */
export interface Fault {
  readonly vector: number;
  readonly errorCode: number;
  /** CR2; only for #PF. */
  readonly cr2: bigint | undefined;
}

/** What came out. RIP is the address of the INT3 that was reached, or of the instruction that faulted. */
export interface Outcome {
  readonly general: BigUint64Array;
  readonly rip: bigint;
  readonly rflags: number;
  readonly fx: Uint8Array;
  /** Runs of changed bytes in the data pages, ascending, never adjacent. */
  readonly changes: Window[];
  readonly fault: Fault | undefined;
}

export function registerIndex(name: GeneralRegister): number {
  return generalRegisters.indexOf(name);
}
export function setRegister(state: MachineState, name: GeneralRegister, value: bigint): void {
  state.general[registerIndex(name)] = BigInt.asUintN(64, value);
}
export function getRegister(state: MachineState, name: GeneralRegister): bigint {
  return state.general[registerIndex(name)] as bigint;
}

/** What the data pages hold before the windows are placed: bytes that are all different within 251. */
export function basePattern(): Uint8Array {
  return Uint8Array.from({ length: dataPages.bytes }, (_, i) => (i % 251) + 1);
}

/** The data pages as the instruction finds them. */
export function initialMemory(state: MachineState, base: Uint8Array): Uint8Array {
  const memory = base.slice();
  for (const window of state.windows) memory.set(window.bytes, window.offset);
  return memory;
}

/** x87 and SSE as FNINIT and reset leave them, all exceptions masked. */
export function initialFx(): Uint8Array {
  const fx = new Uint8Array(fxBytes);
  const view = new DataView(fx.buffer);
  view.setUint16(fxOffset.fcw, 0x37f, true);
  view.setUint32(fxOffset.mxcsr, 0x1f80, true);
  return fx;
}
