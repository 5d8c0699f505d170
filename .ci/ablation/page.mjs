// The page docs/ablation.md: what the findings say. No runs here.
import { code, table } from '../markdown.mjs';
import { ends, matrix } from './matrix.mjs';

const nameOf = ({ image }) => image.path.replace('-cloud', '');
const short = (id) =>
  id.includes(':') ? `${id.slice(0, id.indexOf(':'))} ${code(id.slice(id.indexOf(':') + 1))}` : code(id);
const grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** Texts of all kernels as one: what they share is said once. */
function merged(ablations, text) {
  const groups = new Map();
  for (const one of ablations) {
    const own = text(one);
    if (own !== undefined) groups.set(own, [...(groups.get(own) ?? []), nameOf(one)]);
  }
  const all = [...groups];
  if (all.length === 1 && all[0][1].length === ablations.length) return all[0][0];
  return all.map(([own, names]) => `${names.join(', ')}: ${own}`).join('<br>');
}

const trialOf = (one, id) => one.parts.flatMap(({ trials }) => trials).find((trial) => trial.id === id);
const partOf = (one, id) => one.parts.find((part) => part.id === id);
const idsOf = (ablations) => [...new Set(ablations.flatMap(({ parts }) => parts.map(({ id }) => id)))];

const needs = {
  acts: (part) => `**needed** for ${part.neededFor === 'end' ? 'its end' : part.neededFor}`,
  callable: () => 'callable',
  'any-other-status': () => 'not every status will do',
  no: () => 'no',
  unused: () => 'unused',
};
const need = (part) => (part === undefined ? '-' : needs[part.need](part));

function baseline(ablations) {
  const used = idsOf(ablations).filter((id) =>
    ablations.some((one) => !['unused', undefined].includes(partOf(one, id)?.need)),
  );
  const unused = idsOf(ablations).filter((id) => !used.includes(id));
  const rows = used.map((id) => [
    id.includes(':') ? ablations.map((one) => partOf(one, id)?.title).find(Boolean) : code(id),
    ...ablations.map((one) => need(partOf(one, id))),
  ]);
  return `${table(['', ...ablations.map(nameOf)], rows)}

Used by none of them: ${unused.map(short).join(', ')}.`;
}

function smallest(ablations) {
  const goals = [...new Set(ablations.flatMap(({ minimal }) => minimal.map(({ goal }) => goal)))];
  return table(
    ['to reach', 'the smallest set', 'how that run ended'],
    goals.map((goal) => {
      const of = (one) => one.minimal.find((set) => set.goal === goal);
      return [
        goal === 'end' ? 'its own end, with success' : goal,
        merged(ablations, (one) => of(one)?.parts.map(short).join(', ')),
        merged(ablations, (one) => of(one) && `${of(one).verified.outcome}: ${of(one).verified.reason}`),
      ];
    }),
  );
}

const wayOf = ({ way, status, corruption, times }) =>
  way === 'null' ? 'NULL' : (status ?? (corruption ? `${corruption}${times === 1 ? ' once' : ''}` : way));

/** How a trial ended, in a few words. */
function ending({ verdict, ending: { outcome, reason, reached }, says }) {
  if (verdict === 'same') return 'as before';
  const line = says === undefined ? '' : `: ${code(withoutAddresses(says))}`;
  if (verdict === 'tolerated') return `goes on${line}`;
  if (outcome === 'exited') return `gives up with ${/\((\w+)\)/.exec(reason)?.[1] ?? reason}${line}`;
  if (outcome === 'limit') return `never ends past ${reached}${line}`;
  if (outcome === 'panicked') return `panics${line === '' ? `: ${reason}` : line}`;
  if (reason.startsWith('exception') || outcome === 'triple-fault') return 'crashes';
  return `${outcome} past ${reached}${line}`;
}
const withoutAddresses = (text) =>
  text
    .replace(/0x[0-9a-f]{5,}/gi, '0x...')
    .replaceAll('`', "'")
    .slice(0, 90);

