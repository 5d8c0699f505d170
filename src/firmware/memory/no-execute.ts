import { MemoryType, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { ramEnd } from '../../memory/ram-map.js';
import { FirmwareError } from '../errors.js';
import type { Firmware } from '../firmware.js';
import type { FirmwareHost } from '../host.js';
import { imageProtection, type PeLayout } from '../images/image-loader.js';
import type { MemoryMap } from './memory-map.js';
import { identityGiB, pageEntry, smallPageEntry } from '../set-up/processor-tables.js';

/** A range of guest-physical bytes; `end` is exclusive. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** Where the page tables are that a NoExecute keeps, as plain data. */
export interface NoExecutePlace {
  readonly pageTables: number; // guest-physical
  /** The image, whose pages are as its headers say. */
  readonly image: Range;
  readonly policy: 'data' | 'all';
}

/**
 * Marks pages as not executable by the type that the memory map gives them, as firmware with an NX memory policy does
 * (EDK II's PcdDxeNxMemoryProtectionPolicy), until the image leaves boot services. There is no Memory Attribute protocol to
 * change it.
 */
export class NoExecute {
  private executable: readonly Range[];
  private key: number;

  /** The tables are taken to agree with the map. */
  constructor(
    private readonly host: Pick<FirmwareHost, 'memory' | 'flushTlb'>,
    private readonly map: MemoryMap,
    readonly place: NoExecutePlace,
  ) {
    this.executable = this.wanted();
    this.key = map.key;
  }

  /** Marks everything for the first time; all pages were executable. */
  begin(): void {
    const wanted = this.executable;
    this.executable = [{ start: 0, end: ramEnd(this.host.memory) }];
    this.change(wanted);
  }

  /** Brings the tables in line with the map. */
  update(): void {
    if (this.map.key === this.key) return;
    this.key = this.map.key;
    this.change(this.wanted());
  }

  private wanted(): Range[] {
    const code: readonly number[] = [
      MemoryType.EfiBootServicesCode,
      MemoryType.EfiRuntimeServicesCode,
      ...(this.place.policy === 'data' ? [MemoryType.EfiLoaderCode] : []),
    ];
    return this.map
      .entries()
      .filter(({ type }) => code.includes(type))
      .map(({ start, pages }) => ({ start, end: start + pages * pageBytes }));
  }

  private change(wanted: readonly Range[]): void {
    const { image } = this.place;
    const before = this.executable;
    const edges = [image, ...before, ...wanted].flatMap(({ start, end }) => [start, end]);
    const bounds = [...new Set(edges)].sort((a, b) => a - b);
    const differing = bounds
      .map((start, index) => ({ start, end: bounds[index + 1] ?? start }))
      .filter(({ start }) => !within([image], start) && within(wanted, start) !== within(before, start));
    for (const range of differing) this.mark(range, within(wanted, range.start));
    this.executable = wanted;
    if (differing.length > 0) this.host.flushTlb?.();
  }

  private mark({ start, end }: Range, executable: boolean): void {
    const bytes = new Uint8Array(((end - start) / pageBytes) * 8);
    const view = new DataView(bytes.buffer);
    for (let at = start; at < end; at += pageBytes) {
      view.setBigUint64(((at - start) / pageBytes) * 8, pageEntry(at, { writable: true, executable }), true);
    }
    const { memory } = this.host;
    const at = smallPageEntry(this.place.pageTables, start, identityGiB(ramEnd(memory)));
    memory.writePhysical(at, bytes);
  }
}

function within(ranges: readonly Range[], address: number): boolean {
  return ranges.some(({ start, end }) => start <= address && address < end);
}

/** Puts the override `memory:no-execute` into force. Throws FirmwareError for an image that such a firmware refuses. */
export function applyNoExecute(fw: Firmware, pageTables: number, image: PeLayout, imageBase: number): void {
  const policy = fw.overrides['memory:no-execute'] ?? 'data';
  if (policy === 'all' && imageProtection(image, imageBase).length === 0) {
    throw new FirmwareError(
      'the image is not NX_COMPAT with sections on pages of their own, and a firmware without executable memory refuses it: link it so, or take no-execute=data',
    );
  }
  const pages = Math.ceil(image.sizeOfImage / pageBytes);
  const place = { pageTables, image: { start: imageBase, end: imageBase + pages * pageBytes }, policy };
  fw.noExecute = new NoExecute(fw.host, fw.memoryMap, place);
  fw.noExecute.begin();
}
