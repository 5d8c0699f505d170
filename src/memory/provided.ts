/**
 * What was put into guest memory for the guest in front of its entry, or later without its doing: structures field by
 * field, and the places that only take room. Whoever lays something out says so here, once.
 */
import type { LayoutFields } from '../../firmware-tables/layout.js';

/** Who provides: the EFI System Table provider, the platform's ACPI, a door without firmware, the hypervisor. */
export type Provider = 'firmware' | 'acpi' | 'loader' | 'xen';

export interface ProvidedField {
  /** Dotted where structures are nested. */
  readonly name: string;
  readonly offset: number; // bytes, from the structure's start
  readonly bytes: number;
  /** Nobody is meant to read it: padding, reserved bytes, entries out of use. */
  readonly padding?: true;
}

/** A structure for the guest to read. */
export interface ProvidedStructure {
  readonly name: string;
  readonly provider: Provider;
  readonly address: number; // guest-physical
  readonly bytes: number;
  /** By offset, without gaps. */
  readonly fields: readonly ProvidedField[];
}

/** Memory that is not the guest's and holds no structure that it is told of. */
export interface OccupiedMemory {
  /** What it is for, as people say it: `stack`, `page tables`, `code` ... */
  readonly owner: string;
  readonly provider: Provider;
  readonly address: number; // guest-physical
  readonly bytes: number;
}

/** A part of a structure: a declared layout, one or a number of them under a name, or bytes without a layout. */
export type Part =
  LayoutFields | { readonly name: string; readonly of: LayoutFields; readonly count?: number } | NamedBytes;

interface NamedBytes {
  readonly name: string;
  readonly bytes: number;
}

const paddingNames = /^(?:_?pad|_?rsvd|reserved)_?\d*$/i;

/** How much of the parts is there. */
export interface Extent {
  /** Bytes; all that the parts have when left out. */
  readonly most?: number;
  /** Of an array in a layout, by its name: how many entries are in use. */
  readonly used?: Readonly<Record<string, number>>;
}

function addLayout(
  into: ProvidedField[],
  layout: LayoutFields,
  prefix: string,
  offset: number,
  used: Extent['used'] = {},
): void {
  for (const { name, offset: within, size, inner } of layout.fields) {
    const at = offset + within;
    const full = `${prefix}${name}`;
    if (inner === undefined || inner.size === 0) {
      into.push({ name: full, offset: at, bytes: size, ...(paddingNames.test(name) && { padding: true }) });
      continue;
    }
    const count = size / inner.size;
    const inUse = Math.min(used[name] ?? count, count);
    for (let i = 0; i < inUse; i++)
      addLayout(into, inner, count === 1 ? `${full}.` : `${full}[${String(i)}].`, at + i * inner.size);
    if (inUse < count) {
      const bytes = (count - inUse) * inner.size;
      into.push({ name: `${full}[${String(inUse)}..]`, offset: at + inUse * inner.size, bytes, padding: true });
    }
  }
}

/** Fields of parts that lie one behind the other. */
export function fieldsOf(parts: readonly Part[], { most = Infinity, used }: Extent = {}): readonly ProvidedField[] {
  const fields: ProvidedField[] = [];
  let end = 0;
  for (const part of parts) {
    if ('fields' in part) {
      addLayout(fields, part, '', end, used);
      end += part.size;
    } else if ('of' in part) {
      for (let i = 0; i < (part.count ?? 1); i++) {
        addLayout(fields, part.of, part.count === undefined ? `${part.name}.` : `${part.name}[${String(i)}].`, end);
        end += part.of.size;
      }
    } else if (part.bytes > 0) {
      const { name, bytes } = part;
      fields.push({ name, offset: end, bytes, ...(paddingNames.test(name) && { padding: true }) });
      end += bytes;
    }
  }
  return fields.filter(({ offset, bytes }) => offset + bytes <= most);
}

/** A structure made of parts. */
export function structureOf(
  provider: Provider,
  name: string,
  address: number,
  parts: readonly Part[],
  extent?: Extent,
): ProvidedStructure {
  const fields = fieldsOf(parts, extent);
  const last = fields.at(-1);
  return { name, provider, address, bytes: last === undefined ? 0 : last.offset + last.bytes, fields };
}

/** The list of it. Only told, never read back by those who provide: a restored machine has an empty one. */
export class ProvidedMemory {
  readonly structures: ProvidedStructure[] = [];
  readonly occupied: OccupiedMemory[] = [];
  /** Called for each structure that comes after the listener did. */
  onStructure: ((structure: ProvidedStructure) => void) | undefined;
  /** Called when a structure is no longer there; `why` completes "it was ...". */
  onEnd: ((structure: ProvidedStructure, why: string) => void) | undefined;

  /** Structures of one name are told apart by a number from the second one on. */
  add(structure: ProvidedStructure): void {
    const { structures } = this;
    const taken = (name: string): boolean => structures.some((other) => other.name === name);
    let { name } = structure;
    for (let n = 2; taken(name); n++) name = `${structure.name} ${String(n)}`;
    const added = { ...structure, name };
    structures.push(added);
    this.onStructure?.(added);
  }

  occupy(provider: Provider, owner: string, address: number, bytes: number): void {
    this.occupied.push({ owner, provider, address, bytes });
  }

  /** What lies at an address is not the provider's any more. */
  end(address: number, why: string): void {
    const structure = this.structures.findLast((candidate) => candidate.address === address);
    if (structure !== undefined) this.onEnd?.(structure, why);
  }
}
