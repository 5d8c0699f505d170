// Sentences by people over numbers by a command: each says of what it is true.

/** A sentence may only stand while the figures bear it out. */
export function when(holds, sentence) {
  if (!holds) throw new Error(`the figures say otherwise now; write anew: "${sentence}"`);
  return sentence;
}

const digits = (value) =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');

/** `1,234,567`. */
export const count = (value) => digits(value);

/** `1.32 thousand million` would be long: `1,322 M`, `8.4 M`, `612 k`, `887`. */
export function about(value) {
  const magnitude = Math.abs(value);
  if (magnitude >= 100e6) return `${digits(value / 1e6)} M`;
  if (magnitude >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (magnitude >= 10e3) return `${digits(value / 1e3)} k`;
  return digits(value);
}

export const percent = (part, whole) => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`);

export const kibibytes = (bytes) => `${digits(bytes / 1024)} KiB`;

/** `a, b and c`. */
export const listed = (texts) =>
  texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`;
