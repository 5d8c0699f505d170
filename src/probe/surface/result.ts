/** What the probe `surface` writes into the JSON result. All numbers are exact and the same on every run. */

/** Who put a structure into the guest's memory. `firmware`: the EFI System Table provider; `loader`: a door without firmware. */
export type SurfaceProvider = 'firmware' | 'acpi' | 'loader' | 'xen';

/**
 * How a place of the guest's code reads. `field`: it takes the bytes of one field. `copy`: it copies them elsewhere (memcpy,
 * MOVS). `sum`: it goes over all bytes for a checksum or hash. `sweep`: it goes over the bytes without regard to fields: a
 * copy that the compiler has made of loads and stores, or a search through memory.
 */
export type ReadKind = 'field' | 'copy' | 'sum' | 'sweep';

/** Reads of a field by one function in one phase. */
export interface SurfaceReader {
  readonly function: string;
  /** By the point at which it began: `entry`, `exit-boot-services`, ... */
  readonly phase: string;
  readonly kind: ReadKind;
  /** It read a copy of the structure, not the structure itself. Copies by MOVS or memcpy are followed. */
  readonly ofCopy?: true;
  /** Accesses that touched the field. */
  readonly reads: number;
}

export interface SurfaceField {
  /** Dotted where structures are nested: `Hdr.CRC32`, `time.version`. */
  readonly name: string;
  /** From the structure's start. */
  readonly offset: number;
  readonly bytes: number;
  /** Bytes that were read at least once, by whomever, in the structure or a copy. */
  readonly bytesRead: number;
  /** Reads of every kind, of copies too; those of kind `field` alone. */
  readonly reads: number;
  readonly fieldReads: number;
  /** Stores by the guest. The bytes that it stored are its own from then on, and no longer watched. */
  readonly writes: number;
  readonly readers: readonly SurfaceReader[];
  /** Padding and reserved bytes: they are watched, but do not count as fields. */
  readonly padding?: true;
}

/** A structure as it lies in memory: its fields by offset, without gaps. */
export interface SurfaceStructure {
  /** `EFI_SYSTEM_TABLE`, `hvm_start_info`, `MADT`, `memory map 3` ... once a door. */
  readonly name: string;
  readonly provider: SurfaceProvider;
  /** Guest-physical, hexadecimal. */
  readonly address: string;
  readonly bytes: number;
  readonly bytesRead: number;
  /** Of those, bytes that some place read as a field (`ReadKind`). */
  readonly bytesFieldRead: number;
  /** Since when it is there: `set-up`, or the phase in which the guest got it. */
  readonly phase: string;
  /** Copies that were followed. */
  readonly copies: number;
  /** What ended the watch before the guest did: it was freed, replaced, or its place left to others. */
  readonly ended?: string;
  readonly fields: readonly SurfaceField[];
}

/** A service or hypercall that was called. */
export interface SurfaceCalls {
  readonly name: string;
  readonly calls: number;
  /** Of a hypercall: bytes of the structures behind its pointers, over all calls. */
  readonly argumentBytes?: number;
}

/** A GUID that the guest asked for by a service: a protocol, mostly. */
export interface SurfaceLookup {
  /** By its name where it has one here: `EFI_RNG_PROTOCOL`. */
  readonly guid: string;
  /** By which service: `LocateProtocol`. */
  readonly service: string;
  readonly calls: number;
  /** Calls that found it. */
  readonly found: number;
}

/** An entry of the configuration table, in its order. */
export interface SurfaceConfigurationTable {
  /** By its name where it has one here. */
  readonly guid: string;
  /** Who installed it. */
  readonly by: 'firmware' | 'guest';
  /** Reads of its GUID: each comparison with one that is looked for reads it at least once. */
  readonly guidReads: number;
  /** Reads of its pointer: whoever took it has found what it looked for. */
  readonly pointerReads: number;
}

/** A variable that the guest named. */
export interface SurfaceVariable {
  /** `SecureBoot`. */
  readonly name: string;
  readonly guid: string;
  readonly service: string;
  readonly calls: number;
  readonly found: number;
}

/** The ABI surface of a door in figures. What a door lacks is 0. */
export interface SurfaceTotals {
  readonly services: number; // different ones that were called
  readonly serviceCalls: number;
  readonly lookups: number; // different protocols and GUIDs that were asked for
  readonly lookupsFound: number;
  readonly configurationTables: number;
  readonly configurationTablesCompared: number; // GUID read
  readonly configurationTablesTaken: number; // pointer read
  readonly variables: number;
  readonly variablesFound: number;
  readonly structures: number;
  readonly structuresRead: number;
  readonly fields: number; // without padding
  readonly fieldsRead: number; // as fields
  readonly fieldsSwept: number; // copied, summed or swept and never read as fields
  readonly fieldsWritten: number;
  readonly bytes: number; // with padding
  readonly bytesRead: number; // by whomever
  readonly bytesFieldRead: number;
  readonly reads: number;
  readonly writes: number;
  readonly memoryDescriptors: number; // of all maps that were handed out
  readonly memoryDescriptorsRead: number; // a field of it, as a field
  readonly hypercalls: number; // different operations
  readonly hypercallCalls: number;
  readonly hypercallArgumentBytes: number;
}

/** Of one door: `doors[].probes.surface`. */
export interface SurfaceRecord {
  readonly totals: SurfaceTotals;
  /** In the order in which the guest got them. */
  readonly structures: readonly SurfaceStructure[];
  readonly services: readonly SurfaceCalls[];
  readonly lookups: readonly SurfaceLookup[];
  readonly configurationTables: readonly SurfaceConfigurationTable[];
  readonly variables: readonly SurfaceVariable[];
  readonly hypercalls: readonly SurfaceCalls[];
}

/** Of all doors together: `joined.surface`. */
export interface SurfaceJoined {
  readonly doors: readonly { readonly door: string; readonly totals: SurfaceTotals }[];
  /** Structures by name, how much of them each door's guest read; null where a door has none. */
  readonly structures: readonly {
    readonly name: string;
    readonly doors: readonly ({ readonly fields: number; readonly fieldsRead: number } | null)[];
  }[];
}
