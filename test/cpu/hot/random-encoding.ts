/** Machine code of the pieces of random programs. */
import { bytesOf, counterOf, encodeOperation } from './random-operation.js';
import type { Piece, Place, StringPiece } from './random-piece.js';
import { places, ports, selectors } from './random-places.js';

const WRITABLE_ALIAS = places.alias - places.code;

/** What the encoding of a piece depends on; its length depends on `bits` alone. All addresses are the low 32 bits. */
export interface Surroundings {
  readonly bits: 32 | 64;
  readonly base: number;
  readonly at: number;
  readonly routine: number;
  /** 32 bytes of the piece's own. */
  readonly own: number;
  address(place: Place): number;
  /** The byte that patches change. */
  patched(place: Place): number;
  /** Of the alias mapping of a code address. */
  alias(address: number): number;
  physical(address: number): number;
}

/** Where the alias mapping shows a byte of the code or of a window. */
export const aliasOf = (offset: number): number => offset + WRITABLE_ALIAS;

/** Of the byte that patches change, the distance from the beginning of a piece's code. */
export function patchedOffset(one: Piece, length: number): number {
  if (one.kind === 'branch') return 1;
  return one.kind === 'jump' || one.kind === 'call' || one.kind === 'across' ? 1 : length - 1;
}

export function encode(one: Piece, here: Surroundings): number[] {
  const { bits, base, at, routine, own } = here;
  const long = bits === 64;
  const word = (value: number): number[] => bytesOf(value, 4);
  /** A memory operand at an absolute address. */
  const absolute = (extension: number, address: number): number[] =>
    long ? [(extension << 3) | 4, 0x25, ...word(address)] : [(extension << 3) | 5, ...word(address)];
  /** Loads a register with an address. */
  const load = (register: number, address: number): number[] =>
    long ? [0x48, 0xc7, 0xc0 | register, ...word(address)] : [0xb8 | register, ...word(address)];
  const branch = (opcodes: readonly number[], to: number, offset = 0): number[] => [
    ...opcodes,
    ...word(to - at - offset - opcodes.length - 4),
  ];
  const near = (piece: number): number => here.address({ routine, piece });
  const written = (address: number, alias: boolean): number => (alias ? here.alias(address) : address);
  switch (one.kind) {
    case 'operation':
      return encodeOperation(one, bits);
    case 'jump':
      return branch([0xe9], near(one.to));
    case 'branch':
      return branch([0x0f, 0x80 + one.condition], near(one.to));
    case 'loop': {
      const decrement = long ? [0x41, 0xff, 0xce] : [0x4f];
      return [...decrement, ...branch([0x0f, 0x85], near(one.to), decrement.length)];
    }
    case 'repeat': {
      const decrement = [0xff, ...absolute(1, own)];
      return [...decrement, ...branch([0x0f, 0x85], near(one.to), decrement.length)];
    }
    case 'call':
      return branch([0xe8], here.address({ routine: one.routine, piece: 0 }));
    case 'callRegister':
      return [...load(0, here.address({ routine: one.routine, piece: 0 })), 0xff, 0xd0];
    case 'callTable':
    case 'jumpTable': {
      const extension = one.kind === 'callTable' ? 2 : 4;
      const counter = counterOf(bits) & 7;
      const move = long ? [0x44, 0x89, 0xc0 | (counter << 3)] : [0x89, 0xc0 | (counter << 3)];
      const scale = long ? 0xc0 : 0x80;
      return [...move, 0x83, 0xe0, 0x03, 0xff, (extension << 3) | 4, scale | 5, ...word(own)];
    }
    case 'return':
      return [0xc3];
    case 'returnTo':
      return [0x68, ...word(here.address(one.to)), 0xc3];
    case 'across':
      return branch([0xe9], here.address(one.to));
    case 'divert':
      return [...(long ? [0x48] : []), 0xc7, 0x04, 0x24, ...word(here.address(one.to)), 0xc3];
    case 'patch':
      return [0xc6, ...absolute(0, written(here.patched(one.of), one.alias)), one.value];
    case 'alter':
      return [0x80, ...absolute(6, written(here.patched(one.of), one.alias)), one.value];
    case 'overwrite':
      return [0xc7, ...absolute(0, written(here.address(one.of), one.alias)), ...word(one.value)];
    case 'walk': {
      const register = one.pointer & (long ? 15 : 7);
      const prefix = long ? [register > 7 ? 0x49 : 0x48] : [];
      return [...prefix, 0x83, 0xc0 | (register & 7), one.step & 0xff];
    }
    case 'sum':
      return [0x83, 0xc0 | one.register, one.value & 0xff];
    case 'syscall':
      return [0x0f, 0x05];
    case 'string':
      return encodeString(one, load, base);
    case 'remap': {
      const store = [...(long ? [0x48] : []), 0xc7, ...absolute(0, base + entryOf(one.page))];
      return [...store, ...word(one.frame | one.rights), ...flush(one.flush, absolute(7, base + one.page))];
    }
    case 'flip': {
      const flip = [0x81, ...absolute(6, base + entryOf(one.page)), ...word(one.bits)];
      return [...flip, ...flush(one.flush, absolute(7, base + one.page))];
    }
    case 'invalidate':
      return [0x0f, 0x01, ...absolute(7, base + one.address)];
    case 'switch': // MOV EAX, CR3; XOR EAX; MOV CR3, EAX
      return [0x0f, 0x20, 0xd8, 0x35, ...word(places.tables ^ places.otherTables), 0x0f, 0x22, 0xd8];
    case 'toggle': // PUSHF; XOR [RSP]; POPF
      return [0x9c, 0x81, 0x34, 0x24, ...word(one.flags), 0x9d];
    case 'port':
      return [(one.write ? 0xe6 : 0xe4) | (one.bytes === 4 ? 1 : 0), one.port];
    case 'timer':
      return [0xb8, ...word(one.ticks), 0xe7, ports.timer];
    case 'dma':
      return [0xb8, ...word(here.physical(here.patched(one.of))), 0xe7, ports.dma];
    case 'msr':
      return [0xb9, ...word(one.index), 0x31, 0xd2, 0xb8, ...word(one.value), 0x0f, 0x30];
    case 'toUser': {
      const [code, iret] = long ? [selectors.userCode64, [0x48, 0xcf]] : [selectors.userCode32, [0xcf]];
      return [0x6a, selectors.userData, 0x54, 0x9c, 0x6a, code, 0x68, ...word(near(one.to)), ...iret];
    }
    case 'sti':
      return [0xfb];
    case 'cli':
      return [0xfa];
    case 'halt':
      return [0xfb, 0xf4];
    case 'swapgs':
      return [0x0f, 0x01, 0xf8];
    case 'stackSegment':
      return [0xb8, ...word(selectors.data), 0x8e, 0xd0];
    case 'writeProtect': // toggles CR0.WP
      return [0x0f, 0x20, 0xc0, 0x35, ...word(0x1_0000), 0x0f, 0x22, 0xc0];
    case 'toKernel':
      return [0xcd, 0x23];
    case 'time':
      return [0x0f, 0x31];
  }
}

