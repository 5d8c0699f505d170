/**
 * What the page reads of the results of the probes `instructions` and `coverage`: those fields alone, so that a result of
 * another version is drawn as far as it has them. docs/comparison.md has the whole.
 */

/** A door's `instructions`. */
export interface InstructionsRecord {
  readonly total: number;
  readonly unpacking?: { readonly where: string; readonly instructions: number };
  readonly stretches: readonly {
    readonly from: string;
    readonly to: string;
    readonly instructions: number;
    readonly unpacking: number;
    readonly modes: Readonly<Record<string, number>>;
    /** By subsystem, then by function. */
    readonly functions: Readonly<Record<string, Readonly<Record<string, number>>>>;
  }[];
}

export interface ShareRecord {
  /** Different instructions. */
  readonly addresses: number;
  readonly functions: number;
  /** By door. */
  readonly executions: readonly number[];
}

/** `coverage` of all doors together. */
export interface CoverageRecord {
  readonly doors: readonly string[];
  readonly refused?: string;
  readonly scopes: readonly {
    readonly scope: string;
    readonly all: ShareRecord;
    readonly common: ShareRecord;
    readonly some: ShareRecord;
    readonly only: readonly ShareRecord[];
    readonly subsystems: readonly {
      readonly subsystem: string;
      readonly common: number;
      readonly some: number;
      readonly only: readonly number[];
      readonly executions: readonly number[];
    }[];
    /** By subsystem and function: [common, some, only by door ..., executions by door ...]. */
    readonly functions?: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  }[];
  readonly joins: readonly { readonly door: string; readonly at?: string; readonly instructions?: number }[];
}
