/** A process that changes a store until it is killed: FILE FIRST-CHANGE. Each acknowledged change is a line on stdout. */
import { writeSync } from 'node:fs';
import { VariableFile } from '../../src/host/variable-file.js';
import { changeAt } from './variable-changes.js';

const [file = '', first = '0'] = process.argv.slice(2);
const store = VariableFile.open(file);
writeSync(1, 'open\n');
for (let n = Number(first); ; n++) {
  if (store.commit(changeAt(n)) !== 'stored') throw new Error(store.failure);
  writeSync(1, `${String(n)}\n`);
}
