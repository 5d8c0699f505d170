import { arithmetic } from './arithmetic.js';
import { bits } from './bits.js';
import { control } from './control.js';
import type { Family } from './family.js';
import { FloatingUnit } from './floating-unit.js';
import { flagInstructions } from './flags.js';
import { legacy } from './legacy.js';
import { logic } from './logic.js';
import { mmx } from './mmx.js';
import { move } from './move.js';
import { multiplication } from './multiply.js';
import { nothing } from './nothing.js';
import { shifts } from './shift.js';
import { sseConvert } from './sse-convert.js';
import { sseFloat } from './sse-float.js';
import { sseInteger } from './sse-integer.js';
import { sseMove } from './sse-move.js';
import { sseShift } from './sse-shift.js';
import { sseShuffle } from './sse-shuffle.js';
import { stack } from './stack.js';
import { strings } from './strings.js';
import { system } from './system.js';
import { x87 } from './x87.js';

/** The unit that a definition, named as in its family, belongs to. */
export function floatingUnitOf(name: string): number {
  if (name in x87) return FloatingUnit.x87;
  if (name in mmx) return FloatingUnit.mmx;
  const sse = [sseMove, sseInteger, sseFloat, sseConvert, sseShift, sseShuffle];
  return sse.some((family) => name in family) ? FloatingUnit.sse : FloatingUnit.none;
}

/** The whole instruction set. A new family is one line here. */
export const families: readonly Family[] = [
  arithmetic,
  logic,
  move,
  shifts,
  bits,
  multiplication,
  control,
  stack,
  flagInstructions,
  strings,
  legacy,
  system,
  sseMove,
  sseInteger,
  sseFloat,
  sseConvert,
  sseShift,
  sseShuffle,
  x87,
  mmx,
  nothing,
];
