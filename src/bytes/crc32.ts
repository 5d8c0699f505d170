type Tables = readonly [Int32Array, Int32Array, Int32Array, Int32Array];
let tables: Tables | undefined;

/**
 * CRC-32, 0 to 2^32 - 1, four bytes a step: RFC 1952 section 8, .xz, and the CCITT32 of EFI tables (UEFI 2.10 section 4.2).
 */
export function crc32(bytes: Uint8Array): number {
  const [t0, t1, t2, t3] = (tables ??= makeTables());
  let crc = 0xffff_ffff;
  let i = 0;
  for (const end = bytes.length - 3; i < end; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc = t3[crc & 0xff]! ^ t2[(crc >>> 8) & 0xff]! ^ t1[(crc >>> 16) & 0xff]! ^ t0[crc >>> 24]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]!) & 0xff]!;
  return (crc ^ 0xffff_ffff) >>> 0;
}

function makeTables(): Tables {
  const result = [new Int32Array(256), new Int32Array(256), new Int32Array(256), new Int32Array(256)] as const;
  for (let i = 0; i < 256; i++) {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
    result[0][i] = value;
  }
  for (let i = 0; i < 256; i++) {
    for (let k = 1; k < 4; k++) {
      const previous = result[(k - 1) as 0 | 1 | 2][i]!;
      result[k as 1 | 2 | 3][i] = (previous >>> 8) ^ result[0][previous & 0xff]!;
    }
  }
  return result;
}
