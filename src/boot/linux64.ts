import { BootParams, E820Type, efiLoaderSignature64 } from '../../firmware-tables/linux/boot-params.js';
import {
  SetupHeader,
  setupHeaderOffset,
  undefinedLoader,
  XLoadFlag,
} from '../../firmware-tables/linux/setup-header.js';
import type { EntryState, SegmentState } from '../cpu/types.js';
import { FirmwareError } from '../firmware/errors.js';
import type { Firmware } from '../firmware/firmware.js';
import { handTables, type HandedTables } from '../firmware/set-up/handed-tables.js';
import type { LinuxSetup, LoadedImage } from '../loaders/image.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { pcMap, rangesOfMap, type MapRange } from '../memory/guest-map.js';
import { layout } from '../memory/layout.js';
import { structureOf } from '../memory/provided.js';
import { isRam, ramEnd, ramRanges } from '../memory/ram-map.js';
import { BootError, type BootProtocol, type BootTarget } from './boot-protocol.js';
import { identityPageTables, identityTables } from './identity-page-tables.js';
import {
  alignUp,
  mebibytes,
  moreRam,
  pageBytes,
  TopDownPlacement,
  writeWithZeros,
  zeroTerminated,
} from './placement.js';

const entryOffset = 0x200; // startup_64 in the protected-mode part

// The parts of the fixed area, guest-physical.
const bootParamsAt = layout.linuxBootParams;
const gdtAt = bootParamsAt + pageBytes;
const pageTablesAt = gdtAt + pageBytes;
const areaEnd = layout.linuxBootParams + layout.linuxBootParamsBytes;

const bootCode = 0x10; // __BOOT_CS
const bootData = 0x18; // __BOOT_DS
const gdt = [0n, 0n, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn] as const;

/** What this door may use: the firmware where its profile has EFI tables that are handed over. */
export interface Linux64Target extends BootTarget {
  readonly firmware?: Firmware;
}

/**
 * Linux's 64-bit boot protocol: the protected-mode part of a bzImage enters in long mode at offset 0x200 with RSI at a
 * "zero page". Linux Documentation/arch/x86/boot.rst, "64-bit Boot Protocol".
 * Under a profile that is handed over, efi_info names EFI tables without services.
 */
export const linux64: BootProtocol<Linux64Target> = {
  name: 'linux64',
  refuses(image) {
    if (image.setup !== undefined) return undefined; // without KERNEL_64 the image was refused when it was read
    return 'no bzImage: the 64-bit boot protocol enters the wrapper around the kernel, at offset 0x200 of its protected-mode part; give the vmlinuz';
  },
  enter(target, image, options) {
    const { setup } = image;
    if (setup === undefined) throw new BootError(linux64.refuses(image) ?? 'no setup header');
    if (options.modules.length > 0) {
      throw new BootError(
        'the 64-bit boot protocol carries an initrd and no other modules: leave out --module or take the pvh door',
      );
    }
    const { memory } = target;
    const kernelAt = loadProtectedMode(memory, image, setup);
    const kernel = { start: kernelAt, end: kernelAt + setup.initSize, what: 'the kernel' };
    const placement = new TopDownPlacement(memory, [kernel], layout.highMemoryStart);
    const initrdAt = options.initrd === undefined ? 0 : placeInitrd(placement, setup, options.initrd.length);
    if (options.initrd !== undefined) memory.writePhysical(initrdAt, options.initrd);
    const gibibytes = Math.max(4, Math.ceil(ramEnd(memory) / 2 ** 30));
    const commandLineAt = pageTablesAt + identityTables(gibibytes) * pageBytes;
    writeCommandLine(memory, setup, options.commandLine, commandLineAt);
    const { hardwareSubarch } = options.linux64 ?? {};
    const handed = handedTables(target, options.commandLine);
    writeBootParams(target, image, {
      kernelAt,
      commandLineAt,
      initrdAt,
      initrdBytes: options.initrd?.length ?? 0,
      ...(hardwareSubarch !== undefined && { hardwareSubarch }),
      ...(handed && { handed }),
    });
    memory.writePhysical(pageTablesAt, identityPageTables(pageTablesAt, gibibytes));
    memory.writePhysical(gdtAt, new Uint8Array(BigUint64Array.from(gdt).buffer));
    const { provided } = target;
    const used = { e820_table: memoryMap(target, handed?.ranges).length };
    provided?.add(structureOf('loader', 'boot_params', bootParamsAt, [BootParams], { used }));
    const commandLineBytes = zeroTerminated(options.commandLine).length;
    provided?.add(structureOf('loader', 'command line', commandLineAt, [{ name: 'text', bytes: commandLineBytes }]));
    provided?.occupy('loader', 'page tables', pageTablesAt, identityTables(gibibytes) * pageBytes);
    provided?.occupy('loader', 'descriptor tables', gdtAt, gdt.length * 8);
    if (options.initrd !== undefined) provided?.occupy('loader', 'modules', initrdAt, options.initrd.length);
    return entryState(kernelAt);
  },
};

