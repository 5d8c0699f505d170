import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { BootJob, BootResult } from './boot-job.js';

const child = fileURLToPath(new URL('./boot-child.ts', import.meta.url));
const waiting: (() => void)[] = [];
let free = Math.max(1, Math.min(4, availableParallelism()));

/** Boots in a fresh process, as many at a time as there are processors. Rejects when the process dies. */
export async function bootInProcess(job: BootJob): Promise<BootResult> {
  if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
  else free--;
  try {
    return await run(job);
  } finally {
    const next = waiting.shift();
    if (next) next();
    else free++;
  }
}

function run(job: BootJob): Promise<BootResult> {
  return new Promise((resolve, reject) => {
    const process = fork(child, { execArgv: ['--import=tsx'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let result: BootResult | undefined;
    let complaint = '';
    process.stderr?.on('data', (text: Buffer) => (complaint += text.toString()));
    process.once('message', (message: BootResult) => {
      result = message;
    });
    process.once('error', reject);
    process.once('close', (code, signal) => {
      if (result) resolve(result);
      else reject(new Error(`the boot's process died (${signal ?? `status ${String(code)}`}): ${complaint}`));
    });
    process.send(job);
  });
}
