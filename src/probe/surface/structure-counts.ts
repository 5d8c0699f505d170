import type { ProvidedField, ProvidedStructure } from '../../memory/provided.js';
import type { ReadKind, SurfaceField, SurfaceReader, SurfaceStructure } from './result.js';
import type { ReadSite } from './read-sites.js';

/** Different fields side by side that one instruction must read to be taken for a loop over bytes. */
const sweptFields = 3;

/** What one site read of a structure. */
class SiteCounts {
  /** By field. */
  readonly reads: Uint32Array;
  /** By byte: 1 where it read. */
  readonly touched: Uint8Array;
  /** A single access took bytes of several fields. */
  spans = false;

  constructor(readonly structure: ProvidedStructure) {
    this.reads = new Uint32Array(structure.fields.length);
    this.touched = new Uint8Array(structure.bytes);
  }

  /** The same instruction reads different fields that lie side by side: it takes them for bytes. */
  get sweeps(): boolean {
    if (this.spans) return true;
    let names = new Set<string>();
    let last: ProvidedField | undefined;
    for (const [i, field] of this.structure.fields.entries()) {
      if (this.reads[i] === 0) continue;
      const follows = last !== undefined && last.offset + last.bytes === field.offset;
      if (!follows) names = new Set();
      names.add(field.name.replaceAll(/\[\d+\]/g, '[]')); // the same field of several entries is no sweep
      if (names.size >= sweptFields) return true;
      last = field;
    }
    return false;
  }

  /** The bytes that it read, where they are in one piece. */
  get range(): { readonly start: number; readonly end: number } | undefined {
    const start = this.touched.indexOf(1);
    const end = this.touched.lastIndexOf(1) + 1;
    return start >= 0 && this.touched.subarray(start, end).every((byte) => byte === 1) ? { start, end } : undefined;
  }
}

interface KindOfSite {
  readonly site: ReadSite;
  readonly counts: SiteCounts;
  kind: ReadKind;
}

/**
 * Loads of a function beside those that take several fields at once, of the same width or wider than the field, belong to
 * the same copy, which the compiler has made of loads and stores.
 */
function spreadSweeps(sites: readonly KindOfSite[]): void {
  for (const seed of sites.filter(({ counts }) => counts.spans)) {
    let { start, end } = seed.counts.range ?? { start: 0, end: 0 };
    const others = sites.filter(
      ({ site, kind }) => kind === 'field' && site.function === seed.site.function && site.phase === seed.site.phase,
    );
    for (;;) {
      const beside = others
        .map((one) => ({ one, range: one.counts.range }))
        .filter(({ range }) => range !== undefined && (range.end === start || range.start === end))
        .sort((a, b) => bytesOf(b.range) - bytesOf(a.range))[0];
      if (beside?.range === undefined || beside.one.kind !== 'field') break;
      beside.one.kind = 'sweep';
      start = Math.min(start, beside.range.start);
      end = Math.max(end, beside.range.end);
    }
  }
}

const bytesOf = (range: { readonly start: number; readonly end: number } | undefined): number =>
  range === undefined ? 0 : range.end - range.start;

/** Counts the accesses to one structure. Offsets are bytes from its start. */
export class StructureCounts {
  /** Copies that are followed. */
  copies = 0;
  /** What ended the watch. */
  ended: string | undefined;
  private readonly sites = new Map<ReadSite, SiteCounts>();
  private readonly writes: Uint32Array;
  /** By byte: 1 where the guest has stored something of its own. */
  private own: Uint8Array | undefined;

  constructor(
    readonly structure: ProvidedStructure,
    /** Since when it is there. */
    readonly phase: string,
  ) {
    this.writes = new Uint32Array(structure.fields.length);
  }

  read(site: ReadSite, offset: number, bytes: number): void {
    if (this.own?.subarray(offset, offset + bytes).every((byte) => byte === 1) === true) return;
    let counts = this.sites.get(site);
    if (counts === undefined) this.sites.set(site, (counts = new SiteCounts(this.structure)));
    counts.touched.fill(1, offset, offset + bytes);
    let proper = 0;
    for (let i = this.fieldAt(offset); i < this.structure.fields.length; i++) {
      const field = this.structure.fields[i];
      if (field === undefined || field.offset >= offset + bytes) break;
      counts.reads[i] = (counts.reads[i] ?? 0) + 1;
      if (field.padding !== true) proper++;
    }
    counts.spans ||= proper > 1;
  }

  /** `shared`: others go on to store there as well, so that the bytes stay interesting. */
  write(offset: number, bytes: number, shared: boolean): void {
    if (!shared) (this.own ??= new Uint8Array(this.structure.bytes)).fill(1, offset, offset + bytes);
    for (let i = this.fieldAt(offset); i < this.structure.fields.length; i++) {
      if ((this.structure.fields[i]?.offset ?? Infinity) >= offset + bytes) return;
      this.writes[i] = (this.writes[i] ?? 0) + 1;
    }
  }

  result(): SurfaceStructure {
    const { name, provider, address, bytes, fields } = this.structure;
    const sites = [...this.sites].map(([site, counts]): KindOfSite => ({
      site,
      counts,
      kind: site.kind ?? (counts.sweeps ? 'sweep' : 'field'),
    }));
    spreadSweeps(sites);
    const touched = (wanted: (kind: ReadKind) => boolean): Uint8Array => {
      const all = new Uint8Array(bytes);
      for (const { counts, kind } of sites) if (wanted(kind)) counts.touched.forEach((bit, i) => (all[i]! |= bit));
      return all;
    };
    const all = touched(() => true);
    return {
      name,
      provider,
      address: `0x${address.toString(16)}`,
      bytes,
      bytesRead: sum(all),
      bytesFieldRead: sum(touched((kind) => kind === 'field')),
      phase: this.phase,
      copies: this.copies,
      ...(this.ended === undefined ? {} : { ended: this.ended }),
      fields: fields.map((field, i): SurfaceField => {
        const readers = readersOf(sites, i);
        const reads = (kinds: readonly SurfaceReader[]): number => kinds.reduce((total, one) => total + one.reads, 0);
        return {
          name: field.name,
          offset: field.offset,
          bytes: field.bytes,
          bytesRead: sum(all.subarray(field.offset, field.offset + field.bytes)),
          reads: reads(readers),
          fieldReads: reads(readers.filter(({ kind }) => kind === 'field')),
          writes: this.writes[i] ?? 0,
          readers,
          ...(field.padding && { padding: true }),
        };
      }),
    };
  }

  /** Index of the field that holds a byte. */
  private fieldAt(offset: number): number {
    const { fields } = this.structure;
    let low = 0;
    let high = fields.length;
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if ((fields[middle]?.offset ?? Infinity) <= offset) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** The sites of a function in a phase together, in the order in which they came. */
function readersOf(sites: readonly KindOfSite[], field: number): SurfaceReader[] {
  const readers = new Map<string, SurfaceReader>();
  for (const { site, counts, kind } of sites) {
    const reads = counts.reads[field] ?? 0;
    if (reads === 0) continue;
    const { function: name, phase, ofCopy } = site;
    const key = `${phase}\n${name}\n${kind}\n${String(ofCopy)}`;
    const before = readers.get(key)?.reads ?? 0;
    readers.set(key, { function: name, phase, kind, ...(ofCopy && { ofCopy }), reads: before + reads });
  }
  return [...readers.values()];
}

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => total + byte, 0);
