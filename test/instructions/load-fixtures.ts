import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { RecordedTemplate } from './fixture.js';

/** The recorded outcomes of a family, in the order of its templates. */
export function loadFixtures(family: string): RecordedTemplate[] {
  const file = gunzipSync(readFileSync(join(import.meta.dirname, 'fixtures', `${family}.json.gz`))).toString();
  return file
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RecordedTemplate);
}
