// "OVMF can be entered by PVH; where does the blob load?": made-up ELF files with a PVH note at many addresses, and which the door
// takes. Those that it takes run: their entry writes a byte to the exit of the machine's UART and halts.
import { efikit, run } from './machine.mjs';
import { built } from './machine.mjs';
import { Buffer } from 'node:buffer';

const { Elf64Header, Elf64ProgramHeader } = await built('firmware-tables/image/elf.js');

const hex = (value) => `0x${value.toString(16)}`;

/** mov dx,0x3f8; mov al,'!'; out dx,al; cli; hlt; jmp back: 32-bit code that says it runs. */
const code = Buffer.from([0x66, 0xba, 0xf8, 0x03, 0xb0, 0x21, 0xee, 0xfa, 0xf4, 0xeb, 0xfd]);

/** An ELF note of Xen's. */
function note(type, words) {
  const data = Buffer.alloc(words.length * 4);
  words.forEach((word, index) => data.writeUInt32LE(word, index * 4));
  const head = Buffer.alloc(12);
  head.writeUInt32LE(4, 0);
  head.writeUInt32LE(data.length, 4);
  head.writeUInt32LE(type, 8);
  return Buffer.concat([head, Buffer.from('Xen\0'), data]);
}

/** An ELF that loads `memoryBytes` at `address` and enters there; `relocation` is what a PHYS32_RELOC note says. */
function blob(address, memoryBytes, relocation) {
  const headers = Elf64Header.size + 2 * Elf64ProgramHeader.size;
  const notes = Buffer.concat([note(18, [address >>> 0]), ...(relocation ? [note(19, relocation)] : [])]);
  const at = headers + notes.length;
  const load = {
    p_type: 1,
    p_flags: 7,
    p_offset: BigInt(at),
    p_vaddr: BigInt(address),
    p_paddr: BigInt(address),
    p_filesz: BigInt(code.length),
    p_memsz: BigInt(memoryBytes),
    p_align: 0x1000n,
  };
  const noteSegment = {
    ...load,
    p_type: 4,
    p_offset: BigInt(headers),
    p_filesz: BigInt(notes.length),
    p_memsz: BigInt(notes.length),
    p_align: 4n,
  };
  return Buffer.concat([
    Elf64Header.encode({
      e_ident: Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      e_type: 2,
      e_machine: 62,
      e_version: 1,
      e_entry: BigInt(address),
      e_phoff: BigInt(Elf64Header.size),
      e_ehsize: Elf64Header.size,
      e_phentsize: Elf64ProgramHeader.size,
      e_phnum: 2,
    }),
    Elf64ProgramHeader.encode(load),
    Elf64ProgramHeader.encode(noteSegment),
    notes,
    code,
  ]);
}

const mebi = 2 ** 20;
const bytes = 2 * mebi;
const memoryBytes = 256 * mebi;

/** Where, and what makes the place interesting. */
const places = [
  [0x0, 'the first page'],
  [0x8000, 'below hvm_start_info'],
  [0x9000, 'where hvm_start_info lies'],
  [0xe_0000, 'where the ACPI tables lie'],
  [0xf_f000, 'across 1 MiB'],
  [0x10_0000, "1 MiB: OvmfXen's ELF, GRUB for PVH"],
  [0x20_0000, '2 MiB: xen-shim'],
  [0x100_0000, '16 MiB: Linux'],
  [memoryBytes - bytes, 'the last bytes of RAM'],
  [memoryBytes - bytes + 0x1000, 'a page beyond RAM'],
  [0x8000_0000, '2 GiB, no RAM there'],
  [0xfec0_0000, 'the I/O APIC'],
  [0xffe0_0000, 'below 4 GiB: where a PC has its flash, as OVMF_CODE'],
  [0x1_0000_0000, '4 GiB: no entry of 32 bits reaches it'],
];

async function attempt(file, setup = {}) {
  try {
    const image = efikit.readImage(file);
    const refusal = efikit.doorRefuses('pvh', image);
    if (refusal !== undefined) return { accepted: false, why: refusal };
    const { result, lines } = await run(image, { door: 'pvh', memoryBytes, maxInstructions: 1e6, ...setup });
    return { accepted: true, runs: lines.join('').startsWith('!'), instructions: result.instructions };
  } catch (error) {
    if (error.name !== 'BootError' && error.name !== 'ImageError') throw error;
    return { accepted: false, why: error.message };
  }
}

export async function measure(say) {
  const linked = [];
  for (const [address, what] of places) {
    const row = { address: hex(address), what, ...(await attempt(blob(address, bytes))) };
    say(`${row.address}: ${row.accepted ? (row.runs ? 'runs' : 'accepted, does not run') : row.why}`);
    linked.push(row);
  }
  // With a PHYS32_RELOC note (alignment, lowest, highest) the host chooses; the code is position independent.
  const relocation = [0x20_0000, 0x100_0000, 0x3fff_ffff];
  const moved = [];
  for (const loadAt of [0x10_0000, 0x100_0000, 0x200_0000, 0x210_0000, memoryBytes - bytes, 0x4000_0000]) {
    const file = blob(0x100_0000, bytes, relocation);
    const row = { loadAt: hex(loadAt), ...(await attempt(file, { options: { commandLine: '', pvh: { loadAt } } })) };
    say(`moved to ${row.loadAt}: ${row.accepted ? (row.runs ? 'runs' : 'accepted, does not run') : row.why}`);
    moved.push(row);
  }
  const fixed = await attempt(blob(0x100_0000, bytes), { options: { commandLine: '', pvh: { loadAt: 0x200_0000 } } });
  return {
    memoryBytes,
    blobBytes: bytes,
    linked,
    relocation: relocation.map(hex),
    moved,
    'without the note, moved': fixed,
    'a flash image': 'OVMF_CODE.fd has no ELF header: the row images says what the reader says of it',
  };
}
