import type { CodeLines } from './result.js';

/** Lines of efikit's own code, counted from the tree when it was built: a package has no sources. */
export interface CodeLineFigures {
  /** What serves each door, by folder. */
  readonly doors: Readonly<Record<string, readonly CodeLines[]>>;
  /** Every service of every profile; `behind` with all of src/firmware that it reaches. */
  readonly services: readonly CodeLines[];
  /** What makes a domain of Xen, by folder. */
  readonly xen: readonly CodeLines[];
}
