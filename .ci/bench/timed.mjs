// Runs a program from its start to its end and says how long that took.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { work } from './settings.mjs';

const times = path.join(work, 'times');
const monotonic = () => Number(process.hrtime.bigint()) / 1e9;

/**
 * Seconds from a program's start to its end, processor seconds of all its threads (bash's times), when it started (the
 * host's monotonic clock, seconds), its output, and when each of `marks` was first in it, in seconds from the start.
 * Throws when the output lacks one of them.
 */
export function timed(command, args, { marks = [], environment = {} } = {}) {
  return new Promise((resolve, reject) => {
    const started = monotonic();
    const child = spawn('bash', ['-c', `"$@"; times >'${times}'`, 'bash', command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
      timeout: 300_000,
    });
    let text = '';
    const seen = marks.map(() => undefined);
    const take = (part) => {
      text += part;
      marks.forEach((mark, i) => {
        if (seen[i] === undefined && text.includes(mark)) seen[i] = monotonic() - started;
      });
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('latin1').on('data', take);
    child.on('error', reject);
    child.on('close', () => {
      const seconds = monotonic() - started;
      const missing = marks.find((_, i) => seen[i] === undefined);
      if (missing === undefined) resolve({ seconds, processorSeconds: processorSeconds(), started, text, seen });
      else reject(new Error(`${[command, ...args].join(' ')}\ndid not print ${missing}:\n${text.slice(-1500)}`));
    });
  });
}

/** The last two of bash's four times: user and system seconds of its children. */
function processorSeconds() {
  const all = [...readFileSync(times, 'utf8').matchAll(/(\d+)m([\d.]+)s/g)];
  return all.slice(2).reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}
