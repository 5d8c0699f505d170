/**
 * A firmware gate, seven bytes of guest code: 0F 3F 'E' 'K' and the gate's number (little endian), which trap out of
 * the processor in 64-bit mode at CPL 0, then RET. 0F 3F is an undefined opcode elsewhere. The processor finds a gate
 * by these bytes and never by its address, so gates work wherever the guest maps them.
 */
export function gateCode(gate: number): Uint8Array {
  return Uint8Array.of(0x0f, 0x3f, 0x45, 0x4b, gate & 0xff, (gate >> 8) & 0xff, 0xc3);
}

/** Bytes of a gate with its RET. */
export const gateBytes = 7;

/** Bytes from one gate to the next in a page of gates. */
export const gateStride = 8;

/** Where each group of gates starts; the number of a gate is the group's start and the slot's index. */
export const GateGroup = {
  bootServices: 0x000,
  runtimeServices: 0x040,
  textOutput: 0x060,
  textInput: 0x070,
  loadFile2: 0x078,
  /** An event's notification function returned. */
  notifyReturn: 0x07e,
  /** An image returned from its entry point. */
  imageReturn: 0x07f,
  /** Exceptions and interrupts, one gate a vector. */
  vectors: 0x100,
} as const;

/** A page of gates (4096 bytes): gate n stands at n times the stride; the rest is INT3. */
export function gatePage(gates: Iterable<number>): Uint8Array {
  const page = new Uint8Array(4096).fill(0xcc);
  for (const gate of gates) page.set(gateCode(gate), gate * gateStride);
  return page;
}
