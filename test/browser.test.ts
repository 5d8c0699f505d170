import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { example, root } from './support/efikit.js';

interface Bundling {
  readonly bootOptions: object;
  bundleForPages(): Promise<string>;
  processorAsText(): object;
  bootByCommand(image: string, door: string): { readonly result: object };
}

/** A worker's globals as a browser has them: none that only Node has. The bundle follows, then the job. */
const asInPage = `
const { parentPort, workerData } = require('node:worker_threads');
for (const name of ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate', 'require', 'module', 'exports', '__filename', '__dirname']) {
  delete globalThis[name];
}
globalThis.navigator ??= { userAgent: 'a page', platform: 'a page' }; // every browser has it, Node since 21`;
const job = `
const told = typeof process + typeof require + typeof Buffer + typeof window;
if (told !== 'undefined'.repeat(4)) throw new Error('this is no page: ' + told);
efikit.bootJob(workerData).then((text) => parentPort.postMessage(text));`;

/** Runs the bundle in a worker that has what a browser's worker has of globals. */
function bootAsInPage(bundle: string, workerData: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(`${asInPage}\n${bundle}\n${job}`, { eval: true, workerData });
    worker.on('message', (text: string) => {
      resolve(JSON.parse(text));
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      reject(new Error('the worker ended without a result'));
    });
  });
}

describe('the core in a page (.ci/browser.mjs runs the same in a real browser)', function () {
  this.timeout(60_000);
  let bundling: Bundling;
  let bundle: string;
  before(async () => {
    bundling = (await import(pathToFileURL(path.join(root, '.ci/browser-bundle.mjs')).href)) as Bundling;
    bundle = await bundling.bundleForPages(); // fails when the core imports what only Node has
  });

  for (const [file, door] of [
    ['two-doors/two-doors.elf', 'pvh'],
    ['two-doors/two-doors.efi', 'efi'],
  ] as const) {
    it(`${file} by ${door}: without Node's globals, the result is the command's`, async () => {
      const image = (await readFile(example(file))).toString('base64');
      const processor = bundling.processorAsText();
      const text = JSON.stringify({ processor, image, door, options: bundling.bootOptions });
      const result = await bootAsInPage(bundle, text);
      expect(result).to.deep.include({ door, outcome: 'powered-off' });
      expect(result).to.deep.equal(bundling.bootByCommand(example(file), door).result);
    });
  }
});
