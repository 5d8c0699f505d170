import { readFileSync } from 'node:fs';
import { serviceLines } from './service-lines.js';
import { endings, play, scenarios } from './scenarios.js';

/** What the guest printed under OVMF, where it was recorded. */
export function ovmfLines(): string[] {
  return readFileSync(new URL('conformance/ovmf.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
}

interface Row {
  readonly section: string;
  readonly service: string;
  readonly what: string;
  readonly profiles: Set<string>;
}

function rows(): Row[] {
  const all = new Map<string, Row>();
  const add = (section: string, service: string, what: string, profile: string): void => {
    const key = `${section} ${service}: ${what}`;
    const row = all.get(key) ?? { section, service, what, profiles: new Set() };
    row.profiles.add(profile);
    all.set(key, row);
  };
  for (const scenario of scenarios) {
    for (const { section, service, what } of play(scenario).checks) add(section, service, what, scenario.profile);
  }
  for (const { section, service, what, reason, profile } of endings) {
    add(section, service, `${what}: the run ends with ${reason}`, profile);
  }
  return [...all.values()];
}

const bySection = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

/** Columns as wide as their widest cell, as prettier wants them. */
function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...lines.map(line)].join('\n');
}

/** Statuses that a section names and that this firmware has no reason to give. */
const neverCome: readonly (readonly string[])[] = [
  ['EFI_SECURITY_VIOLATION', 'SetVariable, LoadImage, StartImage', 'nothing is authenticated yet'],
  [
    'EFI_DEVICE_ERROR',
    'GetVariable, GetNextVariableName, QueryVariableInfo',
    'the variables are in memory; `--quirk failing-variables` gives it',
  ],
  ['EFI_DEVICE_ERROR', 'SetVariable', 'only when the file of `--vars` cannot be written'],
  ['EFI_ACCESS_DENIED', 'LoadImage', 'no policy forbids an image'],
  ['EFI_DEVICE_ERROR', 'SimpleTextOutput.OutputString', 'the console takes everything'],
];

/** The groups of calls that were recorded, and how many lines each has. */
function variableGroups(): string[][] {
  const lines = readFileSync(new URL('variable-calls/ovmf.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n');
  const groups = new Map<string, number>();
  let title = '';
  for (const line of lines) {
    if (line.startsWith('# ')) title = line.slice(2);
    else groups.set(title, (groups.get(title) ?? 0) + 1);
  }
  return [...groups].map(([name, count]) => [name.replaceAll('|', '\\|'), String(count)]);
}

/** docs/conformance.md: every clause that a guest checks, and what stands behind each service. */
export function conformancePage(): string {
  const ovmf = new Set(ovmfLines());
  const sections = new Map<string, Row[]>();
  for (const row of rows()) {
    const key = `${row.section} ${row.service}`;
    sections.set(key, [...(sections.get(key) ?? []), row]);
  }
  const count = [...sections.values()].reduce((sum, list) => sum + list.length, 0);
  const parts = [...sections]
    .toSorted(([a], [b]) => bySection(a, b))
    .map(([title, list]) => {
      const lines = list.map(({ section, service, what, profiles }) => [
        what.replaceAll('*', '\\*').replaceAll('|', '\\|'),
        [...profiles].toSorted().join(', '),
        ovmf.has(`${section} ${service}: ${what}: ok`) ? 'same' : '',
      ]);
      return `### ${title}\n\n${table(['check', 'profiles', 'OVMF'], lines)}\n`;
    });
  const code = serviceLines().map(({ name, own, behind }) => [name, String(own), String(behind)]);
  return `<!-- generated: npm run docs -->

# Conformance

\`test/efi/conformance\` is an EFI application that calls every service of the profiles \`proposal\` and \`linux\` through
the tables, in the MS x64 ABI, with every argument that its section of UEFI 2.10 names. Each of its lines is a test of
\`test/efi/conformance.test.ts\` with the title \`SECTION SERVICE: check\`. \`#PF(2)\` and
\`#GP\` are exceptions that the caller gets instead of a status, with the error code, for a pointer that cannot be followed.

The same application runs on QEMU with OVMF of Debian 12 (\`test/efi/conformance/build --record\`): \`same\` marks what
EDK II was seen to answer as well. Where that column is empty the check is not made there: EDK II does not look (maps with
holes at SetVirtualAddressMap), has acted before it faults and keeps its lock (allocations), compares a name no further
than it must, makes what is gone NULL, gives EFI_INVALID_PARAMETER for LoadImage without source and path where the
specification names EFI_NOT_FOUND, or the check needs what QEMU does not give an application (an initrd). LoadImage, StartImage and UnloadImage are in no profile yet:
the run adds them as overrides, so that Exit is checked from nested images too.

${String(count)} checks:

${parts.join('\n')}
## Statuses that do not come

${table(['status', 'service', 'why'], neverCome)}

## The variable services in depth

\`test/efi/variable-calls\` makes some 4,300 calls of the variable services, among them thousands that a seed chose. They were
recorded on QEMU with OVMF (\`test/efi/variable-calls/record\`) and \`test/firmware/variables/variables-replay.test.ts\` replays them: the
same statuses, sizes, attributes and data but for the differences that it lists with their reasons.

${table(['calls', 'lines'], variableGroups())}

## The code behind each service

Lines of TypeScript without blank lines and comments: the service's own, and with everything of \`src/firmware\` that it
reaches.

${table(['service', 'own', 'with what it uses'], code)}
`;
}
