// What the service log costs: boots through EFI with and without --trace, in turns.
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fixed, ratio, runsText, shown, spread, whole } from './figures.mjs';
import { table } from '../markdown.mjs';
import { efikitKernel } from './programs.mjs';
import { say, work } from './settings.mjs';

const bound = 1.1;

/** Rounds of two boots. Which comes first changes, so that what follows a boot meets both alike. */
async function measure(kernel, runs) {
  const file = path.join(work, 'trace.jsonl');
  const times = { plain: [], traced: [] };
  const options = { plain: [], traced: ['--trace', file] };
  for (let run = 1; run <= runs; run++) {
    for (const name of run % 2 === 1 ? ['plain', 'traced'] : ['traced', 'plain']) {
      const result = await efikitKernel(kernel, 'efi', { more: options[name] });
      times[name].push(result);
      say(`${kernel}, efi, run ${run} of ${runs}, ${name}: ${result.seconds.toFixed(2)} s`);
    }
  }
  const log = readFileSync(file);
  rmSync(file);
  return { kernel, ...times, entries: log.toString().split('\n').length - 1, bytes: log.length };
}

function report(all, runs) {
  const row = (title, format) => [title, ...all.map(format)];
  return `## The service log

\`efikit boot --trace FILE\` beside the same boot without it, through EFI; seconds are of the whole process: ${runsText(runs)}.

${table(
  ['', ...all.map(({ kernel }) => kernel)],
  [
    row('without', ({ plain }) => spread(plain)),
    row('with `--trace`', ({ traced }) => spread(traced)),
    row('**with ÷ without**', ({ traced, plain }) => `**${shown(ratio(traced, plain), fixed(3))}**`),
    row('processor seconds: with ÷ without', ({ traced, plain }) =>
      shown(ratio(traced, plain, 'processorSeconds'), fixed(3)),
    ),
    row('entries of the log', ({ entries }) => whole(entries)),
    row('its bytes', ({ bytes }) => whole(bytes)),
  ],
)}
`;
}

export async function trace({ kernels, runs }) {
  const all = [];
  for (const kernel of kernels) all.push(await measure(kernel, runs));
  const goals = all.map(({ kernel, plain, traced }) => ({
    title: `${kernel}, EFI: with \`--trace\` ÷ without`,
    value: ratio(traced, plain),
    bound,
    format: fixed(2),
  }));
  return { text: report(all, runs), goals };
}
