/**
 * Gives the memory of bytes that nobody uses any more back without waiting for the garbage collector, which may let tens
 * of MiB lie until the heap itself has grown: moved to a new owner, they go with that one's first, cheap collection.
 */
export function freeBytes(bytes: Uint8Array | undefined): void {
  if (bytes?.buffer instanceof ArrayBuffer) structuredClone(null, { transfer: [bytes.buffer] });
}
