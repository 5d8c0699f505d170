import { XenElfNote } from '../../firmware-tables/image/elf.js';
import { XLoadFlag } from '../../firmware-tables/linux/setup-header.js';
import { doorNames, doorRefuses } from '../boot/door-choice.js';
import { announcedSize, payloadCodec } from '../loaders/decompress/index.js';
import { ImageError, type ElfImage, type LoadedImage, type PeImage, type PvhRelocation } from '../loaders/image.js';
import { readKallsyms, SymbolsError } from '../symbols/kallsyms.js';

/** What `efikit inspect` knows of an image, as data. Addresses are guest-physical unless named otherwise. */
export interface Inspection {
  readonly kind: LoadedImage['kind'];
  readonly format: string;
  readonly bytes: number;
  readonly kernelVersion?: string;
  readonly setup?: {
    readonly protocol: string;
    readonly prefAddress: number;
    readonly initSize: number;
    readonly commandLineBytes: number;
    readonly xloadflags: readonly string[];
  };
  readonly payload?: {
    readonly codec: string;
    readonly offset: number;
    readonly bytes: number;
    readonly unpackedBytes?: number;
  };
  readonly pe?: Omit<PeImage, 'imageBase'> & { readonly imageBase: string };
  readonly elf?: {
    readonly bits: 32 | 64;
    readonly entry: string;
    readonly segments: readonly {
      readonly physicalAddress: number;
      readonly virtualAddress: string;
      readonly fileBytes: number;
      readonly memoryBytes: number;
    }[];
    readonly notes: readonly { readonly name: string; readonly type: string; readonly value: string }[];
    /** The 32-bit entry of PVH, and where else the kernel may stand for it. */
    readonly pvh?: { readonly entry: number; readonly relocation?: PvhRelocation };
  };
  readonly doors: readonly { readonly name: string; readonly opens: boolean; readonly reason?: string }[];
  readonly symbols?: number;
  /** One sentence for each thing that does not load or cannot be read. */
  readonly problems: readonly string[];
}

/** Looks into an image; await its prepare() first, else a Zstandard payload is reported as unreadable. */
export function inspectData(image: LoadedImage): Inspection {
  const problems: string[] = [];
  let elf: ElfImage | undefined;
  try {
    elf = image.elf();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    problems.push(error.message);
  }
  let symbols: number | undefined;
  if (elf !== undefined && image.setup !== undefined) {
    try {
      symbols = readKallsyms(elf).count;
    } catch (error) {
      if (!(error instanceof SymbolsError)) throw error;
      problems.push(`no symbols: ${error.message}`);
    }
  }
  return {
    kind: image.kind,
    format: formatOf(image, elf),
    bytes: image.bytes.length,
    ...(image.setup === undefined ? {} : setupOf(image, image.setup)),
    ...(image.pe === undefined ? {} : { pe: { ...image.pe, imageBase: hex(image.pe.imageBase) } }),
    ...(elf === undefined ? {} : { elf: elfOf(elf) }),
    doors: doorNames.map((name) => {
      const reason = doorRefuses(name, image);
      return { name, opens: reason === undefined, ...(reason === undefined ? {} : { reason }) };
    }),
    ...(symbols === undefined ? {} : { symbols }),
    problems,
  };
}

/** The report of `efikit inspect`: plain text, lines ended by "\n". */
export function inspect(image: LoadedImage): string {
  const data = inspectData(image);
  const lines: string[] = [`format    ${data.format}, ${size(data.bytes)}`];
  if (data.kernelVersion !== undefined) lines.push(`kernel    ${data.kernelVersion}`);
  if (data.setup !== undefined) {
    const { protocol, prefAddress, initSize, commandLineBytes, xloadflags } = data.setup;
    lines.push(
      `setup     boot protocol ${protocol}, wants ${size(initSize)} at ${hex(prefAddress)}, command line up to ${String(commandLineBytes)} bytes`,
      `          ${xloadflags.join(', ')}`,
    );
  }
  if (data.payload !== undefined) {
    const { codec, offset, bytes, unpackedBytes } = data.payload;
    const unpacked = unpackedBytes === undefined ? '' : `, ${size(unpackedBytes)} unpacked`;
    lines.push(`payload   ${codec}, ${size(bytes)} at offset ${hex(offset)}${unpacked}`);
  }
  if (data.symbols !== undefined) lines.push(`symbols   ${String(data.symbols)} in kallsyms`);
  lines.push('doors');
  for (const door of data.doors)
    lines.push(`  ${door.name.padEnd(9)}${door.opens ? 'opens' : `closed: ${door.reason ?? ''}`}`);
  if (data.pe !== undefined) lines.push(...peLines(data.pe));
  if (data.elf !== undefined) lines.push(...elfLines(data.elf));
  if (data.problems.length > 0) lines.push('problems', ...data.problems.map((problem) => `  ${problem}`));
  return `${lines.join('\n')}\n`;
}

function formatOf(image: LoadedImage, elf: ElfImage | undefined): string {
  if (image.kind === 'bzimage') return image.pe === undefined ? 'Linux bzImage' : 'Linux bzImage with EFI stub (PE32+)';
  if (image.kind === 'pe') return 'PE32+ EFI application for x86-64';
  return `ELF ${String(elf?.bits ?? 64)}-bit for x86`;
}

