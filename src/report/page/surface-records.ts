/** What the page reads of the results of the probes `surface` and `cost`; docs/comparison.md has the whole. */

export interface SurfaceFieldRecord {
  readonly name: string;
  /** From the structure's start, in bytes. */
  readonly offset: number;
  readonly bytes: number;
  readonly bytesRead: number;
  /** Of every kind; as a field alone. */
  readonly reads: number;
  readonly fieldReads: number;
  readonly writes: number;
  readonly readers: readonly {
    readonly function: string;
    readonly phase: string;
    readonly kind: string;
    readonly reads: number;
  }[];
  readonly padding?: boolean;
}

export interface SurfaceStructureRecord {
  readonly name: string;
  readonly provider: string;
  readonly address: string;
  readonly bytes: number;
  readonly bytesRead: number;
  readonly bytesFieldRead: number;
  readonly phase: string;
  readonly ended?: string;
  readonly fields: readonly SurfaceFieldRecord[];
}

export interface SurfaceCallsRecord {
  readonly name: string;
  readonly calls: number;
  readonly argumentBytes?: number;
}

export interface SurfaceRecord {
  /** By name: `fieldsRead`, `bytes` ... */
  readonly totals: Readonly<Record<string, number>>;
  readonly structures: readonly SurfaceStructureRecord[];
  readonly services: readonly SurfaceCallsRecord[];
  readonly hypercalls: readonly SurfaceCallsRecord[];
  readonly lookups: readonly {
    readonly guid: string;
    readonly service: string;
    readonly calls: number;
    readonly found: number;
  }[];
  readonly configurationTables: readonly {
    readonly guid: string;
    readonly by: string;
    readonly guidReads: number;
    readonly pointerReads: number;
  }[];
  readonly variables: readonly {
    readonly name: string;
    readonly guid: string;
    readonly service: string;
    readonly calls: number;
    readonly found: number;
  }[];
}
