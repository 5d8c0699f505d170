/** A line of the guest's console and when its first byte came. */
export interface ConsoleLine {
  /** Instructions retired before it. */
  readonly instructions: number;
  readonly text: string;
}

/** What the probe `console-lines` writes for a door. */
export interface ConsoleLinesRecord {
  readonly lines: readonly ConsoleLine[];
  /** Lines behind the last of `lines`. */
  readonly moreLines: number;
}
