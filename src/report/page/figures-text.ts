import { grouped } from '../numbers.js';

/** `1.42 G`, `97.1 M`, `869`: three digits, for a picture; the exact figure stands beside it or in a title. */
export function short(value: number): string {
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= size * 0.9995) return `${(value / size).toPrecision(3)} ${unit}`.replace(/\.0+ /, ' ');
  }
  return String(value);
}

/** `12.3 %`, `100 %`, `<0.1 %`. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '-';
  const value = (100 * part) / whole;
  if (value > 0 && value < 0.1) return '<0.1 %';
  return `${value >= 99.95 ? (part === whole ? '100' : '99.9') : value.toFixed(1)} %`;
}

/** `1 call`, `2,000 calls`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`;

/** `4 KiB`, `15.9 MiB`. */
export function byteText(bytes: number): string {
  for (const [size, unit] of [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ] as const) {
    if (bytes >= size) return `${Number((bytes / size).toPrecision(3)).toString()} ${unit}`;
  }
  return counted(bytes, 'byte');
}

export const hexText = (value: number): string => `0x${value.toString(16)}`;

/** `a, b and c`. */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;

/** A text as part of an id or a class: letters, digits and hyphens. */
export const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
