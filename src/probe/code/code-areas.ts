import type { FirmwareEvent } from '../../firmware/index.js';
import type { LoadedImage } from '../../loaders/image.js';
import { GuestAddressError, type GuestMemory } from '../../memory/guest-memory.js';
import { kernelBase } from '../../symbols/kernel-functions.js';
import type { KernelPlace } from '../../symbols/kernel-place.js';

/**
 * Whose code an address belongs to.
 *   kernel       Linux, offsets from kernelBase as linked: the same wherever KASLR put it
 *   file         code of the image's file that is not Linux proper (EFI stub, decompressor, another PE or ELF): offsets in the file
 *   application  another PE image that the firmware entered, proposal-linux for one: RVAs
 *   firmware     gates: number times 16, one more for the RET behind
 *   user         CPL 3: guest-virtual addresses
 *   modules      beside the kernel in the upper 2 GiB: modules and code that the kernel generates; guest-virtual
 *   elsewhere    anything else, guest-virtual
 * Guest-virtual addresses of the upper half are negative numbers.
 */
export const areaNames = ['kernel', 'file', 'application', 'firmware', 'user', 'modules', 'elsewhere'] as const;
export type AreaName = (typeof areaNames)[number];

/** Where an instruction is. */
export interface CodePlace {
  readonly area: AreaName;
  readonly offset: number;
}

/** What placing code needs of the machine. */
export interface AreaTarget {
  readonly memory: Pick<GuestMemory, 'readPhysical'>;
}

interface PlacedImage {
  readonly base: number;
  readonly bytes: number;
  readonly isFile: boolean;
}

const gateMagic = [0x0f, 0x3f, 0x45, 0x4b] as const;
const gateBytes = 6; // without its RET
const upper = 0xffff_ffff;
const word = 2 ** 32;
const comparedBytes = 8;
const soughtBytes = 24;
const page = 4096;

/**
 * Says to whom executed addresses belong. Low addresses are taken for guest-physical ones, as firmware, stub and early
 * kernel map them. It looks into guest memory at the moment at which it is asked, and only reads.
 */
export class CodeAreas {
  /** The kernel stands where low addresses are its text: it has been entered, or its door put it there. */
  kernelStands = false;
  private readonly images: PlacedImage[] = [];
  /** Places to which the image's file was copied, as found: guest-physical of its first byte. */
  private readonly copies: number[] = [];
  private readonly strangePages = new Set<number>();
  private readonly gates = new Map<string, CodePlace>();

  constructor(
    private readonly target: AreaTarget,
    private readonly image: LoadedImage,
    /** The first image that the firmware enters is the file itself. */
    private readonly entersFile: boolean,
    readonly kernel: KernelPlace | undefined,
  ) {}

  happened({ event, image }: FirmwareEvent): void {
    if (event !== 'image-entry' || image === undefined) return;
    this.images.push({ ...image, isFile: this.images.length === 0 && this.entersFile });
  }

  /** A gate was executed at a guest-virtual address: RIP stands at its RET. */
  gateAt(ret: bigint, number: number): void {
    const address = BigInt.asUintN(64, ret - BigInt(gateBytes));
    this.gates.set(address.toString(16), { area: 'firmware', offset: number * 16 });
    this.gates.set(ret.toString(16), { area: 'firmware', offset: number * 16 + 1 });
  }

  /** Where a guest-linear address is that was executed; the address in two halves. */
  place(low: number, high: number, isUser: boolean): CodePlace {
    if (isUser) return { area: 'user', offset: high * word + low };
    if (high === upper) return this.upperPlace(low);
    if (high !== 0) return this.gate(low, high) ?? { area: 'elsewhere', offset: signed(low, high) };
    return this.lowPlace(low);
  }

  placeOf(address: bigint, isUser = false): CodePlace {
    return this.place(Number(address & 0xffff_ffffn), Number(address >> 32n), isUser);
  }

