// node --import tsx test/fuzz/main.ts [--seed N] [--runs N] [--only NAME]: feeds inputs until one breaks a promise.
import { parseArgs } from 'node:util';
import { fuzz, FuzzFailure } from './generator.js';
import { fuzzers } from './index.js';

const { values } = parseArgs({
  options: { seed: { type: 'string' }, runs: { type: 'string' }, only: { type: 'string' } },
});
const number = (name: 'seed' | 'runs', byDefault: number): number => {
  const text = values[name];
  if (text === undefined) return byDefault;
  if (!/^\d+$/.test(text)) throw new Error(`--${name} ${text}: give a whole number`);
  return Number(text);
};
const seed = number('seed', Math.floor(Date.now() / 1000));
const runs = number('runs', Infinity);
const chosen = fuzzers().filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0)
  throw new Error(
    `--only: the fuzzers are ${fuzzers()
      .map(({ name }) => name)
      .join(', ')}`,
  );

const share = 2000;
const done = new Map(chosen.map(({ name }) => [name, 0]));
const total = (): number => [...done.values()].reduce((sum, count) => sum + count, 0);
let next = seed;
try {
  while (total() < runs) {
    for (const fuzzer of chosen) {
      const batch = Math.max(1, Math.min(share, Math.ceil((runs - total()) / chosen.length)));
      done.set(fuzzer.name, (done.get(fuzzer.name) ?? 0) + fuzz(fuzzer, next, batch));
      if (total() >= runs) break;
    }
    next += share; // sessions of a batch take the seeds behind one another
    process.stderr.write(
      `${String(total())} inputs (${[...done].map(([name, n]) => `${name} ${String(n)}`).join(', ')})\n`,
    );
  }
  process.stdout.write(`fuzz: ${String(total())} inputs from seed ${String(seed)}, every promise kept\n`);
} catch (error) {
  if (!(error instanceof FuzzFailure)) throw error;
  process.stdout.write(`fuzz: ${error.message}\n`);
  process.exitCode = 1;
}
