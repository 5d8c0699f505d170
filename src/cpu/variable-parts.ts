/** Where displacement and immediate of a decoded instruction lie, and how they are read again from other bytes. */
import { ImmediateKind, shapeOf } from './decode-templates.js';
import { OpKind, type ConstantOffsets } from './iced.js';

/** How an immediate is read, by operand kind * 16 + its bytes; those that are not here are decoded each time. */
const immediateKinds = new Map<number, ImmediateKind>([
  [OpKind.Immediate8 * 16 + 1, ImmediateKind.u8],
  [OpKind.Immediate16 * 16 + 2, ImmediateKind.u16],
  [OpKind.Immediate32 * 16 + 4, ImmediateKind.u32],
  [OpKind.Immediate64 * 16 + 8, ImmediateKind.u64],
  [OpKind.Immediate8to16 * 16 + 1, ImmediateKind.i8to16],
  [OpKind.Immediate8to32 * 16 + 1, ImmediateKind.i8to32],
  [OpKind.Immediate8to64 * 16 + 1, ImmediateKind.i8to64],
  [OpKind.Immediate32to64 * 16 + 4, ImmediateKind.i32to64],
  [OpKind.NearBranch32 * 16 + 1, ImmediateKind.relative8],
  [OpKind.NearBranch32 * 16 + 4, ImmediateKind.relative32],
  [OpKind.NearBranch64 * 16 + 1, ImmediateKind.relative8],
  [OpKind.NearBranch64 * 16 + 4, ImmediateKind.relative32],
]);

const ADDRESS_16_BITS = 48; // REC_SHIFT

/**
 * A template's shape; `constants` is freed. undefined when the parts are not read in a plain way: far branches, ENTER, 64-bit absolute
 * addresses and 16-bit addressing are too rare to be worth a way of their own.
 */
export function variableParts(
  constants: ConstantOffsets,
  immediateOperand: number,
  addressShift: number,
): number | undefined {
  const { displacementOffset, displacementSize, immediateOffset, immediateSize, hasImmediate2 } = constants;
  constants.free();
  if (hasImmediate2 || displacementSize === 8 || (displacementSize !== 0 && addressShift === ADDRESS_16_BITS)) {
    return undefined;
  }
  const immediateKind =
    immediateSize === 0 ? ImmediateKind.constant : immediateKinds.get(immediateOperand * 16 + immediateSize);
  if (immediateKind === undefined) return undefined;
  return shapeOf(displacementOffset, displacementSize, immediateOffset, immediateKind);
}
