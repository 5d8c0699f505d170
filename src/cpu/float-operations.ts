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

// x87: operation | source << 8, and the bits below. The names of operations are shared where they fit.
export const X87_SUBTRACT_REVERSED = 10;
export const X87_DIVIDE_REVERSED = 11;
export const X87_SOURCE_SHIFT = 8;
export const X87_REGISTER = 0; // ST(i)
export const X87_SINGLE = 1;
export const X87_DOUBLE = 2;
export const X87_EXTENDED = 3;
export const X87_INTEGER16 = 4;
export const X87_INTEGER32 = 5;
export const X87_INTEGER64 = 6;
export const X87_DECIMAL = 7;
export const X87_POP = 1 << 16;
export const X87_POP_TWICE = 1 << 17;
export const X87_TO_STI = 1 << 18; // operand 0, ST(i), is the destination
export const X87_QUIET = 1 << 19; // FUCOM
export const X87_TO_FLAGS = 1 << 20; // FCOMI
export const X87_WITH_ZERO = 1 << 21; // FTST

// Unary operations and constants.
export const X87_CHANGE_SIGN = 1;
export const X87_ABSOLUTE = 2;
export const X87_SQUARE_ROOT = 3;
export const X87_ROUND = 4;
export const X87_SCALE = 5;
export const X87_EXTRACT = 6;
export const X87_REMAINDER = 7;
export const X87_REMAINDER_NEAREST = 8;
export const X87_ONE = 0;
export const X87_LOG2_10 = 1;
export const X87_LOG2_E = 2;
export const X87_PI = 3;
export const X87_LOG10_2 = 4;
export const X87_LN_2 = 5;
export const X87_ZERO = 6;

// Functions.
export const X87_POWER_MINUS_1 = 0; // F2XM1
export const X87_SINE = 1;
export const X87_COSINE = 2;
export const X87_TANGENT = 3;
export const X87_SINE_COSINE = 4;
export const X87_Y_LOG2 = 5; // FYL2X
export const X87_Y_LOG2_PLUS_1 = 6;
export const X87_ARC_TANGENT = 7;
