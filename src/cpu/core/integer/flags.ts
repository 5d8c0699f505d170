/** The lazy arithmetic flags (state-layout.ts) as helpers write them. */
import { FLAGS_AUX, FLAGS_RESULT } from '../../state-layout';

/** Flags of a - b on operands of `bytes` bytes, whose upper bits do not matter: CMP, CMPS, SCAS. Intel SDM volume 2. */
export function setSubFlags(a: u64, b: u64, bytes: i32): void {
  const unused: u64 = 64 - ((<u64>bytes) << 3);
  const result: u64 = a - b;
  const borrows: u64 = (~a & b) | ((~a | b) & result);
  store<i64>(FLAGS_RESULT, (<i64>(result << unused)) >> (<i64>unused));
  store<u64>(FLAGS_AUX, ((borrows << unused) & 0xc000_0000_0000_0000) | (borrows & 8));
}
