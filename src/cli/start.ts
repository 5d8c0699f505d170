/**
 * The executable. It runs the bundled command, command.cjs beside it, with what V8 compiled of it when it was built
 * (.ci/code-cache.mjs): compiling two megabytes anew takes longer than all the rest until the guest runs. A V8 of another
 * version or with other flags refuses that and compiles. Node vm, "Class: vm.Script".
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

type Start = (require: NodeJS.Require, folder: string, url: string) => void;

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

function readCache(): Buffer | undefined {
  try {
    return readFileSync(fileOf('command.cache'));
  } catch {
    return undefined;
  }
}

const filename = fileOf('command.cjs');
const cachedData = readCache();
// The bundle is ASCII, which latin1 reads fastest.
const script = new Script(readFileSync(filename, 'latin1'), {
  filename,
  ...(cachedData === undefined ? {} : { cachedData }),
});
const start = script.runInThisContext() as Start;
start(createRequire(import.meta.url), fileOf('.'), import.meta.url);
