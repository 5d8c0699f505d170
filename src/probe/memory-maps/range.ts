/** A range of guest-physical memory as a door told the guest of it. `end` is exclusive. */
export interface MemoryRange {
  readonly start: number;
  readonly end: number;
  /** As the door's own specification names it: `EfiLoaderData`, `RAM`. */
  readonly type: string;
}
