import type { Fuzzer } from './generator.js';
import { hypercallFuzzer } from './hypercalls.js';
import { imageFuzzer } from './images.js';
import { serviceFuzzer } from './services.js';
import { storeFuzzer } from './stores.js';
import { variableFuzzer } from './variables.js';

/** Every fuzzer there is. */
export const fuzzers = (): readonly Fuzzer[] => [
  imageFuzzer(),
  serviceFuzzer(),
  variableFuzzer(),
  storeFuzzer(),
  hypercallFuzzer(),
];