function handedTables(target: Linux64Target, commandLine: string): HandedTables | undefined {
  const { firmware, rsdp, map } = target;
  if (firmware?.profile.handedOver !== true) return undefined;
  try {
    return handTables(firmware, { rsdp, commandLine, ...(map && { map }) });
  } catch (error) {
    if (error instanceof FirmwareError) throw new BootError(error.message, { cause: error });
    throw error;
  }
}

/** What lies above 4 GiB may be given to this kernel. */
const canUseHighRam = ({ xloadflags }: LinuxSetup): boolean => (xloadflags & XLoadFlag.above4G) !== 0;

/** Below initrd_addr_max, or above 4 GiB when there is room there alone and the kernel can have it so. */
function placeInitrd(placement: TopDownPlacement, setup: LinuxSetup, bytes: number): number {
  const goesHigh = canUseHighRam(setup) && placement.find(bytes, setup.initrdAddressMax) === undefined;
  return placement.place(bytes, 'the initrd', goesHigh ? undefined : setup.initrdAddressMax);
}

/** Copies the part behind the setup sectors to where the kernel will have the init_size bytes that it needs. */
function loadProtectedMode(memory: GuestMemory, image: LoadedImage, setup: LinuxSetup): number {
  const preferred = setup.prefAddress;
  if (preferred < layout.highMemoryStart || preferred % setup.kernelAlignment !== 0) {
    throw new BootError(
      `pref_address 0x${preferred.toString(16)} of the kernel is no aligned address above 1 MiB: the image is damaged`,
    );
  }
  const fits = (start: number): boolean => isRam(memory, { start, end: start + setup.initSize });
  const starts = setup.relocatable && canUseHighRam(setup) ? ramRanges(memory).map(({ start }) => start) : [];
  const at = [preferred, ...starts.map((start) => alignUp(Math.max(start, preferred), setup.kernelAlignment))].find(
    fits,
  );
  if (at === undefined) {
    throw new BootError(
      `the kernel needs ${mebibytes(setup.initSize)} from guest-physical 0x${preferred.toString(16)} on, RAM has ${mebibytes(memory.ramBytes)}: ${moreRam(memory, preferred + setup.initSize)}`,
    );
  }
  const part = image.bytes.subarray(setup.setupBytes);
  const bytes = part.subarray(0, Math.min(part.length, setup.initSize));
  writeWithZeros(memory, at, bytes, bytes.length);
  return at;
}

function writeCommandLine(memory: GuestMemory, setup: LinuxSetup, commandLine: string, at: number): void {
  const bytes = zeroTerminated(commandLine);
  const longest = Math.min(setup.commandLineBytes, areaEnd - at - 1);
  if (bytes.length - 1 > longest) {
    throw new BootError(
      `the command line of ${String(bytes.length - 1)} bytes is longer than the ${String(longest)} this kernel takes: shorten it`,
    );
  }
  memory.writePhysical(at, bytes);
}

