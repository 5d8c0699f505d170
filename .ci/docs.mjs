// Regenerates the transcripts in docs/: each block of the form
//
//   <!-- run: boot examples/hello/hello.efi --explain -->
//   ```text
//   ...
//   ```
//
// holds what that command prints, standard output and standard error together. `lines A-B` before `-->` of the marker
// (`<!-- run: ... | lines 1-20 -->`) keeps a part.
//
//   node .ci/docs.mjs            rewrites the blocks
//   node .ci/docs.mjs --check    status 1 when a block is not what its command prints
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { code, table } from './markdown.mjs';
import { root } from './sources.mjs';

export const documents = ['README.md', 'docs/first-boot.md', 'docs/service-log.md'];

/** What a command of efikit prints on a terminal. Arguments are split at spaces; quotes keep them together. */
function transcript(command) {
  const args = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
  const { stdout, error } = spawnSync('sh', ['-c', '"$@" 2>&1', 'sh', process.execPath, 'dist/cli.js', ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (error) throw error;
  return stdout.replaceAll('\r', '').trimEnd().split('\n');
}

/** What `<!-- generated: profiles -->` is followed by: a table of the services and which profile has them. */
async function profileTable() {
  const { profiles: all } = await import(pathToFileURL(path.join(root, 'dist/src/index.js')).href);
  const profiles = all.filter(({ handedOver }) => handedOver !== true); // those have no services
  const names = [...new Set(profiles.flatMap(({ services }) => Object.keys(services)))];
  const rows = names.map((name) => [
    name,
    ...profiles.map(({ services }) => (name in services ? 'yes' : '')),
    profiles.map(({ services }) => services[name]).findLast((why) => why !== undefined),
  ]);
  const head = ['service', ...profiles.map(({ name }) => code(name)), 'why it is there'];
  return table(head, rows);
}

/** The document with every block as its command prints it now. */
export async function regenerate(document) {
  const services = await profileTable();
  const text = document.replaceAll(
    /(<!-- generated: profiles -->\n\n)(?:\|[^\n]*\n)*\n?/g,
    (_, head) => `${head}${services}\n\n`,
  );
  return text.replaceAll(
    /(<!-- run: (.*?)(?: \| lines (\d+)-(\d+))? -->\n\n?```text)(?:\n[^]*?)??(\n```)/g,
    (_, head, command, first, last, tail) => {
      const lines = transcript(command);
      const kept = first === undefined ? lines : lines.slice(Number(first) - 1, Number(last));
      return `${head}\n${kept.join('\n')}${tail}`;
    },
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let stale = 0;
  for (const document of documents) {
    const file = path.join(root, document);
    const before = readFileSync(file, 'utf8');
    const after = await regenerate(before);
    if (before === after) continue;
    if (process.argv.includes('--check')) {
      process.stderr.write(`docs: ${document} is stale: run npm run docs\n`);
      stale++;
    } else {
      writeFileSync(file, after);
    }
  }
  process.exit(stale === 0 ? 0 : 1);
}
