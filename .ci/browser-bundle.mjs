// The core as one script for a page or a worker: what it declares is the global `efikit` (browser-entry.mjs).
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { root } from './sources.mjs';

/**
 * iced-x86 is CommonJS for Node: it asks `util` for the text coders, `path` and `fs` for its own wasm file. A page gives
 * it these three and nothing else; an import of Node by any other file fails the build.
 */
const icedForPages = {
  name: 'iced-for-pages',
  setup(builder) {
    const wasm = createRequire(import.meta.url).resolve('iced-x86/iced_x86_bg.wasm');
    const stands = {
      util: 'module.exports = { TextDecoder, TextEncoder };',
      path: "module.exports = { join: () => '' };",
      fs: `const bytes = require(${JSON.stringify(wasm)}); module.exports = { readFileSync: () => bytes };`,
    };
    builder.onResolve({ filter: /^(util|path|fs)$/ }, ({ path: name, importer }) =>
      /[\\/]iced_x86\.js$/.test(importer) ? { path: name, namespace: 'iced-for-pages' } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'iced-for-pages' }, ({ path: name }) => ({
      contents: stands[name],
      resolveDir: root,
    }));
  },
};

/** The script's text. Throws when the core imports what a browser does not have. */
export async function bundleForPages() {
  const { outputFiles } = await build({
    entryPoints: [path.join(root, '.ci/browser-entry.mjs')],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'efikit',
    target: 'es2022',
    define: { __dirname: '""' },
    loader: { '.wasm': 'binary' },
    plugins: [icedForPages],
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

/** The built processor in pieces that JSON can carry. */
export function processorAsText() {
  const file = (name) => readFileSync(path.join(root, 'dist/processor', name));
  const { pseudo, hotBase, names } = JSON.parse(file('processor.json'));
  const [core, cold, units, handlers] = ['core.wasm', 'cold.wasm', 'units.bin', 'handlers.bin'].map((name) =>
    file(name).toString('base64'),
  );
  return { core, cold, units, handlers, pseudo, hotBase, names };
}

/** The options of the boots that are compared, for the page and for the command. */
export const bootOptions = { profile: 'linux', memory: 512 * 2 ** 20, append: 'console=ttyS0' };

/** What the command says of the same boot, without what a page cannot know (names, versions, time). */
export function bootByCommand(image, door) {
  const { profile, memory, append } = bootOptions;
  const options = ['--profile', profile, '--memory', String(memory), '--append', append, '--json', '-'];
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [path.join(root, 'dist/cli.js'), 'boot', image, '--door', door, ...options],
    { encoding: 'utf8', maxBuffer: 1 << 28, input: '' },
  );
  if (stdout === '') throw new Error(`the command gave no result (status ${status}):\n${stderr}`);
  const { wallSeconds, ...result } = JSON.parse(stdout);
  delete result.efikit;
  delete result.image;
  return { result, wallSeconds };
}
