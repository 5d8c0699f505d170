import type { Ablation, AblationReport, Ending, MinimalSet, Part as AblatedPart } from '../../ablate/result.js';
import { grouped, memoryText } from '../numbers.js';
import { ablationMatrix, needText } from './ablation-matrix.js';
import { endingText } from './comparison-cards.js';
import { documentText, type PageAssets } from './document.js';
import { onDemand, table, type Part } from './figure.js';
import { counted, listed, short, slug } from './figures-text.js';
import { html, type Content, type Markup } from './markup.js';

/** What `ablate --html` writes: the findings as one page that needs nothing besides. */
export function ablationPage({ efikit, ablations }: AblationReport, assets: PageAssets): string {
  const names = ablations.map(nameOf);
  const [first] = ablations;
  return documentText(
    {
      title: `What ${listed(names) || 'an image'} needs of the firmware`,
      kind: 'efikit ablation',
      facts: first === undefined ? [] : factsOf(ablations, first),
      overview: html`<div class="cards">${ablations.map(cardOf)}</div>`,
      parts: [
        ...(ablations.length > 1 ? [baseline(ablations, names)] : []),
        ...ablations.flatMap((ablation, i) => partsOf(ablation, names[i] ?? '', ablations.length > 1)),
      ],
      data: undefined,
      version: efikit,
    },
    assets,
  );
}

const nameOf = ({ release, image }: Ablation): string =>
  release === undefined ? (image.path.split(/[\\/]/).at(-1) ?? image.path) : `Linux ${release}`;

function factsOf(ablations: readonly Ablation[], first: Ablation): readonly (readonly [string, Content])[] {
  const { door, profile, memory, append, xen, strict } = first;
  return [
    ...ablations.map(
      ({ image }) =>
        [
          'image',
          html`<code>${image.path}</code>, ${image.kind}, sha256 <code>${image.sha256.slice(0, 12)}</code>`,
        ] as const,
    ),
    ['command line', html`<code>${append}</code>`],
    [
      'machine',
      `${memoryText(memory)}, door ${door}, profile ${profile}${xen ? ', under Xen' : ''}${strict ? ', strict' : ''}`,
    ],
  ];
}

