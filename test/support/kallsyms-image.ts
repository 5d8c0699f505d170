import type { ElfImage } from '../../src/loaders/image.js';

/**
 * A kernel that is nothing but a symbol table, in each arrangement that Linux has had. Linux scripts/kallsyms.c.
 */
export type KallsymsLayout = 'up to 6.1' | '6.2 to 6.4' | '6.5 to 6.19' | 'from 7.0';
export const kallsymsLayouts: readonly KallsymsLayout[] = ['up to 6.1', '6.2 to 6.4', '6.5 to 6.19', 'from 7.0'];

export const textStart = 0xffff_ffff_8100_0000n;
export interface TestSymbol {
  readonly text: string; // type and name
  readonly address: bigint;
}

/** 2500 symbols: ten per-CPU ones where the layout has them, then functions, 48 bytes apart, two at the same address. */
export function testSymbols(layout: KallsymsLayout): TestSymbol[] {
  const perCpu = layout === 'from 7.0' ? 0 : 10;
  return Array.from({ length: 2500 }, (_, i) => {
    if (i < perCpu) return { text: `Aper_cpu_${String(i)}`, address: BigInt(i * 8) };
    const long = i === 700 ? '_with_a_name_longer_than_one_length_byte_can_say'.repeat(4) : '';
    const index = i === 901 ? 900 : i;
    return { text: `tfunction_${String(i)}${long}`, address: textStart + BigInt((index - perCpu) * 48) };
  });
}

export function kallsymsImage(layout: KallsymsLayout, symbols: readonly TestSymbol[]): ElfImage {
  const alignment = layout === 'from 7.0' ? 4 : 8;
  const image = new Uint8Array(2 ** 20);
  const view = new DataView(image.buffer);
  let at = 0x1000 + alignment;
  const align = (): void => {
    at = Math.ceil(at / alignment) * alignment;
  };

  // Printable characters stand for themselves; tokens 128 up for pairs.
  const tokens = Array.from({ length: 256 }, (_, i) =>
    i > 0x20 && i < 0x7f ? String.fromCharCode(i) : i === 128 ? 'func' : i === 129 ? 'tion_' : `~${String(i)}`,
  );
  const offsets = (): void => {
    align();
    for (const { address } of symbols) {
      if (layout === 'from 7.0') view.setInt32(at, Number(address - textStart) - at, true);
      else view.setInt32(at, Number(address < textStart ? address : textStart - 1n - address), true);
      at += 4;
    }
    if (layout === 'from 7.0') return;
    align();
    view.setBigUint64(at, textStart, true);
    at += 8;
  };
  const sequences = (): void => {
    align();
    for (let i = 0; i < symbols.length * 3; i++) image[at++] = (i * 31) & 0xff;
  };
  const names = (): void => {
    align();
    view.setUint32(at, symbols.length, true);
    at += 4;
    align();
    const start = at;
    const markers: number[] = [];
    symbols.forEach(({ text }, i) => {
      if (i % 256 === 0) markers.push(at - start);
      const codes = Array.from(text.replaceAll('func', '\x80').replaceAll('tion_', '\x81'), (c) => c.charCodeAt(0));
      if (codes.length >= 0x80) image[at++] = 0x80 | (codes.length & 0x7f);
      image[at++] = codes.length >= 0x80 ? codes.length >> 7 : codes.length;
      for (const code of codes) image[at++] = code;
    });
    align();
    for (const marker of markers) {
      view.setUint32(at, marker, true);
      at += 4;
    }
  };
  const tokenTable = (): void => {
    align();
    const start = at;
    const index = tokens.map((token) => {
      const offset = at - start;
      for (const character of token) image[at++] = character.charCodeAt(0);
      image[at++] = 0;
      return offset;
    });
    align();
    for (const offset of index) {
      view.setUint16(at, offset, true);
      at += 2;
    }
  };

  if (layout === 'up to 6.1' || layout === '6.2 to 6.4') offsets();
  names();
  if (layout === '6.2 to 6.4') sequences();
  tokenTable();
  if (layout === '6.5 to 6.19' || layout === 'from 7.0') {
    offsets();
    sequences();
  }
  return {
    bytes: image,
    bits: 64,
    entry: 0x100_0000n,
    segments: [
      {
        physicalAddress: 0x100_0000,
        virtualAddress: textStart,
        fileOffset: 0,
        fileBytes: image.length,
        memoryBytes: image.length,
      },
    ],
    notes: [],
  };
}
