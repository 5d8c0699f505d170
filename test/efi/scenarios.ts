import type { Overrides } from '../../src/firmware/index.js';
import { runConformance, type ConformanceRun } from './run-conformance.js';

export type ProfileName = 'proposal' | 'linux';

/** A run of the guest, and how it has to end. */
export interface Scenario {
  readonly profile: ProfileName;
  readonly words: string;
  readonly reason: string;
  /** What is added to the profile. */
  readonly overrides?: Overrides;
}

/** A run for the sake of its end alone. */
export interface Ending extends Scenario {
  readonly section: string;
  readonly service: string;
  readonly what: string;
}

/** Runs whose lines are the checks. */
export const scenarios: readonly Scenario[] = [
  { profile: 'linux', words: 'map pages pools handles paths initrd console tables', reason: 'Exit(EFI_SUCCESS)' },
  {
    profile: 'linux',
    words: 'images',
    reason: 'Exit(EFI_SUCCESS)',
    overrides: { LoadImage: 'present', StartImage: 'present', UnloadImage: 'present' },
  },
  { profile: 'linux', words: 'variables', reason: 'Exit(EFI_SUCCESS)' },
  { profile: 'linux', words: 'variables-after', reason: 'ResetSystem(EfiResetShutdown)' },
  { profile: 'proposal', words: 'variables', reason: 'Exit(EFI_SUCCESS)' },
  { profile: 'linux', words: 'pointers', reason: 'Exit(EFI_SUCCESS)' },
  { profile: 'linux', words: 'pointers-after', reason: 'ResetSystem(EfiResetShutdown)' },
  { profile: 'proposal', words: 'pointers-variables', reason: 'Exit(EFI_SUCCESS)' },
  { profile: 'linux', words: 'leave', reason: 'ResetSystem(EfiResetShutdown)' },
  { profile: 'linux', words: 'leave-foreign', reason: 'Exit(EFI_SUCCESS)' },
  { profile: 'linux', words: 'absent-linux', reason: 'Exit(EFI_SUCCESS)' },
  { profile: 'linux', words: 'exit-foreign', reason: 'Exit(EFI_SUCCESS)' },
  { profile: 'linux', words: 'exit-after', reason: 'Exit(EFI_NOT_FOUND)' },
  { profile: 'proposal', words: 'map', reason: 'Exit(EFI_SUCCESS)' },
  { profile: 'proposal', words: 'leave', reason: 'Exit(EFI_SUCCESS)' },
  { profile: 'proposal', words: 'absent-proposal', reason: 'Exit(EFI_SUCCESS)' },
  { profile: 'proposal', words: 'exit-foreign', reason: 'Exit(EFI_SUCCESS)' },
];

const exit = { section: '7.4.5', service: 'Exit' };
const returns = { section: '2.3.4', service: 'image entry point' };
const reset = { section: '8.5.1', service: 'ResetSystem' };
const exits = (profile: ProfileName): Ending[] => [
  { profile, words: 'exit-success', reason: 'Exit(EFI_SUCCESS)', ...exit, what: 'with EFI_SUCCESS' },
  {
    profile,
    words: 'exit-ignored',
    reason: 'Exit(EFI_SUCCESS)',
    ...exit,
    what: 'EFI_SUCCESS: exit data is not looked at',
  },
  { profile, words: 'exit-error', reason: 'Exit(EFI_ABORTED)', ...exit, what: 'with an error and no data' },
  { profile, words: 'exit-text', reason: 'Exit(EFI_ABORTED): out of sugar', ...exit, what: 'with a text as exit data' },
  { profile, words: 'exit-data', reason: 'Exit(EFI_ABORTED): no', ...exit, what: 'with bytes behind the text' },
  { profile, words: 'exit-cut', reason: 'Exit(EFI_ABORTED): out', ...exit, what: 'with a text that ExitDataSize cuts' },
  {
    profile,
    words: 'return-success',
    reason: 'Exit(EFI_SUCCESS)',
    ...returns,
    what: 'returns EFI_SUCCESS instead of calling Exit',
  },
  {
    profile,
    words: 'return-error',
    reason: 'Exit(EFI_LOAD_ERROR)',
    ...returns,
    what: 'returns an error instead of calling Exit',
  },
];

/** Runs that are over with the call that is checked. */
export const endings: readonly Ending[] = [
  ...exits('linux'),
  ...exits('proposal'),
  { profile: 'linux', words: 'reset-cold', reason: 'ResetSystem(EfiResetCold)', ...reset, what: 'EfiResetCold' },
  { profile: 'linux', words: 'reset-warm', reason: 'ResetSystem(EfiResetWarm)', ...reset, what: 'EfiResetWarm' },
  {
    profile: 'linux',
    words: 'reset-shutdown',
    reason: 'ResetSystem(EfiResetShutdown)',
    ...reset,
    what: 'EfiResetShutdown',
  },
  {
    profile: 'linux',
    words: 'reset-platform',
    reason: 'ResetSystem(EfiResetPlatformSpecific)',
    ...reset,
    what: 'EfiResetPlatformSpecific without data',
  },
  { profile: 'linux', words: 'reset-unknown', reason: 'Exit(EFI_SUCCESS)', ...reset, what: 'an unknown type returns' },
];

const runs = new Map<string, ConformanceRun>();

/** The scenario's run; a second call gives the first one's. */
export function play({ profile, words, overrides }: Scenario): ConformanceRun {
  const key = `${profile} ${words}`;
  let run = runs.get(key);
  if (!run) {
    run = runConformance(profile, words, overrides);
    runs.set(key, run);
  }
  return run;
}
