import { asciiAt } from '../loaders/bounds.js';

/**
 * The compressed names of kallsyms. Every byte of a compressed name stands for one of 256 tokens; a name starts with its
 * length in tokens (7 bits, or 14 in two bytes when bit 7 is set). Every 256th name has its offset in the markers.
 * Linux scripts/kallsyms.c, kernel/kallsyms.c.
 */
export interface Tokens {
  readonly start: number; // kallsyms_token_table, offset in the file
  readonly end: number; // behind kallsyms_token_index
  readonly texts: readonly string[];
  readonly alignment: number;
}

export interface NameTable {
  readonly countAt: number; // kallsyms_num_syms, offset in the file
  readonly count: number;
  readonly namesAt: number;
  readonly markersAt: number; // kallsyms_markers, u32 each
  readonly alignment: number;
}

const tokenCount = 256;
const namesPerMarker = 256;
const reach = 16 * 2 ** 20; // how far before the tokens the names are looked for, bytes
/** Each part of the table starts at a multiple of 8, since 7.0 of 4. */
const alignments = [8, 4] as const;
export const alignTo = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;

/**
 * Digits occur in symbols, so their tokens are themselves: "0", "1" ... "9" in a row with NULs between. The index
 * behind the table confirms a find. The bytes at the end of where a row could stand say how far the next possible one
 * is, so that most bytes of the kernel are never looked at.
 */
export function findTokens(bytes: Uint8Array): Tokens | undefined {
  for (let last = rowBytes - 1; last < bytes.length;) {
    const byte = bytes[last]!;
    // Digit n stands at 2n of the row, its NUL at 2n + 1; two NULs stand side by side nowhere in it.
    const digit = (byte === 0 ? bytes[last - 1]! : byte) - 0x30;
    if (digit < 0 || digit > 9) last += rowBytes;
    else if (byte !== 0) last += rowBytes - 1 - digit * 2;
    else if (digit < 9) last += rowBytes - 2 - digit * 2;
    else {
      const tokens = tokensAround(bytes, last - (rowBytes - 1));
      if (tokens !== undefined) return tokens;
      last++;
    }
  }
  return undefined;
}

const rowBytes = 20;

/** The table around what may be its row of digits. */
function tokensAround(bytes: Uint8Array, zero: number): Tokens | undefined {
  for (let digit = 0; digit < 10; digit++) {
    if (bytes[zero + digit * 2] !== 0x30 + digit || bytes[zero + digit * 2 + 1] !== 0) return undefined;
  }
  return alignments.map((alignment) => readTokens(bytes, zero, alignment)).find((found) => found !== undefined);
}

function readTokens(bytes: Uint8Array, zero: number, alignment: number): Tokens | undefined {
  let end = zero;
  for (let token = 0x30; token < tokenCount; token++) {
    const terminator = bytes.indexOf(0, end);
    if (terminator < 0 || terminator - end > 64) return undefined;
    end = terminator + 1;
  }
  const indexAt = alignTo(end, alignment);
  if (indexAt + tokenCount * 2 > bytes.length) return undefined;
  const index = (token: number): number => bytes[indexAt + token * 2]! | (bytes[indexAt + token * 2 + 1]! << 8);
  const start = zero - index(0x30);
  if (start < 0 || start % alignment !== 0 || index(0) !== 0) return undefined;
  const texts: string[] = [];
  for (let token = 0, at = start; token < tokenCount; token++) {
    if (start + index(token) !== at) return undefined;
    const text = asciiAt(bytes, at, 64);
    texts.push(text);
    at += text.length + 1;
  }
  return { start, end: indexAt + tokenCount * 2, texts, alignment };
}

/** Looks for the markers before the tokens, then for the count and names before the markers. */
export function findNames(bytes: Uint8Array, tokens: Tokens): NameTable | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lowest = Math.max(0, tokens.start - reach);
  for (const alignment of tokens.alignment === 8 ? alignments : [4]) {
    for (let at = tokens.start - 32; at > lowest; at -= alignment) {
      if (view.getUint32(at, true) !== 0 || !looksLikeMarkers(view, at)) continue;
      const table = namesBefore(bytes, view, at, lowest, alignment);
      if (table !== undefined) return table;
    }
  }
  return undefined;
}

