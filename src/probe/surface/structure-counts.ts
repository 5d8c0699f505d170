import type { ProvidedField, ProvidedStructure } from '../../memory/provided.js';
import type { ReadKind, SurfaceField, SurfaceReader, SurfaceStructure } from '../surface-result.js';
import type { ReadSite } from './read-sites.js';

/** Different fields side by side that one instruction must read to be taken for a loop over bytes. */
const sweptFields = 3;

/** What one site read of a structure. */
class SiteCounts {
  /** By field. */
  readonly reads: Uint32Array;
  /** By byte: 1 where it read. */
  readonly touched: Uint8Array;

  constructor(readonly structure: ProvidedStructure) {
    this.reads = new Uint32Array(structure.fields.length);
    this.touched = new Uint8Array(structure.bytes);
  }

  /** The same instruction reads different fields that lie side by side: it takes them for bytes. */
  get sweeps(): boolean {
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
}

/** Counts the accesses to one structure. Offsets are bytes from its start. */
export class StructureCounts {
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
    for (let i = this.fieldAt(offset); i < this.structure.fields.length; i++) {
      if ((this.structure.fields[i]?.offset ?? Infinity) >= offset + bytes) return;
      counts.reads[i] = (counts.reads[i] ?? 0) + 1;
    }
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
    const sites = [...this.sites].map(([site, counts]) => ({
      site,
      counts,
      kind: site.kind ?? (counts.sweeps ? 'sweep' : 'field'),
    }));
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

interface KindOfSite {
  readonly site: ReadSite;
  readonly counts: SiteCounts;
  readonly kind: ReadKind;
}

/** The sites of a function in a phase together, in the order in which they came. */
function readersOf(sites: readonly KindOfSite[], field: number): SurfaceReader[] {
  const readers = new Map<string, SurfaceReader>();
  for (const { site, counts, kind } of sites) {
    const reads = counts.reads[field] ?? 0;
    if (reads === 0) continue;
    const key = `${site.phase}\n${site.function}\n${kind}`;
    const before = readers.get(key)?.reads ?? 0;
    readers.set(key, { function: site.function, phase: site.phase, kind, reads: before + reads });
  }
  return [...readers.values()];
}

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => total + byte, 0);
