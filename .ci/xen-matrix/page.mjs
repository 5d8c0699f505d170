// docs/xen-detection.md and the table that a run prints: f(results).
import { table } from '../markdown.mjs';
import { cellsOf, commandLine, nameOf } from './settings.mjs';

const word = (value) => (value === undefined ? '-' : value ? 'yes' : 'no');
const quoted = (text) => (text === null || text === undefined ? '-' : text);

/** What Linux concluded, as text: two boots that concluded the same give the same. */
const conclusion = ({ outcome, reason, detected, banner, type, guest_type: guestType, version }) =>
  [outcome === 'up' ? 'up' : `${outcome}: ${reason}`, detected, banner, type, guestType, version].join(' / ');

/** The cells of a kernel that have results, with them. */
const entriesOf = (kernel, results) =>
  cellsOf(kernel).flatMap((cell) => {
    const result = results[nameOf(cell)];
    return result === undefined ? [] : [{ cell, result }];
  });

/** The matrix of one kernel. */
export function matrix(kernel, results) {
  const head = [
    'door',
    'subarch',
    'leaves',
    'table',
    'no-VGA',
    'no-RTC',
    'Hypervisor detected',
    'it says',
    'type',
    'guest_type',
    'version',
    'clocksource',
    'hypercalls',
    'end',
  ];
  const rows = entriesOf(kernel, results).map(({ cell, result }) => [
    cell.door,
    quoted(cell.subarch),
    word(cell.leaves),
    word(cell.table),
    word(cell.noVga),
    word(cell.noRtc),
    quoted(result.detected),
    quoted(result.banner),
    quoted(result.type),
    quoted(result.guest_type),
    quoted(result.version),
    quoted(result.clocksource),
    String(result.hypercalls),
    result.outcome === 'up' ? 'user space' : `${result.outcome}: ${result.reason}`,
  ]);
  return table(head, rows);
}

/** Pairs of boots that differ in these fields of the cell alone. */
function pairs(entries, fields) {
  const key = ({ cell }) => JSON.stringify(Object.entries(cell).filter(([name]) => !fields.includes(name)));
  const groups = new Map();
  for (const entry of entries) groups.set(key(entry), [...(groups.get(key(entry)) ?? []), entry]);
  return [...groups.values()].flatMap(([first, ...others]) => others.map((other) => [first, other]));
}

/** A sentence about every kernel with the count of cases for and against it; those against are named. */
function claim(text, cases, holds) {
  const against = cases.filter((entry) => !holds(entry));
  const count = `${String(cases.length - against.length)} of ${String(cases.length)}`;
  const names = against.map(([first, other]) => `${first.kernel}, ${nameOf((other ?? first).cell)}`);
  return `- ${text}: ${count}.${names.length === 0 ? '' : ` Not so: ${names.join('; ')}.`}`;
}

function claims(all) {
  const of = (door) => all.filter(({ cell }) => cell.door === door);
  const within = (entries, fields) =>
    [...new Set(entries.map(({ kernel }) => kernel))].flatMap((kernel) =>
      pairs(
        entries.filter((entry) => entry.kernel === kernel),
        fields,
      ),
    );
  const isSame = ([a, b]) => conclusion(a.result) === conclusion(b.result);
  const single = (entries) => entries.map((entry) => [entry]);
  const underXen = (entries) => entries.filter(({ cell }) => cell.leaves);
  return [
    claim(
      'Without the leaves Linux finds no Xen, whatever else there is (boots without leaves)',
      single(all.filter(({ cell }) => !cell.leaves)),
      ([{ result }]) => result.detected === null && result.type === undefined && result.hypercalls === 0,
    ),
    claim(
      'With the leaves it says `Hypervisor detected: Xen HVM` and has `/sys/hypervisor` (boots with leaves)',
      single(underXen(all)),
      ([{ result }]) => result.detected === 'Xen HVM' && result.type === 'xen',
    ),
    claim(
      'The Xen configuration table changes nothing of what it concludes (pairs of boots that differ in it alone)',
      within(of('efi'), ['table']),
      isSame,
    ),
    claim(
      'Through PVH the flags of the FADT change nothing (pairs of boots that differ in them alone)',
      within(of('pvh'), ['noVga', 'noRtc']),
      isSame,
    ),
    claim(
      'Through EFI it takes itself for PVH if, and only if, both flags are as under Xen, else for HVM (boots with leaves)',
      single(underXen(of('efi'))),
      ([{ cell, result }]) => result.guest_type === (cell.noVga && cell.noRtc ? 'PVH' : 'HVM'),
    ),
    claim(
      'Through linux64 as a PC the same; with `hardware_subarch` = xen no-VGA alone decides (boots with leaves)',
      single(underXen(of('linux64'))),
      ([{ cell, result }]) =>
        result.guest_type === (cell.noVga && (cell.noRtc || cell.subarch === 'xen') ? 'PVH' : 'HVM'),
    ),
    claim('It comes up in user space (all boots)', single(all), ([{ result }]) => result.outcome === 'up'),
  ].join('\n');
}

