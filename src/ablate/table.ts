import { grouped } from '../report/numbers.js';
import { tableLines } from '../report/table.js';
import type { Ablation, Part, Trial } from './result.js';

const needs: Readonly<Record<Part['need'], string>> = {
  acts: 'needed',
  callable: 'callable',
  'any-other-status': 'not every status',
  no: 'no',
  unused: 'unused',
};

const nameOf = ({ release, image }: Ablation): string => release ?? image.path;
const wayOf = ({ way, status, corruption, times }: Trial): string =>
  status ?? (corruption === undefined ? (way === 'null' ? 'NULL' : way) : `${corruption}${times === 1 ? ' once' : ''}`);
const sentence = ({ outcome, reason }: Ablation['whole']): string => `${outcome}: ${reason}`;
const calls = (part: Part): string => (part.calls === undefined ? '' : part.calls === 0 ? '-' : String(part.calls));

/** The findings about one image, as lines for people. */
export function ablationLines(ablation: Ablation): string[] {
  const { whole, parts, minimal, cost, door, profile } = ablation;
  const used = parts.filter(({ need }) => need !== 'unused');
  const unused = parts.filter(({ need }) => need === 'unused').map(({ title }) => title);
  const hasFirmware = parts.some(({ kind }) => kind === 'service');
  const executed = `${grouped(cost.instructions)} instructions in ${grouped(cost.runs)} runs`;
  return [
    `${nameOf(ablation)} through the door ${door}${ablation.xen ? ' under Xen' : ''}${hasFirmware ? `, profile ${profile}` : ''}`,
    `with everything: ${sentence(whole)} after ${grouped(whole.instructions)} instructions, past ${whole.reached}`,
    '',
    'What it needs (callable: any answer will do, a NULL pointer will not):',
    ...tableLines([
      ['  part', 'calls', 'needed', 'without it not reached', 'what it says when absent'],
      ...used.map((part) => [
        `  ${part.title}`,
        calls(part),
        needs[part.need],
        part.neededFor ?? '',
        saysWithout(part),
      ]),
    ]),
    ...(unused.length === 0 ? [] : ['', `never used: ${unused.join(', ')}`]),
    ...(minimal.length === 0 ? [] : ['', 'The smallest sets, each run with everything else absent:']),
    ...minimal.flatMap(({ goal, parts: kept, verified }, index) => [
      `  ${goal}: ${setText(kept, minimal[index - 1]?.parts)}`,
      `    ${sentence(verified)}, ${grouped(verified.instructions)} instructions`,
    ]),
    '',
    'Trouble that it puts up with:',
    ...waysOf(used, (trial) => trial.verdict !== 'fatal' && trial.way !== 'null'),
    '',
    'Trouble that ends it:',
    ...fatalLines(used),
    '',
    `cost: ${executed}, ${grouped(cost.shared)} more were shared with the whole run`,
  ];
}

/** A set, by what it has more than the one before where it has all of that. */
function setText(parts: readonly string[], before: readonly string[] = []): string {
  const more = parts.filter((part) => !before.includes(part));
  if (before.length === 0 || parts.length !== before.length + more.length) return parts.join(', ') || 'nothing at all';
  return more.length === 0 ? 'the same' : `the same and ${more.join(', ')}`;
}

const absentOf = (part: Part): Trial | undefined => part.trials.find(({ way }) => way === 'absent');

function saysWithout(part: Part): string {
  const absent = absentOf(part);
  if (absent === undefined || absent.verdict === 'same') return '';
  return absent.says ?? (absent.verdict === 'fatal' ? sentence(absent.ending) : '');
}

function waysOf(parts: readonly Part[], holds: (trial: Trial) => boolean): string[] {
  return parts
    .flatMap(({ title, trials }) => {
      const ways = trials.filter(holds).map((trial) => wayOf(trial) + (trial.verdict === 'same' ? '' : '*'));
      return ways.length === 0 ? [] : [`  ${title}: ${ways.join(', ')}`];
    })
    .concat('  (* the console or the way there differs)');
}

/** Trials of a part that end alike are one line. */
function fatalLines(parts: readonly Part[]): string[] {
  return parts.flatMap(({ title, trials }) => {
    const groups = new Map<string, Trial[]>();
    for (const trial of trials.filter(({ verdict }) => verdict === 'fatal')) {
      const key = `past ${trial.ending.reached}, ${endOf(trial)}`;
      groups.set(key, [...(groups.get(key) ?? []), trial]);
    }
    const lines = [...groups].map(([end, group]) => `    ${group.map(wayOf).join(', ')}: ${end}`);
    return lines.length === 0 ? [] : [`  ${title}`, ...lines];
  });
}

const endOf = ({ ending, says }: Trial): string => {
  const how = ending.outcome === 'limit' ? 'never ends' : ending.reason;
  return says === undefined || how.includes(says) ? how : `${how} (${says})`;
};

/** How much an image needs a part, in one word. */
const mark = (part: Part | undefined): string =>
  part === undefined ? '-' : part.need === 'acts' ? `needed for ${part.neededFor ?? 'its end'}` : needs[part.need];

/** What several images need, side by side: a UEFI baseline. */
export function baselineLines(ablations: readonly Ablation[]): string[] {
  const ids = [...new Set(ablations.flatMap(({ parts }) => parts.map(({ id }) => id)))];
  const rows = ids.map((id) => {
    const found = ablations.map(({ parts }) => parts.find((part) => part.id === id));
    return { title: found.find((part) => part !== undefined)?.title ?? id, marks: found.map(mark) };
  });
  const isUsed = ({ marks }: (typeof rows)[number]): boolean =>
    marks.some((text) => text !== '-' && text !== needs.unused);
  const unused = rows.filter((row) => !isUsed(row)).map(({ title }) => title);
  return [
    'What each of them needs:',
    ...tableLines([
      ['  part', ...ablations.map(nameOf)],
      ...rows.filter(isUsed).map(({ title, marks }) => [`  ${title}`, ...marks]),
    ]),
    ...(unused.length === 0 ? [] : ['', `used by none: ${unused.join(', ')}`]),
    '',
    'The smallest sets:',
    ...goalsOf(ablations).flatMap((goal) => setLines(goal, ablations)),
  ];
}

const goalsOf = (ablations: readonly Ablation[]): string[] => [
  ...new Set(ablations.flatMap(({ minimal }) => minimal.map(({ goal }) => goal))),
];

/** Images with the same set share a line. */
function setLines(goal: string, ablations: readonly Ablation[]): string[] {
  const groups = new Map<string, string[]>();
  for (const ablation of ablations) {
    const found = ablation.minimal.find((set) => set.goal === goal);
    if (found === undefined) continue;
    const key = found.parts.join(', ') || 'nothing at all';
    groups.set(key, [...(groups.get(key) ?? []), nameOf(ablation)]);
  }
  const isShared = groups.size === 1 && ablations.length > 1;
  return [...groups].map(([set, names]) => `  ${goal}${isShared ? '' : ` (${names.join(', ')})`}: ${set}`);
}
