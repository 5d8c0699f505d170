// Loaded into a measured process (node --import): writes, when it ends, its peak RSS and how much of that is guest RAM.
// Linux tells both; elsewhere the file is not written. proc(5): maps, pagemap.
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';

const page = 4096;
const present = 0x80; // bit 63 of a pagemap entry

/** Resident bytes of guest RAM: `bytes` of them from `offset` on in the only writable mapping that is large enough. */
function guestRamResident(offset, bytes) {
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    if (start === undefined || parseInt(end, 16) - parseInt(start, 16) < offset + bytes) continue;
    const entries = new Uint8Array((bytes / page) * 8);
    const file = openSync('/proc/self/pagemap');
    readSync(file, entries, 0, entries.length, ((parseInt(start, 16) + offset) / page) * 8);
    closeSync(file);
    let pages = 0;
    for (let at = 7; at < entries.length; at += 8) if (entries[at] & present) pages++;
    return pages * page;
  }
  throw new Error('no mapping is large enough for guest RAM');
}

process.on('exit', () => {
  const { EFIKIT_BENCH_FILE: file, EFIKIT_BENCH_RAM: ram } = process.env;
  try {
    const [offset, bytes] = ram.split(',').map(Number);
    writeFileSync(
      file,
      JSON.stringify({ peak: process.resourceUsage().maxRSS * 1024, guestRam: guestRamResident(offset, bytes) }),
    );
  } catch {
    // no /proc: the report says that memory was not measured
  }
});