interface Placed {
  readonly kernelAt: number;
  readonly commandLineAt: number;
  readonly initrdAt: number;
  readonly initrdBytes: number;
  readonly hardwareSubarch?: number;
  readonly handed?: HandedTables;
}

/** The zero page: cleared, the setup header copied up to where its jump points, then our fields. */
function writeBootParams(target: BootTarget, image: LoadedImage, placed: Placed): void {
  const { memory, rsdp } = target;
  const { handed } = placed;
  const header = SetupHeader.decode(image.bytes, setupHeaderOffset);
  const table = memoryMap(target, handed?.ranges);
  const page = BootParams.encode({
    acpi_rsdp_addr: handed ? 0 : rsdp, // the EFI table says it
    ...(handed && { efi_info: efiInfo(handed) }),
    e820_entries: table.length,
    e820_table: table,
    ext_ramdisk_image: Math.floor(placed.initrdAt / 2 ** 32),
  });
  const headerEnd = 0x202 + (image.bytes[0x201] ?? 0);
  page.set(
    image.bytes.subarray(setupHeaderOffset, Math.min(headerEnd, BootParams.offsetOf('edd_mbr_sig_buffer'))),
    setupHeaderOffset,
  );
  page.set(
    SetupHeader.encode({
      ...header,
      type_of_loader: undefinedLoader,
      code32_start: placed.kernelAt < 2 ** 32 ? placed.kernelAt : 0, // no 32-bit entry above 4 GiB
      cmd_line_ptr: placed.commandLineAt,
      ramdisk_image: placed.initrdAt % 2 ** 32,
      ramdisk_size: placed.initrdBytes,
      ...(placed.hardwareSubarch !== undefined && { hardware_subarch: placed.hardwareSubarch }),
    }),
    setupHeaderOffset,
  );
  memory.writePhysical(bootParamsAt, page);
}

const e820Types = { ram: E820Type.ram, acpi: E820Type.acpi, reserved: E820Type.reserved } as const;

const efiInfo = (handed: HandedTables) => ({
  efi_loader_signature: efiLoaderSignature64,
  efi_systab: handed.systemTable,
  efi_memdesc_size: handed.descriptorBytes,
  efi_memdesc_version: handed.descriptorVersion,
  efi_memmap: handed.memoryMap,
  efi_memmap_size: handed.memoryMapBytes,
});

/** Linux scans 0xf0000 to 0xfffff for firmware tables, so everything from 640 KiB to 1 MiB is reserved on a PC. */
function memoryMap(
  { memory, rsdp, map = pcMap }: BootTarget,
  ranges: readonly MapRange[] = rangesOfMap(memory, map, rsdp !== 0),
): { addr: number; size: number; type: number }[] {
  return ranges.map(({ start, end, kind }) => ({
    addr: start,
    size: end - start,
    type: e820Types[kind],
  }));
}

/** CR0 PG, ET, PE; CR4 PAE; EFER LMA, LME; interrupts off; flat __BOOT_CS and __BOOT_DS. */
function entryState(kernelAt: number): EntryState {
  const data: SegmentState = { selector: bootData, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 };
  return {
    mode: 'long64',
    rip: BigInt(kernelAt + entryOffset),
    registers: { rsi: BigInt(bootParamsAt) },
    rflags: 2n,
    cr0: 0x8000_0011n,
    cr3: BigInt(pageTablesAt),
    cr4: 0x20n,
    efer: 0x500n,
    gdtr: { base: BigInt(gdtAt), limit: gdt.length * 8 - 1 },
    segments: {
      cs: { selector: bootCode, base: 0n, limit: 0xffff_ffff, attributes: 0xa09b },
      ds: data,
      es: data,
      ss: data,
    },
  };
}
