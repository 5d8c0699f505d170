// Boots guests in a worker of a real browser and compares each result with the command's.
//
//   node .ci/browser.mjs                     two-doors through both its doors
//   node .ci/browser.mjs IMAGE DOOR...       any image
//
// Needs Chromium or Chrome; CHROMIUM names it when it is not in the PATH.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { bootByCommand, bootOptions, bundleForPages, processorAsText } from './browser-bundle.mjs';
import { root } from './sources.mjs';

const patience = 120_000; // milliseconds for one browser

const page = `<!doctype html><title>efikit</title><script>
const tell = (result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) });
const worker = new Worker('/worker.js');
worker.onmessage = ({ data }) => tell(data);
worker.onerror = ({ message }) => tell({ error: message ?? 'the worker did not load' });
</script>`;

const workerEnd = `
(async () => {
  try {
    const job = await (await fetch('/job')).text();
    const started = performance.now();
    const result = await efikit.bootJob(job);
    postMessage({ result, wallSeconds: (performance.now() - started) / 1000, agent: navigator.userAgent });
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
})();`;

/** Opens the page in a browser of its own and waits for what its worker tells. */
async function bootInBrowser(browser, script, job) {
  const answers = {
    '/': ['text/html', page],
    '/worker.js': ['text/javascript', script + workerEnd],
    '/job': ['application/json', job],
  };
  const profile = await mkdtemp(path.join(tmpdir(), 'efikit-browser-'));
  let told;
  const result = new Promise((resolve) => {
    told = resolve;
  });
  const server = createServer((request, response) => {
    if (request.url === '/result') {
      let text = '';
      request.setEncoding('utf8').on('data', (part) => (text += part));
      request.on('end', () => {
        response.end();
        told(JSON.parse(text));
      });
      return;
    }
    const [type, body] = answers[request.url] ?? [];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type ?? 'text/plain' }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`];
  const child = spawn(browser, [...flags, `http://127.0.0.1:${server.address().port}/`], { stdio: 'ignore' });
  child.on('error', ({ message }) => told({ error: `${message}: install Chromium or name it in CHROMIUM` }));
  const closed = new Promise((resolve) => {
    child.on('close', resolve);
    child.on('error', resolve);
  });
  void closed.then(() => told({ error: 'the browser ended before the guest did' }));
  const timer = setTimeout(() => told({ error: `nothing came within ${patience / 1000} seconds` }), patience);
  try {
    return await result;
  } finally {
    clearTimeout(timer);
    child.kill();
    await closed;
    server.closeAllConnections();
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

const twoDoors = (kind) => path.join(root, `examples/two-doors/two-doors.${kind}`);
const [given, ...doors] = process.argv.slice(2);
const boots =
  given === undefined
    ? [
        [twoDoors('elf'), 'pvh'],
        [twoDoors('efi'), 'efi'],
      ]
    : doors.map((door) => [given, door]);
const browser = process.env.CHROMIUM ?? 'chromium';
const script = await bundleForPages();
const processor = processorAsText();
for (const [file, door] of boots) {
  const image = (await readFile(file)).toString('base64');
  const job = JSON.stringify({ processor, image, door, options: bootOptions });
  const told = await bootInBrowser(browser, script, job);
  if (told.error !== undefined) {
    process.stderr.write(`browser: ${path.basename(file)} by ${door}: ${told.error}\n`);
    process.exit(1);
  }
  const expected = bootByCommand(file, door);
  const result = JSON.parse(told.result);
  const same = isDeepStrictEqual(result, expected.result);
  process.stdout.write(
    `${path.basename(file)} by ${door}: ${result.outcome} after ${result.instructions} instructions, ` +
      `${told.wallSeconds.toFixed(2)} s in the browser, ${expected.wallSeconds.toFixed(2)} s by the command, ` +
      `results ${same ? 'the same' : 'DIFFERENT'}\n`,
  );
  if (!same) {
    for (const name of new Set([...Object.keys(result), ...Object.keys(expected.result)])) {
      if (isDeepStrictEqual(result[name], expected.result[name])) continue;
      process.stderr.write(
        `  ${name}: ${JSON.stringify(result[name])}, not ${JSON.stringify(expected.result[name])}\n`,
      );
    }
    process.exitCode = 1;
  }
}
