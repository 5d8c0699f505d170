// Takes up the snapshot in the file that it is given, runs it to its end and writes the Ending as JSON.
import { readFileSync } from 'node:fs';
import { RecordedBoot } from './recorded-boot.js';

const [file = ''] = process.argv.slice(2);
process.stdout.write(JSON.stringify(RecordedBoot.resume(readFileSync(file)).finish()));
