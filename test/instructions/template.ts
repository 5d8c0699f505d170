import type { GeneralRegister } from '../../src/cpu/types.js';
import { crc32, seededRandom, type Random } from './random.js';
import { arithmeticFlags, dataPages, Flag, initialFx, setRegister, usualRip, type MachineState } from './state.js';

/** Changes the random initial state to suit an instruction. `index` counts the fixtures of the template. */
export type Setup = (state: MachineState, random: Random, index: number) => void;

/** One instruction in GNU assembler syntax (Intel, no prefixes) and how its initial states are made. */
export interface Template {
  readonly text: string;
  /** Groups templates into one test; by default the first word of the text. */
  readonly mnemonic: string;
  /** Number of fixtures. */
  readonly count: number;
  readonly setup: readonly Setup[];
  /** What the real processor runs, of the same length, where it reads `text` differently from the processor we announce. */
  readonly native?: string;
  /** Bits of the code segment; 64 unless given. */
  readonly bits?: 32;
  /** What the instruction stores that depends on the vendor and is not compared. */
  readonly unspecified?: (state: MachineState) => readonly ByteRange[];
}

/** Bytes of the data pages. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface Family {
  readonly name: string;
  readonly templates: readonly Template[];
}

const encoder = new TextEncoder();
const pointers: readonly GeneralRegister[] = ['rbx', 'rsi', 'rdi', 'rbp', 'r13', 'r12'];

/** Templates of the same count and setup, one a text. Prefix words (lock, rep) do not name the group. */
export function templates(count: number, texts: readonly string[], ...setup: Setup[]): Template[] {
  return texts.map((text) => ({ text, mnemonic: mnemonicOf(text), count, setup }));
}

export function mnemonicOf(text: string): string {
  return text.replace(/^((\{disp\d+\}|lock|repn?[ez]?|rex\.w|data16|addr32) +)+/, '').split(' ')[0] as string;
}

/** The initial state of fixture `index` of a template; a function of the template's text and the index alone. */
export function initialState(template: Template, index: number): MachineState {
  const random = seededRandom(crc32(encoder.encode(template.text), index));
  const state: MachineState = {
    general: BigUint64Array.from({ length: 16 }, () => random.corner()),
    rip: usualRip,
    rflags: Flag.IF | 2 | (random.u32() & arithmeticFlags),
    bits: template.bits ?? 64,
    fx: initialFx(),
    windows: [],
  };
  if (state.bits === 32) for (let i = 0; i < 8; i++) state.general[i] = (state.general[i] as bigint) & 0xffff_ffffn;
  for (const pointer of pointers) {
    if (pointsThrough(template, pointer)) pointAtData(state, random, pointer);
  }
  for (const step of template.setup) step(state, random, index);
  return state;
}

/** Whether a memory operand begins with this register (with its lower half in 32-bit code). */
function pointsThrough(template: Template, pointer: GeneralRegister): boolean {
  const name = template.bits === 32 ? pointer.replace('r', 'e') : pointer;
  return new RegExp(`\\[${name}\\b`).test(template.text);
}

/** Points a register into the data pages, one time in six so that the operand crosses the boundary of the two writable pages. */
export function pointAtData(state: MachineState, random: Random, pointer: GeneralRegister, align = 1): void {
  const crossing = align === 1 && random.chance(1 / 6);
  const offset = crossing ? 0x1000 - 1 - random.below(8) : (0x100 + random.below(0x1e00)) & -align;
  placeAt(state, random, pointer, offset);
}

/** Points a register at an offset of the data pages and fills what is around it. */
export function placeAt(state: MachineState, random: Random, pointer: GeneralRegister, offset: number): void {
  setRegister(state, pointer, BigInt(dataPages.address + offset));
  const start = offset - 64;
  const bytes = new Uint8Array(160);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < bytes.length; i += 8) view.setBigUint64(i, random.corner(), true);
  addWindow(state, start, bytes);
}

/** Places bytes; what lies outside the data pages is cut off. */
export function addWindow(state: MachineState, offset: number, bytes: Uint8Array): void {
  const from = Math.max(0, -offset);
  const to = Math.min(bytes.length, dataPages.bytes - offset);
  if (to > from) state.windows.push({ offset: offset + from, bytes: bytes.subarray(from, to) });
}

// Setups that several families use.

export const register =
  (name: GeneralRegister, value: (random: Random, index: number) => bigint): Setup =>
  (state, random, index) => {
    setRegister(state, name, value(random, index));
  };
export const stack: Setup = (state, random) => {
  pointAtData(state, random, 'rsp');
};
export const pointer =
  (name: GeneralRegister, align = 1): Setup =>
  (state, random) => {
    pointAtData(state, random, name, align);
  };
