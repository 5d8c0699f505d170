import {
  HvmMemmapEntry,
  HvmMemmapType,
  HvmModlistEntry,
  HvmStartInfo,
  hvmStartInfoBytes,
  hvmStartMagic,
  hvmStartVersion,
} from '../../firmware-tables/pvh/start-info.js';
import type { LayoutFields } from '../../firmware-tables/layout.js';
import type { EntryState, SegmentState } from '../cpu/types.js';
import { ImageError, type ElfImage } from '../loaders/image.js';
import { pcMap, rangesOfMap } from '../memory/guest-map.js';
import { layout } from '../memory/layout.js';
import { structureOf } from '../memory/provided.js';
import { BootError, type BootModule, type BootOptions, type BootProtocol, type BootTarget } from './boot-protocol.js';
import { alignDown, alignUp, linkedRange, loadSegments, TopDownPlacement, zeroTerminated } from './placement.js';

/**
 * Xen PVH: the kernel enters in 32-bit protected mode without paging at the address of its PHYS32_ENTRY note, with EBX
 * at an hvm_start_info. Xen docs/misc/pvh.
 */
export const pvh: BootProtocol = {
  name: 'pvh',
  refuses(image) {
    try {
      const elf = image.elf();
      if (elf === undefined)
        return 'no ELF in the image: the PVH entry is a note in an ELF kernel or in the one inside a bzImage';
      return entryProblem(elf);
    } catch (error) {
      if (error instanceof ImageError) return error.message;
      throw error;
    }
  },
  enter(target, image, options) {
    const refusal = pvh.refuses(image);
    const elf = refusal === undefined ? image.elf() : undefined;
    if (elf?.pvhEntry === undefined) throw new BootError(refusal ?? 'no PVH entry');
    const { memory } = target;
    const offset = offsetOf(elf, options.pvh?.loadAt);
    const kernel = loadSegments(memory, elf, layout.highMemoryStart, offset);
    // A bzImage says how much memory the kernel takes from its start on; the segments leave some of it out (brk).
    const end = Math.max(kernel.end, kernel.start + (image.setup?.initSize ?? 0));
    const placement = new TopDownPlacement(memory, [{ ...kernel, end }], layout.highMemoryStart);
    writeStartInfo(target, placement, options);
    return entryState(elf.pvhEntry + offset);
  },
};

/** How far the kernel moves from where it was linked. Throws BootError for a place that its PHYS32_RELOC note forbids. */
function offsetOf(elf: ElfImage, loadAt: number | undefined): number {
  const { start, end } = linkedRange(elf);
  if (loadAt === undefined || loadAt === start) return 0;
  const { pvhRelocation } = elf;
  if (pvhRelocation === undefined) {
    throw new BootError(
      `the kernel has no PHYS32_RELOC note, so it must stand at ${hex(start)}, where it was linked, not at ${hex(loadAt)}: leave the place out, or take a kernel that can be moved (Linux 6.12 or later)`,
    );
  }
  const { alignment, highest } = pvhRelocation;
  const lowest = Math.max(pvhRelocation.lowest, layout.highMemoryStart);
  if (!Number.isInteger(loadAt) || loadAt % alignment !== 0) {
    throw new BootError(
      `the kernel's PHYS32_RELOC note wants a multiple of ${hex(alignment)}, not ${hex(loadAt)}: take ${hex(alignUp(Math.max(Math.ceil(loadAt), lowest), alignment))}`,
    );
  }
  const last = loadAt + (end - start) - 1;
  if (loadAt < lowest || last > highest) {
    throw new BootError(
      `at ${hex(loadAt)} the kernel would reach up to ${hex(last)}; its PHYS32_RELOC note allows ${hex(lowest)} to ${hex(highest)}: take a place from ${hex(alignUp(lowest, alignment))} to ${hex(alignDown(highest + 1 - (end - start), alignment))}`,
    );
  }
  return loadAt - start;
}

const hex = (value: number): string => `0x${value.toString(16)}`;

function entryProblem(elf: ElfImage): string | undefined {
  const entry = elf.pvhEntry;
  if (entry === undefined) {
    return 'no PHYS32_ENTRY note: the kernel was built without CONFIG_PVH; take another kernel or another door';
  }
  const inside = elf.segments.some(
    ({ physicalAddress, memoryBytes }) => entry >= physicalAddress && entry < physicalAddress + memoryBytes,
  );
  return inside
    ? undefined
    : `the PHYS32_ENTRY note names 0x${entry.toString(16)}, which lies in no segment of the kernel: the image is damaged`;
}

/** Module 0 is the initrd where there is one, as Xen and Linux have it; the modules of --module follow. */
function modulesOf(options: BootOptions): readonly BootModule[] {
  return options.initrd === undefined ? options.modules : [{ bytes: options.initrd }, ...options.modules];
}

/** The entry is 32-bit code without paging, and Linux keeps 32 bits of a module's address. */
const last32BitAddress = 0xffff_ffff;

