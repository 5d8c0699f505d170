import type { ReadPhysical } from '../../symbols/page-walk.js';
import { GuestAddressError } from '../../memory/guest-memory.js';

const present = 1n;
const large = 0x80n;
const addressBits = 0x000f_ffff_ffff_f000n;
const pageBytes = 4096;
const entries = 512;

/** Pages that hold the tables behind a CR3: guest-physical, 4-level paging. Intel SDM volume 3, 4.5.4. It only looks. */
export function pageTablePages(read: ReadPhysical, cr3: bigint): ReadonlySet<number> {
  const found = new Set<number>();
  const visit = (table: number, level: number): void => {
    if (found.has(table)) return;
    const bytes = readTable(read, table);
    if (bytes === undefined) return;
    found.add(table);
    if (level === 1) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, pageBytes);
    for (let i = 0; i < entries; i++) {
      const entry = view.getBigUint64(i * 8, true);
      if (!(entry & present) || (level < 4 && (entry & large) !== 0n)) continue;
      visit(Number(entry & addressBits), level - 1);
    }
  };
  visit(Number(cr3 & addressBits), 4);
  return found;
}

function readTable(read: ReadPhysical, table: number): Uint8Array | undefined {
  try {
    return read(table, pageBytes);
  } catch (error) {
    if (error instanceof GuestAddressError) return undefined;
    throw error;
  }
}