const entryOf = (page: number): number => places.tables + 0x3000 + 8 * (page >> 12);

/** INVLPG of the operand; MOV EAX, CR3; MOV CR3, EAX; or the other page tables and back. */
function flush(how: 'none' | 'page' | 'reload' | 'switch', page: readonly number[]): readonly number[] {
  const setTables = (tables: number): number[] => [0xb8, ...bytesOf(tables, 4), 0x0f, 0x22, 0xd8];
  switch (how) {
    case 'none':
      return [];
    case 'page':
      return [0x0f, 0x01, ...page];
    case 'reload':
      return [0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8];
    case 'switch':
      return [...setTables(places.otherTables), ...setTables(places.tables)];
  }
}

function encodeString(one: StringPiece, load: (register: number, address: number) => number[], base: number): number[] {
  const { opcode, bytes, prefix, count, source, destination, down, address32 } = one;
  return [
    ...load(1, count),
    ...load(6, base + source),
    ...load(7, base + destination),
    down ? 0xfd : 0xfc,
    ...(address32 ? [0x67] : []),
    ...(bytes === 2 ? [0x66] : []),
    ...(prefix === undefined ? [] : [prefix]),
    ...(bytes === 8 ? [0x48] : []), // in 32-bit code: DEC EAX
    bytes === 1 ? opcode : opcode | 1,
  ];
}
