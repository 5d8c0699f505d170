import { short } from './figures-text.js';

/** From a number of instructions to a place between 0 and 100. */
export interface Scale {
  readonly name: 'log' | 'linear';
  readonly place: (instructions: number) => number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** From 0 to the end in equal steps. */
export function linearScale(end: number): Scale {
  const place = (value: number): number => rounded((100 * Math.min(value, end)) / Math.max(1, end));
  const rough = Math.max(1, end) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => ({
    at: place(i * step),
    label: i === 0 ? '0' : short(i * step),
  }));
  return { name: 'linear', place, ticks };
}

/** Each power of ten as wide as the next; 0 and everything below `from` is at the left edge. */
export function logScale(from: number, end: number): Scale {
  const first = Math.floor(Math.log10(Math.max(1, from)));
  const last = Math.log10(Math.max(end, 10 ** (first + 1)));
  const place = (value: number): number =>
    rounded(Math.min(100, Math.max(0, (100 * (Math.log10(Math.max(1, value)) - first)) / (last - first))));
  const ticks = Array.from({ length: Math.floor(last) - first + 1 }, (_, i) => ({
    at: place(10 ** (first + i)),
    label: i === 0 && first > 0 ? `<${short(10 ** first)}` : short(10 ** (first + i)),
  }));
  return { name: 'log', place, ticks };
}
