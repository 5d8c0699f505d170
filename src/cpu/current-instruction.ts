import * as L from './state-layout.js';

/** Guest-linear address of the instruction that CURRENT_RECORD names, or RIP. */
export function currentInstruction(view: DataView): bigint {
  const record = view.getUint32(L.CURRENT_RECORD, true);
  if (record === 0) return view.getBigUint64(L.RIP, true);
  const length = BigInt(view.getUint8(record + L.REC_LENGTH));
  const bits = (view.getUint32(L.MODE, true) & L.MODE_LONG) !== 0 ? 64 : 32;
  return BigInt.asUintN(bits, view.getBigUint64(record + L.REC_NEXT_RIP, true) - length);
}