/** The lines of some boots, each with the number of boots that have it where that is not all. */
const wordsOf = ({ boots, lines }) =>
  [...lines].map(([line, count]) =>
    count === boots ? line : `${line}   (${String(count)} of ${String(boots)} boots)`,
  );

/** Lines about Xen that kernels print under Xen, by door and the guest type that they concluded; equal texts once. */
function words(all) {
  const groups = new Map();
  for (const { kernel, cell, result } of all.filter((entry) => entry.cell.leaves)) {
    const name = `${kernel}, door ${cell.door}, ${result.guest_type ?? 'no guest_type'}`;
    const group = groups.get(name) ?? { boots: 0, lines: new Map() };
    for (const line of new Set(result.xen)) group.lines.set(line, (group.lines.get(line) ?? 0) + 1);
    group.boots++;
    groups.set(name, group);
  }
  const texts = new Map();
  for (const [name, group] of groups) {
    const text = ['```text', ...wordsOf(group), '```'].join('\n');
    texts.set(text, [...(texts.get(text) ?? []), name]);
  }
  return [...texts].map(([text, names]) => `${names.join('; ')}:\n\n${text}`).join('\n\n');
}

export function page(kept) {
  const all = Object.entries(kept).flatMap(([kernel, results]) =>
    entriesOf(kernel, results).map((entry) => ({ kernel, ...entry })),
  );
  const tables = Object.entries(kept).map(([kernel, results]) => `### ${kernel}\n\n${matrix(kernel, results)}`);
  return `# How Linux finds Xen

Made by \`node .ci/xen-matrix.mjs --write\` from ${String(all.length)} boots; the results are kept in \`.ci/xen-matrix/results.json\`. A run
without \`--write\` boots and prints the tables.

The discussion of 2016 asked how a kernel that enters through EFI tells bare metal from a guest of Xen. Here every signal is given or
withheld on its own, and Linux says what it took the machine for.

| column         | yes                                                            | no                                        |
| -------------- | -------------------------------------------------------------- | ----------------------------------------- |
| leaves         | Xen's CPUID leaves at 0x40000000, and Xen behind them          | no leaves, no hypervisor bit, no Xen      |
| table          | the Xen configuration table of \`docs/xen-configuration-table.md\` | the table is left out                     |
| subarch        | through linux64: \`hardware_subarch\` of \`boot_params\` is "xen", 2 | it is "pc", 0                             |
| no-VGA, no-RTC | the FADT says VGA_NOT_PRESENT, CMOS_RTC_NOT_PRESENT, as Xen's  | the flag is clear, as on most PCs         |

Everything else is the same in all boots: the small PC with its serial port (and with the leaves, Xen's special pages, rings and
event channels), ${'`--append "' + commandLine + '"`'}, profile \`linux\`. Through PVH, \`hvm_start_info\` is there in every boot.
By hand a cell is \`efikit boot KERNEL\` with \`--door NAME\`, \`--append console=ttyS0\` and of these what it takes: \`--xen\` (leaves),
\`--platform uart,vga,rtc\` (neither flag), \`--quirk missing-table=Xen\` (no table), \`--subarch xen\`.

## What it comes to

${claims(all)}

So the three ways of the discussion come to one: CPUID says that there is a hypervisor, and Linux believes nothing else. What the door
decides is the kind of guest. Through PVH the entry itself sets \`xen_pvh\`. Through EFI Linux infers it from two flags of the FADT that
say what a PVH guest lacks (\`arch/x86/xen/enlighten_hvm.c\`, \`xen_hvm_guest_late_init\`), which is no statement of Xen's. A
configuration table or a tagged image handle would be one, but no Linux reads it. What follows from the kind is little:
a PVH guest sets up its grant tables, an HVM guest waits with them for Xen's platform PCI device, which this machine does not have.

## hardware_subarch instead of an entry

In 2016 Rodriguez proposed to mark a guest of Xen by \`hardware_subarch\` in the zero page instead of giving it an entry of its own. The door
linux64 does so on request (\`--subarch xen\`). Both kernels come up in user space with
it, but it does not make them find Xen; that takes the leaves. Where the value matters:

- \`x86_early_init_platform_quirks\`: for Xen it clears \`legacy.rtc\`. That is what the FADT's no-RTC flag does later, so the field stands
  in for this flag. Of two boots of either kernel, one with 0 and one with 2 and both with \`nokaslr\`, the first branch that differs
  is in this function.
- KASLR in the decompressor, which hashes all of \`boot_params\` into its seed: another value, another place for the kernel.

\`hardware_subarch_data\`, where the proposal wanted to put the address of \`hvm_start_info\`, stays 0 here.

## The matrix

"it says" is the line \`Booting ... kernel on ...\`; type, guest_type and version are the files of \`/sys/hypervisor\`.

${tables.join('\n\n')}

## What it says of Xen

The lines of the kernel's log that name Xen, in the boots with leaves.

${words(all)}
`;
}
