// Builds the processor into a folder: core.wasm (AssemblyScript), cold.wasm, observing.wasm, handlers.bin, units.bin and
// processor.json; and lz4.wasm and zstd.wasm, which unpack kernels.
// Plain Node; `npm run build` calls buildCore(), and tests call it through test/support.
import { Buffer } from 'node:buffer';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';
import { build } from 'esbuild';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Compiles a folder of AssemblyScript with asc to folder/name. Throws with the compiler's own text. */
async function compile(source, folder, name) {
  const from = path.join(root, source);
  const temporary = path.join(folder, `.${name}.${process.pid}`);
  const { error, stderr } = await asc.main([
    'index.ts',
    '--baseDir',
    from,
    '--config',
    path.join(from, 'asconfig.json'),
    '--outFile',
    path.relative(from, temporary),
  ]);
  if (error) throw new Error(`${source} does not compile:\n${stderr.toString()}`);
  await rename(temporary, path.join(folder, name));
}

/** The decoder inside of the package zstddec, which offers its module to fetch() alone. */
async function zstdModule() {
  const { ZSTDDecoder } = await import('zstddec');
  const { fetch } = globalThis;
  try {
    return await new Promise((resolve, reject) => {
      globalThis.fetch = (url) => {
        resolve(Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));
        return new Promise(() => undefined);
      };
      new ZSTDDecoder().init().catch(reject);
    });
  } finally {
    globalThis.fetch = fetch;
  }
}

/** Composes the cold tier: src/cpu/cold/build.ts, bundled for this one call. */
async function composeCold(folder) {
  const bundle = path.join(folder, `build-cold-${process.pid}.mjs`);
  await build({
    entryPoints: [path.join(root, 'src/cpu/cold/build.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
  const { buildCold } = await import(pathToFileURL(bundle).href);
  const result = buildCold();
  await rm(bundle);
  return result;
}

/** Writes each file under a name of its own first, so that a reader never sees half a file. */
async function put(folder, name, bytes) {
  const temporary = path.join(folder, `.${name}.${process.pid}`);
  await writeFile(temporary, bytes);
  await rename(temporary, path.join(folder, name));
}

export async function buildCore(folder = path.join(root, 'dist/processor')) {
  await mkdir(folder, { recursive: true });
  const [cold] = await Promise.all([
    composeCold(folder),
    compile('src/cpu/core', folder, 'core.wasm'),
    compile('src/loaders/decompress/core', folder, 'lz4.wasm'),
  ]);
  await put(folder, 'cold.wasm', cold.cold);
  await put(folder, 'observing.wasm', cold.observing);
  await put(folder, 'handlers.bin', new Uint8Array(cold.handlers.buffer));
  await put(folder, 'units.bin', cold.units);
  await put(folder, 'zstd.wasm', await zstdModule());
  await put(
    folder,
    'processor.json',
    JSON.stringify({ pseudo: cold.pseudo, hotBase: cold.hotBase, names: cold.names }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildCore();
