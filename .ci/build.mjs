// Builds dist/: the processor's modules, the command (cli.js, command.cjs) and the library (src/, firmware-tables/).
//
//   node .ci/build.mjs            what changed since the last build
//   node .ci/build.mjs --types    also the type declarations of the library, for a package
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import {
  assemblyScript,
  browserScript,
  builtSources,
  currentSources,
  filesBelow,
  root,
  stampFile,
} from './sources.mjs';

const dist = path.join(root, 'dist');

/** Writes each file under a name of its own first, so that a reader never sees half a file. */
async function put(file, bytes) {
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
  await writeFile(temporary, bytes);
  await rename(temporary, file);
}

async function buildProcessor() {
  const { buildCore } = await import(pathToFileURL(path.join(root, '.ci/build-core.mjs')).href);
  await buildCore(path.join(dist, 'processor'));
}

/** One file of ASCII, a function that src/cli/start.ts calls; CommonJS, because V8 takes compiled code for scripts alone. */
async function buildCommand() {
  const { version } = createRequire(import.meta.url)('../package.json');
  const common = { bundle: true, platform: 'node', target: 'node20', write: false, logLevel: 'warning' };
  const [command, start] = await Promise.all([
    build({
      ...common,
      entryPoints: [path.join(root, 'src/cli/main.ts')],
      outfile: path.join(dist, 'command.cjs'),
      format: 'cjs',
      charset: 'ascii',
      legalComments: 'none',
      banner: { js: '(function (require, __dirname, efikitUrl) { "use strict"; const module = { exports: {} };' },
      footer: { js: '})' },
      define: { EFIKIT_VERSION: JSON.stringify(version), 'import.meta.url': 'efikitUrl' },
    }),
    build({
      ...common,
      entryPoints: [path.join(root, 'src/cli/start.ts')],
      outfile: path.join(dist, 'cli.js'),
      format: 'esm',
      // One thread of V8's own is enough: several take the guest's processor from it while they compile.
      banner: { js: '#!/usr/bin/env -S node --v8-pool-size=1' },
    }),
  ]);
  await rm(path.join(dist, 'command.cache'), { force: true }); // never newer code beside an older cache
  for (const { path: file, contents } of [...command.outputFiles, ...start.outputFiles]) await put(file, contents);
  const icedWasm = createRequire(import.meta.url).resolve('iced-x86/iced_x86_bg.wasm');
  await copyFile(icedWasm, path.join(dist, 'iced_x86_bg.wasm'));
}

/** Our own guests that the commands need, where the package finds them. */
async function copyGuests() {
  const guest = path.join('proposal-linux', 'proposal-linux.efi');
  await put(path.join(dist, 'guests', guest), await readFile(path.join(root, 'examples', guest)));
}

/** Counts the lines of our own code behind each door, where they have changed. */
async function countLines() {
  const script = path.join(root, '.ci/code-lines.mjs');
  const child = spawn(process.execPath, ['--import', 'tsx', script], { cwd: root, stdio: 'inherit' });
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error('the lines of the tree cannot be counted');
}

/** What report pages carry: a style and a script for browsers, one text each. */
async function buildPage() {
  const folder = path.join(root, 'src/report/page-client');
  const { outputFiles } = await build({
    entryPoints: { page: path.join(folder, 'main.ts'), 'page-style': path.join(folder, 'page.css') },
    outdir: path.join(dist, 'page'),
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'iife',
    target: ['chrome109', 'firefox115', 'safari16'],
    charset: 'utf8',
    legalComments: 'none',
    write: false,
    logLevel: 'warning',
  });
  for (const { path: file, contents } of outputFiles) await put(file.replace('page-style.css', 'page.css'), contents);
}

async function buildLibrary() {
  const files = filesBelow(['src', 'firmware-tables'], ['.ts']).filter(
    (file) =>
      ![...assemblyScript, browserScript].some((folder) => file.startsWith(path.normalize(folder))) &&
      !file.endsWith('.d.ts'),
  );
  const { outputFiles } = await build({
    entryPoints: files.map((file) => path.join(root, file)),
    outdir: dist,
    outbase: root,
    bundle: false,
    platform: 'neutral',
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'warning',
  });
  await Promise.all(outputFiles.map(({ path: file, contents }) => put(file, contents)));
}

/** Without it the command starts more slowly, no more. */
function buildCodeCache() {
  const guest = path.join(root, 'examples/two-doors/two-doors.efi');
  const { status, stderr } = spawnSync(process.execPath, [path.join(root, '.ci/code-cache.mjs'), dist, guest]);
  if (status !== 0) process.stderr.write(`the built command does not run ${guest}:\n${stderr.toString()}\n`);
}

function emitTypes() {
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', '.ci/tsconfig-types.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
}

const before = currentSources();
const processorIsCurrent = builtSources().processor === before.processor;
if (!processorIsCurrent) await rm(stampFile, { force: true }); // a build that fails half-way is no build
const linesAreCurrent = builtSources().lines === before.lines && existsSync(path.join(dist, 'code-lines.json'));
await Promise.all([
  buildCommand(),
  buildLibrary(),
  buildPage(),
  copyGuests(),
  ...(linesAreCurrent ? [] : [countLines()]),
]);
if (!processorIsCurrent) await buildProcessor();
buildCodeCache();
if (process.argv.includes('--types')) emitTypes();
await put(stampFile, JSON.stringify(before));
