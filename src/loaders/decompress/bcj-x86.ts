/**
 * Undoes the x86 filter of .xz in place: the compressor turned the relative targets of CALL and JMP (E8, E9) into
 * absolute ones, which compress better. `position` is where the bytes stand in the uncompressed data. The rules are
 * those of the BCJ x86 filter in "The .xz File Format" section 5.3.2 and the LZMA SDK: a target whose top byte is
 * neither 00 nor FF is no target, and an opcode byte within the operand of another may be none.
 */
export function undoBcjX86(bytes: Uint8Array, start: number, end: number): void {
  const last = end - 5; // an instruction takes five bytes
  let recent = 0; // bit n: the byte n + 1 before this one was an opcode left alone
  let opcodeAt = start - 6;
  for (let at = start; at <= last; at++) {
    if ((bytes[at]! & 0xfe) !== 0xe8) continue;
    const gap = at - opcodeAt;
    opcodeAt = at;
    recent = gap > 3 ? 0 : (recent << (gap - 1)) & 7;
    if (recent !== 0 && (!unambiguous(recent) || isTopByte(bytes[at + 4 - operandByte(recent)]!))) {
      recent = (recent << 1) | 1;
      continue;
    }
    if (!isTopByte(bytes[at + 4]!)) {
      recent = (recent << 1) | 1;
      continue;
    }
    const target = relative(bytes, at, at - start + 5, recent);
    bytes[at + 1] = target & 0xff;
    bytes[at + 2] = (target >> 8) & 0xff;
    bytes[at + 3] = (target >> 16) & 0xff;
    bytes[at + 4] = (target & 0x100_0000) === 0 ? 0 : 0xff;
    at += 4;
  }
}

const isTopByte = (byte: number): boolean => byte === 0 || byte === 0xff;
/** At most one of the three bytes before was an opcode. */
const unambiguous = (recent: number): boolean => recent === 1 || recent === 2 || recent === 4;
/** The byte of the operand that the earlier opcode's own top byte overlaps. */
const operandByte = (recent: number): number => (recent === 1 ? 1 : recent < 4 ? 2 : 3);

function relative(bytes: Uint8Array, at: number, next: number, recent: number): number {
  let source = bytes[at + 1]! | (bytes[at + 2]! << 8) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 24);
  for (;;) {
    const target = (source - next) | 0;
    if (recent === 0) return target;
    const shift = operandByte(recent) * 8;
    if (!isTopByte((target >>> (24 - shift)) & 0xff)) return target;
    source = target ^ (2 ** (32 - shift) - 1);
  }
}
