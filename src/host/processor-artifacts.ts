import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { ProcessorArtifacts } from '../cpu/artifacts.js';

/** The folder that the build wrote the processor to, seen from the bundle (dist/), from dist/src/host and from src/host. */
export function defaultFolder(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  for (const candidate of ['processor', '../../processor', '../../dist/processor']) {
    const folder = path.join(here, candidate);
    try {
      readFileSync(path.join(folder, 'processor.json'));
      return folder;
    } catch {
      continue;
    }
  }
  throw new Error('the processor has not been built: run npm run build');
}

/**
 * Reads what the build made of the processor, and has V8 heed the branch hints of hot code: it knows them from version
 * 11.3 on, by default only since 14. Without them slow paths make the fast ones spill. Throws when nothing was built.
 */
export function loadProcessorArtifacts(folder: string = defaultFolder()): ProcessorArtifacts {
  setFlagsFromString('--experimental-wasm-branch-hinting');
  const read = (name: string): Uint8Array => readFileSync(path.join(folder, name));
  const handlers = read('handlers.bin');
  const { pseudo, hotBase, names } = JSON.parse(new TextDecoder().decode(read('processor.json'))) as Pick<
    ProcessorArtifacts,
    'pseudo' | 'hotBase' | 'names'
  >;
  return {
    core: read('core.wasm'),
    cold: read('cold.wasm'),
    get observing() {
      return read('observing.wasm'); // few runs want it
    },
    units: read('units.bin'),
    handlers: new Uint16Array(handlers.buffer.slice(handlers.byteOffset, handlers.byteOffset + handlers.byteLength)),
    pseudo,
    hotBase,
    names,
  };
}
