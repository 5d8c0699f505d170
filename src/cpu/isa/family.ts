import type { Lifter } from '../ir/lifter.js';

/**
 * The meaning of an instruction: writes statements for one shape. The same definition makes the cold handler and hot
 * code, so it must not look at anything but the shape.
 */
export type Definition = (x: Lifter) => void;

/**
 * Definitions by iced-x86 mnemonic ('Add'), or by code ('Movsd_m32_m32') where one mnemonic means several things;
 * a code wins over its mnemonic.
 */
export type Family = Readonly<Record<string, Definition>>;

/** The core does the whole instruction. */
export const byHelper =
  (name: string): Definition =>
  (x) => {
    x.helper(name);
  };
