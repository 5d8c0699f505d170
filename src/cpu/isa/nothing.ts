import type { Definition, Family } from './family.js';

const nothingAtAll: Definition = () => undefined;
const undefinedOpcode: Definition = (x) => {
  x.raise(6); // #UD
};

/** NOPs, hints and fences (one processor, no reordering), and the opcodes that are undefined by design. */
export const nothing: Family = {
  Nop: nothingAtAll,
  Reservednop: nothingAtAll,
  Endbr64: nothingAtAll,
  Endbr32: nothingAtAll,
  Pause: nothingAtAll,
  Lfence: nothingAtAll,
  Mfence: nothingAtAll,
  Sfence: nothingAtAll,
  Prefetchnta: nothingAtAll,
  Prefetcht0: nothingAtAll,
  Prefetcht1: nothingAtAll,
  Prefetcht2: nothingAtAll,
  Prefetchw: nothingAtAll,
  Prefetch: nothingAtAll,
  Ud0: undefinedOpcode,
  Ud1: undefinedOpcode,
  Ud2: undefinedOpcode,
};