function setupOf(image: LoadedImage, setup: NonNullable<LoadedImage['setup']>): Partial<Inspection> {
  const payload = image.bytes.subarray(setup.payloadOffset, setup.payloadOffset + setup.payloadBytes);
  const unpackedBytes = announcedSize(payload);
  const flags = Object.entries(XLoadFlag).filter(([, bit]) => (setup.xloadflags & bit) !== 0);
  return {
    ...(setup.kernelVersion === undefined ? {} : { kernelVersion: setup.kernelVersion }),
    setup: {
      protocol: `${String(setup.version >> 8)}.${String(setup.version & 0xff)}`,
      prefAddress: setup.prefAddress,
      initSize: setup.initSize,
      commandLineBytes: setup.commandLineBytes,
      xloadflags: flags.map(([name]) => name),
    },
    payload: {
      codec: payloadCodec(payload)?.name ?? 'uncompressed or unknown',
      offset: setup.payloadOffset,
      bytes: setup.payloadBytes,
      ...(unpackedBytes === undefined || payloadCodec(payload) === undefined ? {} : { unpackedBytes }),
    },
  };
}

function elfOf(elf: ElfImage): NonNullable<Inspection['elf']> {
  const xenTypes = new Map<number, string>(Object.entries(XenElfNote).map(([name, type]) => [type, name]));
  return {
    bits: elf.bits,
    entry: hex(elf.entry),
    segments: elf.segments.map(({ physicalAddress, virtualAddress, fileBytes, memoryBytes }) => ({
      physicalAddress,
      virtualAddress: hex(virtualAddress),
      fileBytes,
      memoryBytes,
    })),
    notes: elf.notes.map(({ name, type, description }) => ({
      name,
      type: (name === 'Xen' ? xenTypes.get(type) : undefined) ?? String(type),
      value: noteValue(description),
    })),
    ...(elf.pvhEntry === undefined
      ? {}
      : { pvh: { entry: elf.pvhEntry, ...(elf.pvhRelocation && { relocation: elf.pvhRelocation }) } }),
  };
}

/** Text when it is printable, a number when it has the length of one, else bytes. */
function noteValue(description: Uint8Array): string {
  const text = description.at(-1) === 0 ? description.subarray(0, -1) : description;
  if (text.length > 0 && text.every((byte) => byte >= 0x20 && byte < 0x7f)) return `"${String.fromCharCode(...text)}"`;
  if (description.length === 4 || description.length === 8) {
    return hex(description.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n));
  }
  const shown = Array.from(description.subarray(0, 32), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return description.length > 32 ? `${shown}... (${String(description.length)} bytes)` : shown;
}

function peLines(pe: NonNullable<Inspection['pe']>): string[] {
  const relocations =
    pe.relocations === undefined ? 'no base relocations' : `base relocations at RVA ${hex(pe.relocations.rva)}`;
  return [
    `PE        entry RVA ${hex(pe.entryPoint)}, image ${size(pe.sizeOfImage)} at ${pe.imageBase}, subsystem ${String(pe.subsystem)}, ${relocations}`,
    ...pe.sections.map(
      (section) =>
        `  ${section.name.padEnd(8)} RVA ${hex(section.virtualAddress).padEnd(10)} ${size(section.virtualSize)}, file ${hex(section.fileOffset)} ${size(section.fileSize)}, ${rights(section.characteristics)}`,
    ),
  ];
}

/** IMAGE_SCN_MEM_READ, _WRITE, _EXECUTE. PE format specification, "Section Flags". */
function rights(characteristics: number): string {
  const flag = (bit: number, letter: string): string => ((characteristics >>> bit) & 1 ? letter : '-');
  return flag(30, 'r') + flag(31, 'w') + flag(29, 'x');
}

function elfLines(elf: NonNullable<Inspection['elf']>): string[] {
  return [
    `ELF       ${String(elf.bits)} bits, entry ${elf.entry}`,
    ...elf.segments.map(
      (segment) =>
        `  load     ${hex(segment.physicalAddress).padEnd(10)} ${size(segment.memoryBytes)}, ${size(segment.fileBytes)} of it in the file, linked at ${segment.virtualAddress}`,
    ),
    ...(elf.pvh === undefined ? [] : [pvhLine(elf.pvh)]),
    ...elf.notes.map((note) => `  note     ${note.name} ${note.type} = ${note.value}`),
  ];
}

function pvhLine({ entry, relocation }: NonNullable<NonNullable<Inspection['elf']>['pvh']>): string {
  const place =
    relocation === undefined
      ? 'only where it was linked'
      : `also elsewhere: at a multiple of ${hex(relocation.alignment)} from ${hex(relocation.lowest)} on, up to ${hex(relocation.highest)}`;
  return `  PVH      entry ${hex(entry)}, ${place}`;
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

function size(bytes: number): string {
  if (bytes < 1024) return `${String(bytes)} bytes`;
  if (bytes < 2 ** 20) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
