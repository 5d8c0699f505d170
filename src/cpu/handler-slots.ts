/** Which handler runs a code of iced's: the table that the build writes and the decoder reads. */

/** In the table where the instruction set has no handler. */
export const NO_HANDLER = 0xffff;

/** Index in the table. */
export const handlerSlot = (code: number, memory: boolean, long: boolean): number =>
  code * 4 + (memory ? 2 : 0) + (long ? 1 : 0);

/** The slot of the firmware gate, which iced does not know: code 0 is INVALID. */
export const GATE_SLOT = handlerSlot(0, false, true);
