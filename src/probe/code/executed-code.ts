import { MODE_CODE32, MODE_LMA, MODE_LONG, MODE_PAGING, MODE_USER } from '../../cpu/state-layout.js';
import { noCode, sortedCounts, type CodeCounts } from './code-counts.js';
import { areaNames, type AreaName, type CodeAreas } from './code-areas.js';

/** What was executed, as the processor counts it: the instruction at addresses[i] in the mode modes[i], counts[i] times. */
export interface TakenCounts {
  /** Guest-linear. */
  readonly addresses: BigUint64Array;
  /** Bytes of each instruction. */
  readonly lengths: Uint8Array;
  /** MODE_ bits of cpu/state-layout.ts. */
  readonly modes: Uint16Array;
  readonly counts: Float64Array;
}

/** The modes that a boot can pass through, kernel and user told apart. Intel SDM volume 3, 2.2. */
export const modeNames = [
  '16-bit protected',
  '32-bit protected, no paging',
  '32-bit protected, paging',
  'compatibility',
  '64-bit',
  'compatibility, user',
  '64-bit, user',
  '32-bit protected, user',
] as const;
export type ModeName = (typeof modeNames)[number];

export function modeName(mode: number): ModeName {
  const user = (mode & MODE_USER) !== 0;
  if ((mode & MODE_LONG) !== 0) return user ? '64-bit, user' : '64-bit';
  if ((mode & MODE_LMA) !== 0) return user ? 'compatibility, user' : 'compatibility';
  if (user) return '32-bit protected, user';
  if ((mode & MODE_CODE32) === 0) return '16-bit protected';
  return (mode & MODE_PAGING) === 0 ? '32-bit protected, no paging' : '32-bit protected, paging';
}

/** Where the guest was: from one point of its way to the next. */
export interface Stretch {
  /** The points at which it begins and ends: names of phases, `symbol:NAME`, at last `end`. */
  readonly from: string;
  readonly to: string;
  /** Boot services of EFI still ran at its beginning. */
  readonly inBootServices: boolean;
  readonly instructions: number;
  readonly modes: ReadonlyMap<ModeName, number>;
  readonly code: Readonly<Record<AreaName, CodeCounts>>;
}

/** Puts what was executed in a stretch in order. The sum of everything is the sum of `counts`. */
export function stretchOf(
  about: { readonly from: string; readonly to: string; readonly inBootServices: boolean },
  { addresses, modes, counts }: TakenCounts,
  areas: CodeAreas,
): Stretch {
  const offsets = Object.fromEntries(areaNames.map((name) => [name, [] as number[]])) as Record<AreaName, number[]>;
  const times = Object.fromEntries(areaNames.map((name) => [name, [] as number[]])) as Record<AreaName, number[]>;
  const byMode = new Map<number, number>();
  const halves = new Uint32Array(addresses.buffer, addresses.byteOffset, addresses.length * 2);
  let instructions = 0;
  for (let i = 0; i < addresses.length; i++) {
    const count = counts[i] ?? 0;
    const mode = modes[i] ?? 0;
    if (count === 0) continue;
    instructions += count;
    byMode.set(mode, (byMode.get(mode) ?? 0) + count);
    const { area, offset } = areas.place(halves[2 * i] ?? 0, halves[2 * i + 1] ?? 0, (mode & MODE_USER) !== 0);
    offsets[area].push(offset);
    times[area].push(count);
  }
  const names = new Map<ModeName, number>();
  for (const [mode, count] of byMode) names.set(modeName(mode), (names.get(modeName(mode)) ?? 0) + count);
  const code = Object.fromEntries(
    areaNames.map((name) => [name, offsets[name].length === 0 ? noCode : sortedCounts(offsets[name], times[name])]),
  ) as Record<AreaName, CodeCounts>;
  return { ...about, instructions, modes: names, code };
}
