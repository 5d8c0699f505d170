// Medians, ratios and Markdown tables.

export const notMeasured = 'not measured';

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median of one figure of several runs; undefined when a run lacks it or there is none. */
export function medianOf(runs, key) {
  const values = runs?.map((run) => run[key]) ?? [];
  return values.length === 0 || values.includes(undefined) ? undefined : median(values);
}

export const geometricMean = (numbers) =>
  Math.exp(numbers.reduce((sum, value) => sum + Math.log(value), 0) / numbers.length);

/** A figure as text, or that it was not measured. */
export const shown = (value, format) => (value === undefined ? notMeasured : format(value));
export const fixed = (digits) => (value) => value.toFixed(digits);
export const whole = (value) => Math.round(value).toLocaleString('en-GB');
export const mebibytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;

/** How the seconds of a table came about. */
export const runsText = (runs) => (runs === 1 ? 'one run' : `median of ${runs} runs (lowest to highest)`);

/** "1.23 s (1.20 to 1.31)": median, lowest and highest. */
export function spread(runs, key = 'seconds') {
  const value = medianOf(runs, key);
  if (value === undefined) return notMeasured;
  const values = runs.map((run) => run[key]);
  const range = `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;
  return values.length === 1 ? `${value.toFixed(2)} s` : `${value.toFixed(2)} s (${range})`;
}

/** Median of the rounds' ratios, each of two runs that came one after the other; undefined when one side is missing. */
export function ratio(mine, theirs, key = 'seconds') {
  const ratios = mine.map((run, round) => run[key] / theirs[round]?.[key]);
  return ratios.length === 0 || ratios.some(Number.isNaN) ? undefined : median(ratios);
}