/** Fills the fixed area of hvm_start_info: the structure, module list, memory map and texts. Texts are UTF-8. */
function writeStartInfo(target: BootTarget, placement: TopDownPlacement, options: BootOptions): void {
  const { memory, rsdp, provided } = target;
  const modules = modulesOf(options);
  const { version = hvmStartVersion, flags = 0 } = options.pvh ?? {};
  const memmap = version === 0 ? [] : memoryMap(target);
  const modlistAt = layout.hvmStartInfo + alignUp(hvmStartInfoBytes[version], 8);
  const memmapAt = modlistAt + modules.length * HvmModlistEntry.size;
  let textAt = memmapAt + memmap.length * HvmMemmapEntry.size;
  const end = layout.hvmStartInfo + layout.hvmStartInfoBytes;
  if (textAt > end) {
    throw new BootError(
      `${String(modules.length)} modules are too many for hvm_start_info: pack them into fewer files`,
    );
  }
  const text = (what: string, value: string): number => {
    const bytes = zeroTerminated(value);
    if (textAt + bytes.length > end) {
      throw new BootError(
        `${what} of ${String(bytes.length - 1)} bytes does not fit into the ${String(layout.hvmStartInfoBytes)} bytes of hvm_start_info: shorten it`,
      );
    }
    memory.writePhysical(textAt, bytes);
    provided?.add(structureOf('loader', what.replace(/^the /, ''), textAt, [{ name: 'text', bytes: bytes.length }]));
    textAt += bytes.length;
    return textAt - bytes.length;
  };
  const commandLine = text('the command line', options.commandLine);
  modules.forEach((module, index) => {
    const isInitrd = index === 0 && options.initrd !== undefined;
    const what = isInitrd ? 'the initrd' : `module ${String(index)}`;
    const paddr = placement.place(module.bytes.length, what, last32BitAddress);
    memory.writePhysical(paddr, module.bytes);
    provided?.occupy('loader', 'modules', paddr, module.bytes.length);
    const cmdline = module.commandLine === undefined ? 0 : text(`the command line of ${what}`, module.commandLine);
    memory.writePhysical(
      modlistAt + index * HvmModlistEntry.size,
      HvmModlistEntry.encode({ paddr, size: module.bytes.length, cmdline_paddr: cmdline }),
    );
  });
  memmap.forEach((entry, index) => {
    memory.writePhysical(memmapAt + index * HvmMemmapEntry.size, HvmMemmapEntry.encode(entry));
  });
  const info = HvmStartInfo.encode({
    magic: hvmStartMagic,
    version,
    flags,
    nr_modules: modules.length,
    modlist_paddr: modules.length === 0 ? 0 : modlistAt,
    cmdline_paddr: commandLine,
    rsdp_paddr: rsdp,
    memmap_paddr: memmapAt,
    memmap_entries: memmap.length,
  });
  memory.writePhysical(layout.hvmStartInfo, info.subarray(0, hvmStartInfoBytes[version]));
  const list = (name: string, address: number, of: LayoutFields, count: number): void => {
    if (count > 0) provided?.add(structureOf('loader', name, address, [{ name: 'entry', of, count }]));
  };
  const infoAt = layout.hvmStartInfo;
  const most = hvmStartInfoBytes[version];
  provided?.add(structureOf('loader', 'hvm_start_info', infoAt, [HvmStartInfo], { most }));
  list('hvm_modlist_entry', modlistAt, HvmModlistEntry, modules.length);
  list('hvm_memmap_table_entry', memmapAt, HvmMemmapEntry, memmap.length);
}

const memmapTypes = {
  ram: HvmMemmapType.RAM,
  acpi: HvmMemmapType.ACPI,
  reserved: HvmMemmapType.RESERVED,
} as const;

/** The platform's map, without entries for what a PC's hole has around the tables. */
function memoryMap({ memory, rsdp, map = pcMap }: BootTarget): { addr: number; size: number; type: number }[] {
  return rangesOfMap(memory, map, rsdp !== 0)
    .filter(({ kind, end }) => kind !== 'reserved' || end > layout.highMemoryStart)
    .map(({ start, end, kind }) => ({ addr: start, size: end - start, type: memmapTypes[kind] }));
}

const flatCode: SegmentState = { selector: 0, base: 0n, limit: 0xffff_ffff, attributes: 0xc09b };
const flatData: SegmentState = { selector: 0, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 };
const taskState: SegmentState = { selector: 0, base: 0n, limit: 0x67, attributes: 0x008b };

/** Xen docs/misc/pvh, "x86/HVM direct boot ABI": CR0 has PE alone (and ET, which is fixed), CR4 is 0, EFLAGS IF, TF and VM clear. */
function entryState(entry: number): EntryState {
  return {
    mode: 'protected32',
    rip: BigInt(entry),
    registers: { rbx: BigInt(layout.hvmStartInfo) },
    rflags: 2n,
    cr0: 0x11n,
    segments: { cs: flatCode, ds: flatData, es: flatData, ss: flatData },
    tr: taskState,
  };
}
