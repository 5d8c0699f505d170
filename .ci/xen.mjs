// Writes docs/xen-hypercalls.md: every hypercall that is answered, and those that Linux makes up to a shell, with what Xen
// itself answered. Boots the cached Debian kernels (npm run setup) with the built command.
//
//   node --import tsx .ci/xen.mjs
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as prettier from 'prettier';
import { kernelFile, kernelFolder } from './kernels.mjs';
import { table } from './markdown.mjs';
import { root } from './sources.mjs';
import { reference } from './xen/reference.mjs';

const load = (file) => import(pathToFileURL(path.join(root, file)).href);
const { hypercalls } = await load('src/xen/hypercalls/index.ts');
const columns = ['6.1-cloud', '6.12-cloud', 'latest-cloud'].flatMap((kernel) =>
  ['pvh', 'efi'].map((door) => ({ kernel, door })),
);
const shell = 'grep -r . /sys/hypervisor\nsleep 1\npoweroff -f\n';

/** The hypercalls of a boot to a shell, as `boot --json` counts them. */
function boot({ kernel, door }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'efikit-xen-'));
  const json = path.join(folder, 'result.json');
  const args = ['--xen', '--door', door, '--initrd', path.join(kernelFolder, 'initrd-shell.gz'), '--json', json];
  const command = [path.join(root, 'dist/cli.js'), 'boot', kernelFile(kernel), ...args];
  const { status, stderr } = spawnSync(process.execPath, command, { input: shell, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${kernel} by ${door} ended with ${String(status)}: ${stderr}`);
  const result = JSON.parse(readFileSync(json, 'utf8'));
  rmSync(folder, { recursive: true });
  return new Map(result.hypercalls.map((call) => [call.name, call]));
}

const runs = columns.map((column) => ({ ...column, calls: boot(column) }));
const declared = hypercalls.flatMap(({ number, name, operations, select }) =>
  operations.map((operation) => ({
    ...operation,
    number,
    hypercall: name,
    sub: select ? operation.number : undefined,
  })),
);
const seen = declared.filter(({ name }) => runs.some(({ calls }) => calls.has(name)));
const unknown = [...new Set(runs.flatMap(({ calls }) => [...calls.keys()]))].filter(
  (name) => !declared.some((call) => call.name === name),
);
if (unknown.length > 0) throw new Error(`not declared: ${unknown.join(', ')}`);

const answersOf = (name) => [...new Set(runs.flatMap(({ calls }) => Object.keys(calls.get(name)?.statuses ?? {})))];
const compare = (name) => {
  const measured = reference[name];
  if (measured === undefined) return "Xen's source";
  const answers = answersOf(name);
  return answers.length === 1 && answers[0] === measured.result
    ? `the same${measured.note ?? ''}`
    : `**${measured.result}**`;
};
const missing = Object.keys(reference).filter((name) => !seen.some((call) => call.name === name));

const page = `# The hypercalls

Written by \`node --import tsx .ci/xen.mjs\` from the declarations in \`src/xen/hypercalls/\` and from boots with \`--xen\`. Names are those of Xen's
public headers.

## What Linux asks up to a shell

Debian's kernels with \`--xen\`, memory 1G, \`initrd-shell.gz\`, and in the shell \`grep -r . /sys/hypervisor\`, \`sleep 1\`, \`poweroff -f\`. A
number is how often; the last column compares the answer with what Xen 4.17.7 gave an unmodified kernel of these (measured), or says
that the answer follows Xen's source.

${table(
  [
    'hypercall',
    'operation',
    ...runs.map(({ kernel, door }) => `${kernel.replace('-cloud', '')} ${door}`),
    'answer',
    'Xen 4.17.7',
  ],
  seen.map(({ hypercall, name, sub, number }) => [
    `${hypercall} (${number})`,
    sub === undefined ? '' : `${name} (${sub})`,
    ...runs.map(({ calls }) => String(calls.get(name)?.calls ?? '')),
    answersOf(name).join(', '),
    compare(name),
  ]),
)}

${missing.length === 0 ? 'Nothing that was seen under Xen is missing here.' : `Seen under Xen and not here: ${missing.map((name) => `${name}${reference[name].absent ? ` (${reference[name].absent})` : ''}`).join(', ')}.`}

## Everything that is answered

Other numbers and operations are -ENOSYS, with one line in the log for each.

${table(
  ['hypercall', 'operation', 'structure'],
  declared.map(({ hypercall, number, name, sub, argument }) => [
    `${hypercall} (${number})`,
    sub === undefined ? '' : `${name} (${sub})`,
    argument?.name ?? '',
  ]),
)}
`;
const file = path.join(root, 'docs/xen-hypercalls.md');
writeFileSync(file, await prettier.format(page, { ...(await prettier.resolveConfig(file)), filepath: file }));
