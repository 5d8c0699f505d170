/** Reads `length` bytes at a guest-physical address; throws where there is no RAM. */
export type ReadPhysical = (address: number, length: number) => Uint8Array;

const present = 1n;
const large = 0x80n;
const addressBits = 0x000f_ffff_ffff_f000n;

/**
 * Where a guest-virtual address lies in guest-physical memory, by 4-level page tables; undefined where nothing is mapped.
 * It only looks: no accessed bit is set and no TLB changes, so a guest that is watched runs as one that is not. Intel SDM
 * volume 3, 4.5.4.
 */
export function physicalAddress(read: ReadPhysical, cr3: bigint, address: bigint): number | undefined {
  let table = cr3 & addressBits;
  for (let shift = 39n; ; shift -= 9n) {
    const entry = entryAt(read, Number(table) + Number((address >> shift) & 0x1ffn) * 8);
    if (!(entry & present)) return undefined;
    const isPage = shift === 12n || (shift < 39n && (entry & large) !== 0n);
    const within = (1n << shift) - 1n;
    if (isPage) return Number((entry & addressBits & ~within) | (address & within));
    table = entry & addressBits;
  }
}

function entryAt(read: ReadPhysical, address: number): bigint {
  const bytes = read(address, 8);
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}
