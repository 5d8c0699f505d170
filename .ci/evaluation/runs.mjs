// What the figures of the evaluation come from: runs of the built command, each made once however many ask for it.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { kernelFile, kernelFolder } from '../kernels.mjs';
import { root } from '../sources.mjs';
import { keptRow, measureRow } from './rows/index.mjs';

/** As examples/get-kernels names them. */
export const kernels = ['6.1-cloud', '6.12-cloud'];
/** What `measure` gives of each, one after the other. */
export async function ofKernels(measure) {
  const found = [];
  for (const kernel of kernels) found.push(await measure(kernel));
  return found;
}

/** Images are named as they are called in their folder, so that no path of this machine gets into a page. */
export const initrd = 'initrd.gz';
export const imageOf = (kernel) => path.basename(kernelFile(kernel));
/** The command line of every run but those that say otherwise. */
export const commandLine = 'console=ttyS0';
const allDoors = ['efi', 'pvh', 'proposal'];
/** Where the pages of the runs are kept, beside the figures. */
export const pages = path.join(root, 'docs/evaluation');
const cli = path.join(root, 'dist/cli.js');

const say = (line) => process.stderr.write(`evaluation: ${line}\n`);

/** Runs the command with `--json`; gives what it wrote there. Ends with an error unless the status is one of `accepted`. */
function resultOf(args, accepted) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'efikit-evaluation-'));
  const json = path.join(folder, 'result.json');
  say(`efikit ${args.join(' ')}`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--v8-pool-size=1', cli, ...args, '--json', json], {
      cwd: kernelFolder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk) => (said += chunk));
    child.on('error', reject);
    child.on('close', (status) => {
      try {
        if (!accepted.includes(status))
          throw new Error(`efikit ${args.join(' ')} ended with status ${status}:\n${said}`);
        resolve(JSON.parse(readFileSync(json, 'utf8')));
      } catch (error) {
        reject(error);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
}

/** The runs of one evaluation. `keptRows`: rows that have data are not run again. */
export class Runs {
  #made = new Map();
  #keptRows;

  constructor({ keptRows = false } = {}) {
    this.#keptRows = keptRows;
  }

  #once(args, accepted) {
    const key = JSON.stringify(args);
    if (!this.#made.has(key)) this.#made.set(key, resultOf(args, accepted));
    return this.#made.get(key);
  }

  /** Every door with the default command line; its page is kept. */
  plain(kernel) {
    return this.comparison(kernel, { page: kernel });
  }

  /** `efikit compare`: the result of --json (ComparisonResult). `page`: the name of a page that is kept as well. */
  comparison(kernel, { doors = allDoors, append = commandLine, options = [], page } = {}) {
    if (!existsSync(kernelFile(kernel)))
      throw new Error(`${kernelFile(kernel)} is not there: run examples/get-kernels`);
    const args = ['compare', imageOf(kernel), '--initrd', initrd, '--append', append, '--doors', doors.join(',')];
    const kept = page === undefined ? [] : ['--html', path.join(pages, `${page}.html`)];
    return this.#once([...args, ...options, ...kept], [0, 1]);
  }

  /** The same under Xen: its console instead of the serial port. */
  underXen(kernel, doors = ['efi', 'pvh']) {
    return this.comparison(kernel, { doors, append: 'console=hvc0', options: ['--xen'], page: `${kernel}-xen` });
  }

  /** `efikit ablate` of one kernel (Ablation). */
  async ablation(kernel) {
    const html = path.join(pages, `${kernel}-ablation.html`);
    const args = ['ablate', imageOf(kernel), '--initrd', initrd, '--append', commandLine, '--html', html];
    return (await this.#once(args, [0])).ablations[0];
  }

  /** A row that makes runs of its own (rows/index.mjs); what it gives is kept. */
  async row(name) {
    const kept = this.#keptRows ? keptRow(name) : undefined;
    if (kept !== undefined) return kept;
    if (!this.#made.has(name))
      this.#made.set(
        name,
        measureRow(name, (line) => say(`${name}: ${line}`)),
      );
    return this.#made.get(name);
  }

  /** `efikit boot --json`; the status may be any that a boot ends with. */
  boot(image, options) {
    return this.#once(['boot', image, ...options], [0, 1, 3]);
  }
}

/** The run through one door of a comparison. Throws where the door was closed. */
export function doorOf(comparison, door) {
  const found = comparison.doors.find((one) => one.door === door);
  if (found === undefined || 'closed' in found) throw new Error(`the door ${door}: ${found?.closed ?? 'was not run'}`);
  return found;
}