/** Ways of a part that end alike in every kernel share a row. */
function troubles(ablations) {
  const rows = [];
  for (const id of idsOf(ablations)) {
    const ways = new Map();
    for (const one of ablations) for (const trial of partOf(one, id)?.trials ?? []) ways.set(trial.id, wayOf(trial));
    const groups = new Map();
    for (const [trial, way] of ways) {
      const text = merged(ablations, (one) => {
        const found = trialOf(one, trial);
        return found && ending(found);
      });
      groups.set(text, [...(groups.get(text) ?? []), way]);
    }
    const title = ablations.map((one) => partOf(one, id)?.title).find(Boolean);
    [...groups].forEach(([text, names], index) =>
      rows.push([index === 0 ? (id.includes(':') ? title : code(id)) : '', names.join(', '), text]),
    );
  }
  return table(['part', 'trouble', 'what happens'], rows);
}

/** Every corruption that some trial tried. */
function corruptions(ablations) {
  const found = new Map();
  for (const { parts } of ablations)
    for (const { trials } of parts)
      for (const { part, corruption, meaning } of trials)
        if (corruption) found.set(`${part} ${corruption}`, [code(part), corruption, meaning.replace(/ \(once\)$/, '')]);
  return table(['service', 'name', 'what the caller gets'], [...found.values()]);
}

/** What a trial came to, in the words of the other matrix. */
function endOf({ verdict, ending: { outcome, reached } }) {
  if (verdict !== 'fatal' || reached === 'user-space') return 'up';
  return outcome === 'exited' ? 'exit' : 'crash';
}

function comparison(ablations) {
  return table(
    ['forced', 'there', 'here', ''],
    matrix.map(({ forced, trials, then, differs }) => {
      const here = (one) => {
        const found = trials.map((id) => trialOf(one, id)).filter(Boolean);
        return found.length === 0 ? undefined : [...new Set(found.map((trial) => ends[endOf(trial)]))].join('; ');
      };
      const agree = ablations.every((one) => here(one) === undefined || here(one) === ends[then]);
      if (!agree && differs === undefined)
        throw new Error(`the matrix and the findings differ on ${forced}: say why in matrix.mjs`);
      return [forced, ends[then], merged(ablations, here), agree ? 'the same' : `differs: ${differs}`];
    }),
  );
}

/** The boots that docs/linux-profile.md has as well: with another user space, which uses the variables. */
function beside(ablations, justified) {
  const boots = (one) => one.same === true || (one.outcome === 'powered-off' && one.userSpace);
  let all = 0;
  const differ = [];
  for (const one of ablations) {
    const { without } = justified[one.image.path] ?? { without: {} };
    for (const [id, ways] of Object.entries(without))
      for (const way of ['absent', 'null']) {
        const trial = trialOf(one, `${id}=${way}`);
        if (trial === undefined || ways[way] === undefined) continue;
        all++;
        if (boots(ways[way]) !== (trial.verdict !== 'fatal')) differ.push(`${nameOf(one)}: ${short(id)} ${way}`);
      }
  }
  const verdict =
    differ.length === 0 ? 'all came to the same verdict' : `${differ.length} came to another: ${differ.join(', ')}`;
  return `Of ${all} trials with which \`docs/linux-profile.md\` justifies the profile, by boots from the start into a user space that uses the variables,
${verdict}.`;
}

/** What a kernel puts up with that a firmware may not do, by numbers. */
function counts(ablations) {
  return table(
    ['', ...ablations.map(nameOf)],
    [
      ['runs', ({ cost }) => cost.runs],
      ['trials', ({ parts }) => parts.reduce((sum, { trials }) => sum + trials.length, 0)],
      ['of these as before', (one) => verdicts(one, 'same')],
      ['come to the same end', (one) => verdicts(one, 'tolerated')],
      ['do not', (one) => verdicts(one, 'fatal')],
      ['instructions executed', ({ cost }) => grouped(cost.instructions)],
      ['shared with the whole run', ({ cost }) => grouped(cost.shared)],
    ].map(([title, value]) => [title, ...ablations.map(value)]),
  );
}
const verdicts = ({ parts }, verdict) =>
  parts.flatMap(({ trials }) => trials).filter((trial) => trial.verdict === verdict).length;

