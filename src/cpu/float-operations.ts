/** How the definitions of floating-point instructions tell the core's helpers what to do: plain integer constants. */

export const FLOAT_SOURCE = 0x2020; // in SCRATCH, 16 bytes: the second operand
export const FLOAT_OPERATION = 0x2030; // u32: operation | lanes << 8 | double << 16

export const FLOAT_ADD = 0;
export const FLOAT_SUBTRACT = 1;
export const FLOAT_MULTIPLY = 2;
export const FLOAT_DIVIDE = 3;
export const FLOAT_SQUARE_ROOT = 4;
export const FLOAT_MINIMUM = 5;
export const FLOAT_MAXIMUM = 6;
export const FLOAT_COMPARE = 7; // predicate in the record's immediate
export const FLOAT_RECIPROCAL = 8;
export const FLOAT_RECIPROCAL_ROOT = 9;
export const FLOAT_LANES_SHIFT = 8;
export const FLOAT_DOUBLE = 1 << 16; // operands of 64 bits; for conversions, the source
export const FLOAT_TRUNCATE = 1 << 17; // conversions to integers: towards zero whatever RC says
export const FLOAT_WIDE = 1 << 18; // integers of 64 bits
export const FLOAT_QUIET = 1 << 19; // UCOMI: quiet NaNs are no exception
