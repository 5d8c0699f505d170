/** WebAssembly memory instructions by width; 0xfdXX stands for the vector prefix. Core specification 2.0, 5.4.7. */
const loads: Readonly<Record<number, number>> = { 8: 0x31, 16: 0x33, 32: 0x35, 64: 0x29, 128: 0xfd00 };
const stores: Readonly<Record<number, number>> = { 8: 0x3c, 16: 0x3d, 32: 0x3e, 64: 0x37, 128: 0xfd0b };

const pick = (table: Readonly<Record<number, number>>, bits: number): number => {
  const opcode = table[bits];
  if (opcode === undefined) throw new RangeError(`no memory access has ${String(bits)} bits`);
  return opcode;
};

/** i64.load of 8 to 64 bits, zero-extended; v128.load of 128. */
export const loadOpcode = (bits: number): number => pick(loads, bits);
export const storeOpcode = (bits: number): number => pick(stores, bits);
export const I32_LOAD = 0x28;
export const I32_STORE = 0x36;
export const I64_LOAD = 0x29;
export const I64_STORE = 0x37;
export const I32_LOAD8_U = 0x2d;
export const I32_LOAD16_U = 0x2f;