/** The page, not yet formatted. Throws when it would have to explain what nobody has explained. */
export function page({ efikit, ablations }, justified) {
  const [first] = ablations;
  return `<!-- generated: npm run docs, from .ci/ablation/results.json; node .ci/ablation.mjs --write runs it anew -->

# What Linux needs of EFI: a baseline

\`efikit ablate\` takes away, one at a time, every service, protocol and configuration table that a firmware offers and every device that
the machine can do without; it lets services fail with each status that their section of UEFI 2.10 names, lets them say
EFI_SUCCESS and do nothing, and spoils what they give. Then it looks for the smallest set that is enough. This page has what it found
about ${ablations.length === 1 ? 'a kernel' : `${ablations.length} kernels`} of Debian, with efikit ${efikit}.

${table(
  ['', 'release', 'SHA-256 of the image', 'with everything', 'instructions'],
  ablations.map((one) => [
    nameOf(one),
    one.release ?? '',
    code(one.image.sha256.slice(0, 16)),
    `${one.whole.outcome}: ${one.whole.reason}`,
    grouped(one.whole.instructions),
  ]),
)}

Door \`${first.door}\`, profile \`${first.profile}\`, ${first.memory / 2 ** 20} MiB, command line \`${first.append}\`, the built-in initramfs (it prints
USERSPACE-UP and powers off), \`--strict\`. To do the same with a kernel of yours:

\`\`\`
npm run -s efikit -- ablate vmlinuz --journal ablation.jsonl --json ablation.json
\`\`\`

The journal keeps each run as it ends: interrupted, the same command goes on where it was. \`--json\` writes what \`src/ablate/result.ts\`
describes field by field; every figure in it is the same on every run and every host.

## The baseline

- **needed**: without it (the function is there and answers EFI_UNSUPPORTED, or EFI_NOT_FOUND for look-ups) the kernel does not come as far
  as this column says.
- callable: any answer will do, but where the pointer is NULL the caller crashes: it does not look before it calls.
- no: the kernel comes to its own end without it. What is missing then is another question; the profile's page
  (\`docs/linux-profile.md\`) has it for a user space that uses variables.
- -: this kernel does not ask for it, and the profile has no such part.

${baseline(ablations)}

## The smallest sets

Everything else was absent at once, unused parts as well. No part of a set can be left out: the search tries.

${smallest(ablations)}

A part can be needed by itself and be in no such set: where the handle for an initrd is there, reading it has to work; where there is
none, the stub goes on without. Of two parts that stand in for each other neither is needed by itself, and one is in the set.

## Beside another measurement

An older matrix of the same questions was measured under QEMU 7.2 with another firmware, for 6.1 and 6.12. Where it differs, the machine
or the initrd is the reason:

${comparison(ablations)}

It has two things more: the variable services, LocateProtocol, LocateHandle, FreePool and SetVirtualAddressMap taken away together still
reach user space (here that is the smallest set, without any of them), and \`Exit\` and \`OutputString\` are in its minimal set. Here
they are not: \`Exit\` is called by a stub that gives up and by no other, and of \`OutputString\` it is enough that it can be called.

${beside(ablations, justified)}

## Every trial

- absent, a status: as above, at each call. idle: EFI_SUCCESS, and nothing is done. NULL: the pointer in the table.
- "as before": the same console, and the same end after as many instructions.
- "crashes": an exception while the firmware's interrupt table is loaded.

${troubles(ablations)}

The corruptions:

${corruptions(ablations)}

## What it cost

A boot is deterministic, so a trial need not run what it has in common with the whole run: the machine is copied in front of the first
call that differs and goes on with another firmware. What the tables in memory show (a NULL slot, a missing protocol) has to be there
from the start, and such a trial runs from the start.

${counts(ablations)}
`;
}
