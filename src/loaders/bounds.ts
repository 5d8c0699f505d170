import { ImageError } from './image.js';

export const damaged = 'the image is truncated or damaged: copy or fetch it again';

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

/**
 * Refuses a range of the file that does not lie in it. `what` opens the message: "ELF program headers".
 * Throws ImageError.
 */
export function requireRange(bytes: Uint8Array, offset: number, length: number, what: string): void {
  if (offset >= 0 && length >= 0 && offset + length <= bytes.length) return;
  throw new ImageError(
    `${what} (offset ${hex(offset)}, ${String(length)} bytes) does not lie within the ${String(bytes.length)} bytes there are: ${damaged}`,
    offset,
  );
}

/** ASCII text up to a NUL or `limit` bytes; characters outside printable ASCII become '?'. */
export function asciiAt(bytes: Uint8Array, offset: number, limit: number): string {
  let text = '';
  for (let i = offset; i < offset + limit && i < bytes.length; i++) {
    const code = bytes[i] ?? 0;
    if (code === 0) break;
    text += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '?';
  }
  return text;
}
