// Runs the built command on a guest of ours and keeps what V8 compiled for that, for src/cli/start.ts.
//
//   node .ci/code-cache.mjs FOLDER GUEST    FOLDER has command.cjs and gets command.cache
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import v8 from 'node:v8';
import { Script } from 'node:vm';

const [folder, guest] = process.argv.slice(2).map((name) => path.resolve(name));
const filename = path.join(folder, 'command.cjs');
const cache = path.join(folder, 'command.cache');
const script = new Script(readFileSync(filename, 'latin1'), { filename });

v8.setFlagsFromString = () => undefined; // the result is good for the flags of this moment alone
syncBuiltinESMExports();
process.on('exit', () => {
  const temporary = `${cache}.${process.pid}`;
  writeFileSync(temporary, script.createCachedData());
  renameSync(temporary, cache);
});
process.argv.splice(1, Infinity, 'efikit', 'boot', guest, '--memory', '128M');
const url = pathToFileURL(path.join(folder, 'cli.js')).href;
script.runInThisContext()(createRequire(url), folder + path.sep, url);
