/** GUIDs: text with hyphens in hexadecimal, 16 bytes in memory. UEFI 2.10 appendix A. */

/** Bytes of the text form in the order of memory: the first three groups are little endian, the rest is not. */
const memoryOrder = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;
const textForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The 16 bytes of `6c8f3b1e-52d4-4f0a-9b67-0e41d2a7c835`. Throws RangeError when the text is no GUID. */
export function guidBytes(text: string): Uint8Array {
  const lower = text.toLowerCase();
  if (!textForm.test(lower)) throw new RangeError(`"${text}" is no GUID: write xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`);
  const digits = lower.replaceAll('-', '');
  return Uint8Array.from(memoryOrder, (from) => Number.parseInt(digits.slice(from * 2, from * 2 + 2), 16));
}

/** The text form, in lower case, of the 16 bytes at `offset`. */
export function guidText(bytes: Uint8Array, offset = 0): string {
  const hex = memoryOrder.map((at) => (bytes[offset + at] ?? 0).toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