function looksLikeMarkers(view: DataView, at: number): boolean {
  let previous = 0;
  for (let i = 1; i < 8; i++) {
    const marker = view.getUint32(at + i * 4, true);
    if (marker < previous + namesPerMarker * 2 || marker > previous + namesPerMarker * 128) return false;
    previous = marker;
  }
  return true;
}

function namesBefore(
  bytes: Uint8Array,
  view: DataView,
  markersAt: number,
  lowest: number,
  alignment: number,
): NameTable | undefined {
  for (let namesAt = markersAt - alignment; namesAt >= lowest + alignment; namesAt -= alignment) {
    const countAt = namesAt - alignment;
    const count = view.getUint32(countAt, true);
    if (count < namesPerMarker * 7 || count > 2 ** 22) continue;
    const lastMarker = markersAt + (Math.ceil(count / namesPerMarker) - 1) * 4;
    if (lastMarker + 4 > bytes.length) continue;
    const rest = markersAt - (namesAt + view.getUint32(lastMarker, true));
    if (rest <= 0 || rest > namesPerMarker * 512) continue;
    if (!markersConfirm(bytes, view, namesAt, count, markersAt, alignment)) continue;
    return { countAt, count, namesAt, markersAt, alignment };
  }
  return undefined;
}

/** Walks all names: each 256th stands where its marker says, and the last ends where the markers begin. */
function markersConfirm(
  bytes: Uint8Array,
  view: DataView,
  namesAt: number,
  count: number,
  markersAt: number,
  alignment: number,
): boolean {
  let at = namesAt;
  for (let i = 0; i < count; i++) {
    if (i % namesPerMarker === 0 && view.getUint32(markersAt + (i / namesPerMarker) * 4, true) !== at - namesAt)
      return false;
    at = nameBounds(bytes, at).end;
    if (at > markersAt) return false;
  }
  return alignTo(at, alignment) === markersAt;
}

function nameBounds(bytes: Uint8Array, at: number): { start: number; end: number } {
  const first = bytes[at]!;
  if (first < 0x80) return { start: at + 1, end: at + 1 + first };
  return { start: at + 2, end: at + 2 + ((first & 0x7f) | (bytes[at + 1]! << 7)) };
}

/** The name at an index, its type before it. */
export function nameAt(bytes: Uint8Array, tokens: Tokens, table: NameTable, index: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = table.namesAt + view.getUint32(table.markersAt + Math.floor(index / namesPerMarker) * 4, true);
  for (let i = index % namesPerMarker; i > 0; i--) at = nameBounds(bytes, at).end;
  const { start, end } = nameBounds(bytes, at);
  let name = '';
  for (let token = start; token < end; token++) name += tokens.texts[bytes[token]!]!;
  return name;
}

/** The index of the first symbol of a name, given without its type. Reads the names where they stand, without a copy. */
export function findName(bytes: Uint8Array, tokens: Tokens, table: NameTable, name: string): number | undefined {
  // The first token has the type before its text.
  const mayOpen = Uint8Array.from(tokens.texts, (text) => (text !== '' && name.startsWith(text.slice(1)) ? 1 : 0));
  for (let i = 0, at = table.namesAt; i < table.count; i++) {
    const first = bytes[at]!;
    const start = first < 0x80 ? at + 1 : at + 2;
    const end = first < 0x80 ? start + first : start + ((first & 0x7f) | (bytes[at + 1]! << 7));
    if (mayOpen[bytes[start]!] === 1 && isName(bytes, tokens, start, end, name)) return i;
    at = end;
  }
  return undefined;
}

function isName(bytes: Uint8Array, tokens: Tokens, start: number, end: number, name: string): boolean {
  let length = -1; // the type
  for (let token = start; token < end; token++) {
    const text = tokens.texts[bytes[token]!]!;
    const fits = token === start ? name.startsWith(text.slice(1)) : name.startsWith(text, length);
    if (!fits) return false;
    length += text.length;
  }
  return length === name.length;
}
