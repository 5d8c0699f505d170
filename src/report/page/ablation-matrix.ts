import type { Ablation, Part, Trial } from '../../ablate/result.js';
import { grouped } from '../numbers.js';
import { counted } from './figures-text.js';
import { figure, legend, table } from './figure.js';
import { html, type Content, type Markup } from './markup.js';

/** How far a guest came, from the entry to its end: the further, the paler. */
const reaches = ['entry', 'exit-boot-services', 'kernel-entry', 'start_kernel', 'user-space'] as const;
const reachTitles: Readonly<Record<string, string>> = {
  entry: 'stops before ExitBootServices',
  'exit-boot-services': 'stops before the kernel',
  'kernel-entry': 'stops before start_kernel',
  start_kernel: 'stops before user space',
  'user-space': 'stops after user space began',
};
const marks: Readonly<Record<string, string>> = {
  entry: 'E',
  'exit-boot-services': 'X',
  'kernel-entry': 'K',
  start_kernel: 'S',
  'user-space': 'U',
};

/** The class of a trial's colour, and its mark for those who do not see colours. */
function lookOf({ verdict, ending }: Trial): { readonly class: string; readonly mark: string } {
  if (verdict === 'same') return { class: 'same', mark: '=' };
  if (verdict === 'tolerated') return { class: 'tolerated', mark: '≈' };
  return { class: `stops-${ending.reached}`, mark: marks[ending.reached] ?? 'E' };
}

const columns = ['what is troubled', 'absent', 'NULL', 'fails with', 'answers wrongly'] as const;

const columnOf = ({ way }: Trial): (typeof columns)[number] =>
  way === 'absent' ? 'absent' : way === 'null' ? 'NULL' : way === 'status' ? 'fails with' : 'answers wrongly';

const kinds: readonly (readonly [Part['kind'], string])[] = [
  ['service', 'Services'],
  ['protocol', 'Protocols'],
  ['table', 'Configuration tables'],
  ['machine', 'Parts of the machine'],
];

/** What was done to each part, and how far the guest came. */
export function ablationMatrix({ parts, whole }: Ablation): Markup {
  const tried = parts.filter(({ trials }) => trials.length > 0);
  const stopped = new Set(
    tried.flatMap(({ trials }) =>
      trials.filter(({ verdict }) => verdict === 'fatal').map(({ ending }) => ending.reached),
    ),
  );
  return figure(
    html`Each cell is a run in which one part was troubled in one way; all else was as in the whole run, which ended
    with ${whole.outcome} after ${grouped(whole.instructions)} instructions. The letter says how far the guest came.`,
    html`${kinds.map(([kind, title]) => {
      const own = tried.filter((part) => part.kind === kind);
      return own.length === 0
        ? undefined
        : html`<h4>${title}</h4>
            ${table(title, columns, own.map(rowOf), { hidden: true, class: 'matrix troubles' })}`;
    })}
    ${legend([
      ['same', html`<b>=</b> as if nothing were missing`],
      ['tolerated', html`<b>&asymp;</b> the same end, another way there`],
      ...[...reaches]
        .reverse()
        .filter((reach) => stopped.has(reach))
        .map((reach) => [`stops-${reach}`, html`<b>${marks[reach]}</b> ${reachTitles[reach]}`] as const),
    ])}`,
    true,
  );
}

const needs: Readonly<Record<Part['need'], string>> = {
  acts: 'must act',
  callable: 'must be callable',
  'any-other-status': 'may fail, not with every status',
  no: 'not needed',
  unused: 'never used',
};

export const needText = (need: Part['need']): string => needs[need];

function rowOf(part: Part, row: number): readonly Content[] {
  const { title, calls, need, section } = part;
  const notes = [
    ...(calls === undefined ? [] : [counted(calls, 'call')]),
    ...(section === undefined ? [] : [`section ${section}`]),
    needText(need),
  ];
  return [
    html`<span class="part-name">${title}</span> <span class="aside">${notes.join(', ')}</span>`,
    ...columns.slice(1).map((column, n) => {
      const own = part.trials.filter((trial) => columnOf(trial) === column);
      return html`<span class="chips"
        >${own.map((trial, i) => chip(trial, column, row === 0 && n === 0 && i === 0))}</span
      >`;
    }),
  ];
}

function chip(trial: Trial, column: string, first: boolean): Markup {
  const { class: look, mark } = lookOf(trial);
  const { status, corruption, times, way } = trial;
  const label = status ?? corruption ?? (way === 'idle' ? 'does nothing' : column);
  const plain = label.replace(/^EFI_/, '') + (times === undefined ? '' : ` ×${String(times)}`);
  return html`<span
    class="chip ${look}"
    tabindex="${first ? 0 : -1}"
    role="img"
    data-tip
    title="${trialText(trial)}"
    aria-label="${trialText(trial)}"
    ><b>${mark}</b> ${plain}</span
  >`;
}

/** A sentence about a trial: what was done, what came of it, what the guest said. */
export function trialText({ id, meaning, verdict, ending, says }: Trial): string {
  const came =
    verdict === 'same'
      ? 'no difference'
      : verdict === 'tolerated'
        ? 'the same end, another way there'
        : `${reachTitles[ending.reached] ?? `stops behind ${ending.reached}`}: ${ending.outcome}, ${ending.reason}`;
  return `${id} (${meaning}): ${came}${says === undefined ? '' : `; it says: ${says}`}`;
}
