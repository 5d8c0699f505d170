// Where a boot's time goes: V8's sampling profiler over the whole command, its samples put under the lines of budgets.mjs.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { root } from '../sources.mjs';
import * as budgets from './budgets.mjs';
import { classify } from './classify.mjs';
import { median } from './figures.mjs';
import { table } from '../markdown.mjs';
import { efikitKernel } from './programs.mjs';
import { cli, here, say, work } from './settings.mjs';

const microseconds = 250; // between two samples
const shortest = 0.0005; // seconds: what is less reads 0.00
const shownFunctions = 25;

/** Seconds that `npm run -s efikit` takes besides the command itself: npm, its shell and the check of the build. */
function npmSeconds(runs) {
  const time = (command, args) => {
    const start = performance.now();
    const { status } = spawnSync(command, args, { cwd: root, stdio: 'ignore' });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with status ${status}`);
    return (performance.now() - start) / 1000;
  };
  const pairs = Array.from(
    { length: Math.max(3, runs) },
    () => time('npm', ['run', '-s', 'efikit', '--', '--version']) - time(process.execPath, [cli, '--version']),
  );
  return median(pairs);
}

/** One profiled boot: seconds by line before the first guest instruction and in the whole. */
async function profiled(kernel, door, isVerbose) {
  const file = path.join(work, 'boot.cpuprofile');
  rmSync(file, { force: true });
  const { started } = await efikitKernel(kernel, door, {
    node: [
      '--import',
      here('name-probe.mjs'),
      '--cpu-prof',
      `--cpu-prof-interval=${microseconds}`,
      `--cpu-prof-dir=${work}`,
      '--cpu-prof-name=boot.cpuprofile',
    ],
  });
  const { before, after, startUpSeconds, startedAt, functions } = classify(JSON.parse(readFileSync(file, 'utf8')));
  if (isVerbose) {
    for (const [name, seconds] of functions.slice(0, shownFunctions)) say(`  ${seconds.toFixed(3)} s  ${name}`);
  }
  const node = startedAt - started; // the profiler's clock is the host's monotonic one
  return { startUp: { ...before, node }, whole: { ...after, start: startUpSeconds + node } };
}

/** Medians by line of several runs. */
function medians(runs) {
  const keys = [...new Set(runs.flatMap((run) => Object.keys(run)))];
  return Object.fromEntries(keys.map((key) => [key, median(runs.map((run) => run[key] ?? 0))]));
}

const total = (seconds) => Object.values(seconds).reduce((sum, value) => sum + value, 0);

function budgetTable(lines, columns) {
  const cell = (value = 0, budget) => {
    const text = value < shortest ? '0.00' : value.toFixed(2);
    return value >= budget + 0.005 ? `**${text}**` : text;
  };
  const sum = Object.values(lines).reduce((all, { budget }) => all + budget, 0);
  return table(
    ['', 'budget', ...columns.map(({ title }) => title)],
    [
      ...Object.entries(lines).map(([key, { title, budget }]) => [
        title,
        budget.toFixed(2),
        ...columns.map(({ seconds }) => cell(seconds[key], budget)),
      ]),
      ['in all', sum.toFixed(2), ...columns.map(({ seconds }) => cell(total(seconds), sum))],
    ],
  );
}

function report(all, runs) {
  const columns = (part) =>
    all.map((one) => ({ title: `${one.kernel}, ${one.door.toUpperCase()}`, seconds: one[part] }));
  return `## Where a boot's time goes

Seconds on the main thread, by V8's profiler (a sample every ${microseconds / 1000} ms, which itself takes some time); median of ${runs} boot${runs === 1 ? '' : 's'} of each.
What is over its budget is bold.

Until the first guest instruction:

${budgetTable(budgets.startUp, columns('startUp'))}

The whole boot:

${budgetTable(budgets.whole, columns('whole'))}

- npm, its shell and the check of the build are the difference between \`npm run -s efikit -- --version\` and the command itself; whole boots above are without them.
- V8 compiles WebAssembly further on other threads while the guest runs; that is in the processor seconds of whole boots, not here. What it compiles
  when a function is first called counts as that function's.
- Guest code that is copied, filled or searched by REP instructions, page walks, faults and interrupts, floating point and system instructions run in the
  core, also when hot code meets them.
`;
}

export async function profile({ kernels, doors, runs: wanted, isVerbose }) {
  const runs = Math.min(wanted, 3);
  const npm = npmSeconds(runs);
  const all = [];
  for (const kernel of kernels) {
    for (const door of doors) {
      const parts = [];
      for (let run = 1; run <= runs; run++) {
        say(`profile of ${kernel}, ${door}, run ${run} of ${runs}`);
        parts.push(await profiled(kernel, door, isVerbose));
      }
      const startUp = { ...medians(parts.map((part) => part.startUp)), npm };
      const whole = medians(parts.map((part) => part.whole));
      all.push({ kernel, door, startUp, whole: { ...whole, start: whole.start + npm } });
    }
  }
  const goals = all.map(({ kernel, door, startUp }) => ({
    title: `${kernel}, ${door.toUpperCase()}: seconds until the first guest instruction`,
    value: total(startUp),
    bound: 0.5,
    format: (value) => value.toFixed(2),
  }));
  return { text: report(all, runs), goals };
}
