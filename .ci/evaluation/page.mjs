// docs/evaluation.md of the kept figures: f(figures). No runs here.
import { table } from '../markdown.mjs';
import { evaluated } from './arguments/index.mjs';

const anchorOf = (title) =>
  title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

const list = (heading, lines) =>
  lines === undefined || lines.length === 0 ? [] : ['', `**${heading}**`, '', ...lines.map((line) => `- ${line}`)];

function chapter({ name, title, by, claim }, { body, forEfi, forPvh, open }) {
  return [
    `## ${title}`,
    '',
    `_${claim}_ (${by})`,
    '',
    `![${title}](evaluation/${name}.svg)`,
    '',
    ...body,
    ...list('For EFI', forEfi),
    ...list('For an entry of its own', forPvh),
    ...list('Not measured', open),
  ];
}

/** The picture of each argument, by its name: SVG. */
export const pictures = ({ figures }) =>
  Object.fromEntries(evaluated.map((argument) => [argument.name, argument.text(figures[argument.name]).picture]));

/** The document; `kept` is what docs/evaluation/figures.json holds. */
export function page({ about, figures }) {
  const chapters = evaluated.map((argument) => ({ argument, text: argument.text(figures[argument.name]) }));
  const overview = table(
    ['argument', 'who', 'figure'],
    chapters.map(({ argument: { title, by }, text }) => [`[${title}](#${anchorOf(title)})`, by, text.figure]),
  );
  return `# EFI instead of a PVH entry: an evaluation

<!-- Written by npm run evaluation; the sentences are in .ci/evaluation/arguments. -->

In 2015 and 2016 the Xen and Linux developers argued whether the guest type that became PVH should start a kernel through the EFI stub
that it has anyway, with a firmware that offers next to nothing, or through an entry point of its own. "A full technical unbiased evaluation
of the different approaches is what I'd hope we could strive to achieve", wrote Luis Rodriguez in April 2016. Nobody measured it; the
entry was merged. Here the same unmodified kernels start through each door of the same machine, and every argument gets its figure.

Measured with efikit ${about.efikit}: ${about.kernels.map(({ name, release, sha256 }) => `${name} (${release}, SHA-256 ${sha256.slice(0, 12)}...)`).join(', ')}; ${about.setting}. All runs are deterministic: who
runs \`npm run evaluation\` again gets the same numbers. The doors: \`efi\`, the EFI stub under the profile \`linux\`; \`pvh\`, Xen's entry; \`proposal\`,
EFI as the proposal of 2016 has it, where the Linux half that nobody wrote is a small program of ours (examples/proposal-linux).

The runs themselves, as pages with a time line, the memory maps, what both doors execute and every field that is read: ${about.kernels
    .map(
      ({ name }) =>
        `${name} [on bare hardware](evaluation/${name}.html) and [under Xen](evaluation/${name}-xen.html), [what it needs of EFI](evaluation/${name}-ablation.html)`,
    )
    .join(
      '; ',
    )}. (A browser opens them from the checkout; nothing is fetched.) The figures are in [figures.json](evaluation/figures.json). That the counts are
right is checked against QEMU, instruction by instruction, in [independent-count.md](independent-count.md).

${overview}

${chapters.map(({ argument, text }) => chapter(argument, text).join('\n')).join('\n\n')}
`;
}
