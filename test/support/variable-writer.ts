/**
 * A process that changes a store until it is killed: FILE FIRST-CHANGE [MUTANT]. Each acknowledged change is a line on
 * stdout. A mutant does what a store must not, so that the test of the kills can show that it would notice.
 */
import { writeFileSync, writeSync } from 'node:fs';
import type { VariableChange } from '../../src/firmware/index.js';
import { VariableFile } from '../../src/host/variable-file.js';
import { encodeStore } from '../../src/variables/store-format.js';
import { StoredVariables } from '../../src/variables/stored-variables.js';
import { changeAt } from './variable-changes.js';

const [file = '', first = '0', mutant] = process.argv.slice(2);
const store = VariableFile.open(file);
const variables = new StoredVariables(store.all());

function commit(change: VariableChange): void {
  if (mutant === 'writes in place') {
    variables.apply(change);
    writeFileSync(file, encodeStore(variables.all()));
  } else if (store.commit(change) !== 'stored') throw new Error(store.failure);
}

writeSync(1, 'open\n');
for (let n = Number(first); ; n++) {
  if (mutant === 'acknowledges first') writeSync(1, `${String(n)}\n`);
  commit(changeAt(n));
  if (mutant !== 'acknowledges first') writeSync(1, `${String(n)}\n`);
}
