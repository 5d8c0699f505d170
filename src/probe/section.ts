/** What a probe has to say, for a terminal, a page or a document alike. */
export interface Section {
  readonly title: string;
  /** Left out of an overview. */
  readonly detail?: true;
  /** Sentences in front of the table: what is counted, and how to read it. */
  readonly note?: string;
  readonly table?: SectionTable;
  /** Sentences behind the table. */
  readonly lines?: readonly string[];
}

/** Rows of cells as texts; a row may be shorter than the heading. Numbers are grouped by who makes the row. */
export interface SectionTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** All columns but the first are numbers. */
  readonly numbers?: boolean;
}
