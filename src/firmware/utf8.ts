/** A string as UTF-8 with a NUL behind; the core has no TextEncoder. RFC 3629. */
export function utf8Bytes(text: string): Uint8Array {
  const bytes: number[] = [];
  const tail = (point: number, shift: number): number => 0x80 | ((point >> shift) & 0x3f);
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), tail(point, 0));
    else if (point < 0x1_0000) bytes.push(0xe0 | (point >> 12), tail(point, 6), tail(point, 0));
    else bytes.push(0xf0 | (point >> 18), tail(point, 12), tail(point, 6), tail(point, 0));
  }
  bytes.push(0);
  return Uint8Array.from(bytes);
}
