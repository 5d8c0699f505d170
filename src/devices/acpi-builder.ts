import { concatenate } from '../bytes/concatenate.js';
import { Rsdp, rsdpLegacyBytes } from '../../firmware-tables/acpi/rsdp.js';
import { TableHeader } from '../../firmware-tables/acpi/table-header.js';
import { structureOf, type Part, type ProvidedStructure } from '../memory/provided.js';

/** Tables with their place in guest-physical memory. */
export interface AcpiTables {
  /** Guest-physical address of the RSDP. */
  readonly rsdp: number;
  /** Where `bytes` go, guest-physical. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** Each table, field by field. */
  readonly structures: readonly ProvidedStructure[];
}

/** Who made the tables, as each header says. ACPI 6.5 section 5.2.6. */
export interface AcpiMaker {
  readonly oem: string;
  readonly table: string;
  readonly revision: number;
  readonly creator: string;
  readonly creatorRevision: number;
}

export interface PlacedTable {
  readonly address: number;
  readonly bytes: Uint8Array;
}

const alignment = 16;
const checksumOffset = TableHeader.offsetOf('Checksum');

/** Encodes tables of one maker and puts them one behind the other, from a guest-physical address on. */
export class AcpiBuilder {
  private readonly placed: PlacedTable[] = [];
  private readonly structures: ProvidedStructure[] = [];
  private next: number;

  constructor(
    private readonly maker: AcpiMaker,
    private readonly address: number,
    reserved = 0,
  ) {
    this.next = address + reserved;
  }

  /** A header of a table of `length` bytes; its checksum is withChecksum's. */
  header(signature: string, revision: number, length: number) {
    return {
      Signature: ascii(signature),
      Length: length,
      Revision: revision,
      OEMID: ascii(this.maker.oem),
      OEMTableID: ascii(this.maker.table),
      OEMRevision: this.maker.revision,
      CreatorID: ascii(this.maker.creator),
      CreatorRevision: this.maker.creatorRevision,
    };
  }

  table(signature: string, revision: number, body: Uint8Array): Uint8Array {
    const length = TableHeader.size + body.length;
    return withTableChecksum(concatenate([TableHeader.encode(this.header(signature, revision, length)), body]));
  }

  /** ACPI 6.5 section 5.2.5.3. */
  rsdp(xsdt: number, rsdt = 0): Uint8Array {
    const bytes = Rsdp.encode({
      Signature: ascii('RSD PTR '),
      OEMID: ascii(this.maker.oem),
      Revision: 2,
      RsdtAddress: rsdt,
      Length: Rsdp.size,
      XsdtAddress: xsdt,
    });
    withChecksum(bytes, Rsdp.offsetOf('Checksum'), rsdpLegacyBytes);
    return withChecksum(bytes, Rsdp.offsetOf('ExtendedChecksum'), Rsdp.size);
  }

  /** Puts a table behind the last one, at a multiple of 16 or of `align`. `parts` says what it is made of. */
  place(name: string, bytes: Uint8Array, parts: readonly Part[], align = alignment): PlacedTable {
    return this.placeAt(Math.ceil(this.next / align) * align, name, bytes, parts);
  }

  placeAt(address: number, name: string, bytes: Uint8Array, parts: readonly Part[]): PlacedTable {
    const table = { address, bytes };
    this.placed.push(table);
    this.structures.push(structureOf('acpi', name, address, parts, { most: bytes.length }));
    this.next = Math.max(this.next, address + bytes.length);
    return table;
  }

  /** Everything from the builder's address on, with the RSDP at `rsdp`. */
  tables(rsdp: number): AcpiTables {
    const bytes = new Uint8Array(this.next - this.address);
    for (const table of this.placed) bytes.set(table.bytes, table.address - this.address);
    return { rsdp, address: this.address, bytes, structures: this.structures };
  }
}

/** The header of a table whose layout leaves it out. */
export const headerPart: Part = { name: 'Header', of: TableHeader };

/** A table with a header, its checksum set. */
export const withTableChecksum = (bytes: Uint8Array): Uint8Array => withChecksum(bytes, checksumOffset, bytes.length);

/** Sets the byte at `offset` so that the first `length` bytes sum to 0. */
export function withChecksum(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  bytes[offset] = 0;
  bytes[offset] = -bytes.subarray(0, length).reduce((sum, byte) => sum + byte, 0);
  return bytes;
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
