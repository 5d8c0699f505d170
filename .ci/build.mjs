// Builds dist/: the processor's modules, the command as one file (cli.js) and the library (src/, firmware-tables/).
//
//   node .ci/build.mjs            what changed since the last build
//   node .ci/build.mjs --types    also the type declarations of the library, for a package
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { assemblyScript, builtSources, currentSources, filesBelow, root, stampFile } from './sources.mjs';

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

// CommonJS packages inside the bundle find `require` and their own folder (iced-x86 reads its wasm from there).
const commonJsNames = `import { createRequire as efikitRequire } from 'node:module';
import { fileURLToPath as efikitPath } from 'node:url';
const require = efikitRequire(import.meta.url);
const __dirname = efikitPath(new URL('.', import.meta.url));`;

async function buildCommand() {
  const { version } = createRequire(import.meta.url)('../package.json');
  const { outputFiles } = await build({
    entryPoints: [path.join(root, 'src/cli/main.ts')],
    outfile: path.join(dist, 'cli.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    write: false,
    logLevel: 'warning',
    legalComments: 'none',
    banner: { js: `#!/usr/bin/env node\n${commonJsNames}` },
    define: { EFIKIT_VERSION: JSON.stringify(version) },
  });
  for (const { path: file, contents } of outputFiles) await put(file, contents);
  const icedWasm = createRequire(import.meta.url).resolve('iced-x86/iced_x86_bg.wasm');
  await copyFile(icedWasm, path.join(dist, 'iced_x86_bg.wasm'));
}

/** Our own guests that the commands need, where the package finds them. */
async function copyGuests() {
  const guest = path.join('proposal-linux', 'proposal-linux.efi');
  await put(path.join(dist, 'guests', guest), await readFile(path.join(root, 'examples', guest)));
}

async function buildLibrary() {
  const files = filesBelow(['src', 'firmware-tables'], ['.ts']).filter(
    (file) => !assemblyScript.some((folder) => file.startsWith(path.normalize(folder))) && !file.endsWith('.d.ts'),
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
await Promise.all([buildCommand(), buildLibrary(), copyGuests()]);
if (!processorIsCurrent) await buildProcessor();
if (process.argv.includes('--types')) emitTypes();
await put(stampFile, JSON.stringify(before));