function cardOf(ablation: Ablation): Markup {
  const { parts, minimal, tolerated, cost, whole } = ablation;
  const trials = parts.reduce((sum, part) => sum + part.trials.length, 0);
  const set = minimal.find(({ goal }) => goal === 'end') ?? minimal.at(-1);
  const figure = (name: string, value: string): Markup =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}</dd>
    </div>`;
  return html`<article class="card">
    <h3>${nameOf(ablation)}</h3>
    <dl>
      ${figure('troubles tried', grouped(trials))} ${figure('tolerated', grouped(tolerated.length))}
      ${figure('fatal', grouped(trials - tolerated.length))}
      ${set && figure('minimal set', counted(set.parts.length, 'part'))}
    </dl>
    <p>
      With everything it ends with ${endingText(whole.outcome)}. ${grouped(cost.runs)} runs executed
      ${short(cost.instructions)} instructions and shared ${short(cost.shared)} more.
    </p>
  </article>`;
}

function partsOf(ablation: Ablation, name: string, several: boolean): readonly Part[] {
  const suffix = several ? `: ${name}` : '';
  const id = several ? `-${slug(name)}` : '';
  return [
    {
      id: `minimal${id}`,
      title: `Minimal sets${suffix}`,
      lead: 'What is enough to reach each phase, everything else absent together?',
      body: minimalSets(ablation),
    },
    {
      id: `matrix${id}`,
      title: `Troubles${suffix}`,
      lead: 'How far does the guest come when one part is absent, fails or is wrong?',
      body: html`${ablationMatrix(ablation)} ${unused(ablation.parts)}`,
    },
    {
      id: `tolerated${id}`,
      title: `Tolerated${suffix}`,
      lead: 'Which troubles does the guest live with, and what does it say of them?',
      body: trialTables(ablation),
    },
  ];
}

const ended = ({ outcome, reason, reached }: Ending): string =>
  reached === 'end' ? `${endingText(outcome)}: ${reason}` : `${endingText(outcome)} past ${reached}: ${reason}`;

function minimalSets({ minimal, parts }: Ablation): Markup {
  if (minimal.length === 0) return html`<p>No set was looked for.</p>`;
  const title = (id: string): string => parts.find((part) => part.id === id)?.title ?? id;
  const row = ({ goal, parts: set, verified, runs }: MinimalSet): readonly Content[] => [
    goal === 'end' ? "the guest's own end" : goal,
    set.length === 0
      ? 'nothing at all'
      : html`<span class="chips">${set.map((id) => html`<span class="chip plain">${title(id)}</span>`)}</span>`,
    ended(verified),
    grouped(runs),
  ];
  return html`${table('The smallest set for each goal', ['goal', 'services, protocols and tables', 'the run with these alone', 'runs to find it'], minimal.map(row), { hidden: true, class: 'sets' })}
    <p class="aside">
      Without any one of a set its goal is not reached; with the set alone it is, in a run of its own.
    </p>`;
}

function unused(parts: readonly AblatedPart[]): Content {
  const never = parts.filter(({ need }) => need === 'unused');
  if (never.length === 0) return undefined;
  return onDemand(
    `${counted(never.length, 'part')} that the guest never uses`,
    html`<p>${listed(never.map(({ title }) => title))}.</p>`,
  );
}

function trialTables({ parts }: Ablation): Markup {
  const trials = parts.flatMap((part) => part.trials);
  const of = (fatal: boolean): readonly (readonly Content[])[] =>
    trials
      .filter(({ verdict }) => (verdict === 'fatal') === fatal)
      .map((trial) => [
        html`<code>${trial.id}</code>`,
        trial.meaning,
        trial.verdict === 'same'
          ? 'no difference'
          : trial.verdict === 'tolerated'
            ? 'another way, the same end'
            : ended(trial.ending),
        trial.says ?? trial.appeared[0] ?? '',
      ]);
  const heads = ['trouble', 'what is done', 'what comes of it', 'what it says'];
  return html`${table('Tolerated', heads, of(false), { hidden: true })}
  ${onDemand('All that end it', table('Fatal', heads, of(true), { hidden: true }))}`;
}

/** Several kernels over each other: the subset of UEFI that each needs. */
function baseline(ablations: readonly Ablation[], names: readonly string[]): Part {
  const ids = [...new Set(ablations.flatMap(({ parts }) => parts.map(({ id }) => id)))];
  const known = (id: string): (AblatedPart | undefined)[] =>
    ablations.map(({ parts }) => parts.find((part) => part.id === id));
  const isIn = ({ minimal }: Ablation, id: string): boolean =>
    (minimal.find(({ goal }) => goal === 'end') ?? minimal.at(-1))?.parts.includes(id) === true;
  const rows = ids
    .map((id) => ({ id, columns: known(id) }))
    .filter(({ columns }) => columns.some((part) => part !== undefined && part.need !== 'unused'));
  return {
    id: 'baseline',
    title: 'UEFI baseline',
    lead: 'What does each of the kernels need of UEFI?',
    body: html`${table(
        'What each kernel needs',
        ['part', ...names],
        rows.map(({ id, columns }) => [
          columns.find((part) => part !== undefined)?.title ?? id,
          ...columns.map((part, i) =>
            part === undefined
              ? '-'
              : html`<span class="chip need-${part.need}"
                  >${needText(part.need)}${ablations[i] && isIn(ablations[i], id) ? html` <b>&#9679;</b>` : undefined}</span
                >`,
          ),
        ]),
        { hidden: true, class: 'matrix' },
      )}
      <p class="aside">
        &#9679; is part of the minimal set for the guest's own end. A part that no kernel uses has no row.
      </p>`,
  };
}
