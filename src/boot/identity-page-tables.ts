const tableBytes = 4096;
const entries = 512;

// Page-table entry bits. Intel SDM volume 3, 4.5.4.
const present = 1n;
const writable = 2n;
const largePage = 0x80n;

/** How many tables identityPageTables makes for so many GiB. */
export const identityTables = (gibibytes: number): number => 2 + gibibytes;

/**
 * Tables that map the first 4 GiB, or as many as are given (at most 512), one to one with 2 MiB pages: PML4,
 * page-directory pointers, page directories. `address` is where they will lie, guest-physical and page-aligned. Intel SDM volume 3, 4.5.
 */
export function identityPageTables(address: number, gibibytes = 4): Uint8Array {
  const tables = new BigUint64Array(identityTables(gibibytes) * entries);
  const pointer = (table: number): bigint => BigInt(address + table * tableBytes) | present | writable;
  tables[0] = pointer(1);
  for (let gib = 0; gib < gibibytes; gib++) {
    tables[entries + gib] = pointer(2 + gib);
    for (let page = 0; page < entries; page++) {
      tables[(2 + gib) * entries + page] = (BigInt(gib * entries + page) << 21n) | present | writable | largePage;
    }
  }
  return new Uint8Array(tables.buffer);
}
