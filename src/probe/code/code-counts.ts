/** Executed instructions of one area: where each begins, ascending and without repeats, and how often it was executed. */
export interface CodeCounts {
  readonly offsets: Float64Array;
  readonly counts: Float64Array;
}

export const noCode: CodeCounts = { offsets: new Float64Array(0), counts: new Float64Array(0) };

/** Sum of all counts. */
export const executionsOf = ({ counts }: CodeCounts): number => {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
};

const indexBits = 2 ** 21;
const offsetLimit = Number.MAX_SAFE_INTEGER / indexBits;

/** Sorts what was taken in any order and adds up repeats. */
export function sortedCounts(offsets: readonly number[], counts: readonly number[]): CodeCounts {
  const order = ascending(offsets);
  const outOffsets = new Float64Array(order.length);
  const outCounts = new Float64Array(order.length);
  let last = -1;
  for (const index of order) {
    const offset = offsets[index] ?? 0;
    if (last < 0 || outOffsets[last] !== offset) outOffsets[++last] = offset;
    outCounts[last] = (outCounts[last] ?? 0) + (counts[index] ?? 0);
  }
  return { offsets: outOffsets.slice(0, last + 1), counts: outCounts.slice(0, last + 1) };
}

/** Indices in the order of what they stand for. Numbers sort fast alone, so the index rides behind the offset where it fits. */
function ascending(offsets: readonly number[]): readonly number[] | Uint32Array {
  const fits = offsets.length < indexBits && offsets.every((offset) => offset >= 0 && offset < offsetLimit);
  if (!fits) return offsets.map((_, i) => i).sort((a, b) => (offsets[a] ?? 0) - (offsets[b] ?? 0));
  const keys = Float64Array.from(offsets, (offset, i) => offset * indexBits + i).sort();
  return Uint32Array.from(keys, (key) => key % indexBits);
}

/** Both together. */
export function addCounts(a: CodeCounts, b: CodeCounts): CodeCounts {
  if (a.offsets.length === 0) return b;
  if (b.offsets.length === 0) return a;
  const offsets = new Float64Array(a.offsets.length + b.offsets.length);
  const counts = new Float64Array(offsets.length);
  let [i, j, n] = [0, 0, 0];
  while (i < a.offsets.length || j < b.offsets.length) {
    const left = a.offsets[i] ?? Infinity;
    const right = b.offsets[j] ?? Infinity;
    const offset = Math.min(left, right);
    offsets[n] = offset;
    counts[n++] = (left === offset ? (a.counts[i++] ?? 0) : 0) + (right === offset ? (b.counts[j++] ?? 0) : 0);
  }
  return { offsets: offsets.slice(0, n), counts: counts.slice(0, n) };
}

/** Walks over several doors' code at once: each offset that any executed, with how often each door did (0: never). */
export function walkTogether(
  doors: readonly CodeCounts[],
  visit: (offset: number, counts: readonly number[]) => void,
): void {
  const at = doors.map(() => 0);
  const counts = doors.map(() => 0);
  for (;;) {
    let offset = Infinity;
    doors.forEach(({ offsets }, door) => {
      offset = Math.min(offset, offsets[at[door] ?? 0] ?? Infinity);
    });
    if (offset === Infinity) return;
    doors.forEach((code, door) => {
      const index = at[door] ?? 0;
      const hit = code.offsets[index] === offset;
      counts[door] = hit ? (code.counts[index] ?? 0) : 0;
      if (hit) at[door] = index + 1;
    });
    visit(offset, counts);
  }
}
