// What the guest under Xen costs: boots with and without --xen, in turns, through each door.
import { fixed, ratio, runsText, shown, spread } from './figures.mjs';
import { table } from '../markdown.mjs';
import { efikitKernel } from './programs.mjs';
import { say } from './settings.mjs';

const bound = 1.1;

/** Rounds of two boots. Which comes first changes, so that what follows a boot meets both alike. */
async function measure(kernel, door, runs) {
  const times = { plain: [], xen: [] };
  const options = { plain: {}, xen: { more: ['--xen'], append: 'console=hvc0' } };
  for (let run = 1; run <= runs; run++) {
    for (const name of run % 2 === 1 ? ['plain', 'xen'] : ['xen', 'plain']) {
      const result = await efikitKernel(kernel, door, options[name]);
      times[name].push(result);
      say(`${kernel}, ${door}, run ${run} of ${runs}, ${name}: ${result.seconds.toFixed(2)} s`);
    }
  }
  return { kernel, door, ...times };
}

function report(all, runs) {
  const row = (title, format) => [title, ...all.map(format)];
  return `## Under Xen

\`efikit boot --xen\` with \`console=hvc0\` beside the same boot without Xen, with \`console=ttyS0\`; seconds are of the whole process: ${runsText(runs)}.

${table(
  ['', ...all.map(({ kernel, door }) => `${kernel}, ${door}`)],
  [
    row('without', ({ plain }) => spread(plain)),
    row('with `--xen`', ({ xen }) => spread(xen)),
    row('**with ÷ without**', ({ xen, plain }) => `**${shown(ratio(xen, plain), fixed(3))}**`),
    row('processor seconds: with ÷ without', ({ xen, plain }) =>
      shown(ratio(xen, plain, 'processorSeconds'), fixed(3)),
    ),
  ],
)}
`;
}

export async function xen({ kernels, doors, runs }) {
  const all = [];
  for (const kernel of kernels) for (const door of doors) all.push(await measure(kernel, door, runs));
  const goals = all.map(({ kernel, door, plain, xen: under }) => ({
    title: `${kernel}, ${door}: with \`--xen\` ÷ without`,
    value: ratio(under, plain),
    bound,
    format: fixed(2),
  }));
  return { text: report(all, runs), goals };
}