  /** The bytes that stand at a place; undefined where nobody can tell any more. */
  bytesAt({ area, offset }: CodePlace, length: number): Uint8Array | undefined {
    if (area === 'file') return this.image.bytes.subarray(offset, offset + length);
    const application = this.images.findLast(({ isFile }) => !isFile);
    const physical =
      area === 'kernel'
        ? this.kernel?.physicalOfOffset(offset)
        : area === 'application' && application !== undefined
          ? application.base + offset
          : area === 'elsewhere' && offset >= 0
            ? offset
            : undefined;
    return physical === undefined ? undefined : this.read(physical, length);
  }

  private upperPlace(low: number): CodePlace {
    const linear = low - Number(kernelBase & 0xffff_ffffn);
    const { kernel } = this;
    if (linear >= 0 && kernel?.virtualDistance !== undefined) {
      const offset = kernel.inside(linear - kernel.virtualDistance);
      if (offset !== undefined) return { area: 'kernel', offset };
    }
    return this.gate(low, upper) ?? { area: linear >= 0 ? 'modules' : 'elsewhere', offset: signed(low, upper) };
  }

  private lowPlace(low: number): CodePlace {
    if (this.kernelStands) {
      const offset = this.kernel?.offsetOfPhysical(low);
      if (offset !== undefined) return { area: 'kernel', offset };
    }
    const entered = this.images.findLast(({ base, bytes }) => low >= base && low < base + bytes);
    if (entered !== undefined) {
      const rva = low - entered.base;
      return entered.isFile ? { area: 'file', offset: this.fileOffset(rva) } : { area: 'application', offset: rva };
    }
    const known = this.gate(low, 0) ?? this.copied(low);
    return known ?? { area: 'elsewhere', offset: low };
  }

  private fileOffset(rva: number): number {
    const section = this.image.pe?.sections.findLast(({ virtualAddress }) => rva >= virtualAddress);
    return section === undefined ? rva : rva - section.virtualAddress + section.fileOffset;
  }

  private gate(low: number, high: number): CodePlace | undefined {
    const key = ((BigInt(high) << 32n) | BigInt(low)).toString(16);
    const known = this.gates.get(key);
    if (known !== undefined || high !== 0) return known;
    for (const [start, isReturn] of [
      [low, 0],
      [low - gateBytes, 1],
    ] as const) {
      const bytes = this.read(start, gateBytes);
      if (bytes === undefined || !gateMagic.every((byte, i) => bytes[i] === byte)) continue;
      const place = { area: 'firmware', offset: ((bytes[4] ?? 0) | ((bytes[5] ?? 0) << 8)) * 16 + isReturn } as const;
      this.gates.set(key, place);
      return place;
    }
    return undefined;
  }

  /** Code of the file that was copied, or loaded by somebody else: found by its bytes. */
  private copied(low: number): CodePlace | undefined {
    const { bytes: file } = this.image;
    const within = this.copies.filter((base) => low >= base && low < base + file.length);
    const here = this.read(low, comparedBytes);
    const same = within.find((base) => here?.every((byte, i) => byte === file[low - base + i]));
    if (same !== undefined) return { area: 'file', offset: low - same };
    const around = low - (low % page);
    if (!this.strangePages.has(around)) {
      const sought = this.read(low, soughtBytes);
      const at = sought === undefined ? -1 : indexOf(file, sought);
      if (at >= 0) {
        this.copies.push(low - at);
        return { area: 'file', offset: at };
      }
      this.strangePages.add(around);
    }
    const first = within[0]; // patched since, or overwritten
    return first === undefined ? undefined : { area: 'file', offset: low - first };
  }

  private read(address: number, length: number): Uint8Array | undefined {
    try {
      return this.target.memory.readPhysical(address, length);
    } catch (error) {
      if (error instanceof GuestAddressError) return undefined;
      throw error;
    }
  }
}

/** The upper half of the address space is negative: numbers are exact there. */
const signed = (low: number, high: number): number => (high | 0) * word + low;

/** Where bytes stand in a file; -1 when nowhere, and for bytes that are all the same, which prove nothing. */
function indexOf(file: Uint8Array, sought: Uint8Array): number {
  const [first = 0] = sought;
  if (sought.every((byte) => byte === first)) return -1;
  for (let at = file.indexOf(first); at >= 0; at = file.indexOf(first, at + 1)) {
    if (sought.every((byte, i) => byte === file[at + i])) return at;
  }
  return -1;
}
