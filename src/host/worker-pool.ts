/** Runs the jobs of an ablation in processes of their own, so that every processor of the host is at work. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Executor, Job, RunRecord, WholeRecord } from '../ablate/job.js';

/** To a worker. bigints go along: the channel clones structures. */
export type ToWorker =
  | { readonly do: 'whole'; readonly image: number; readonly maxInstructions: number }
  | { readonly do: 'job'; readonly image: number; readonly job: Job };
/** From a worker: the answer to what it was told last. */
export type FromWorker = { readonly record: RunRecord | WholeRecord } | { readonly failed: string };

/** A worker could not do its job; the message says why. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';
  readonly code = 'WORKER';
}

const mostAttempts = 2;

export class WorkerPool {
  private readonly workers: Worker[] = [];

  /** `command`: the program and arguments of a worker, which answers on its channel to its parent. */
  constructor(
    private readonly command: readonly [string, ...string[]],
    private readonly size: number,
  ) {}

  /** Runs the jobs of one of the images. */
  executor(image: number): Executor {
    return {
      whole: async (maxInstructions) => {
        const answer = await this.worker(0).ask({ do: 'whole', image, maxInstructions });
        return answer as WholeRecord;
      },
      run: async (jobs, onEnd) => {
        const queue = [...jobs];
        const serve = async (index: number): Promise<void> => {
          for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
            onEnd(job, await this.attempt(index, { do: 'job', image, job }));
          }
        };
        const busy = Math.min(this.size, jobs.length);
        await Promise.all(Array.from({ length: busy }, (_, index) => serve(index)));
      },
    };
  }

  close(): void {
    for (const worker of this.workers) worker.close();
    this.workers.splice(0);
  }

  /** A worker that died, of lack of memory say, is replaced once; the job is done again. */
  private async attempt(index: number, what: ToWorker): Promise<RunRecord> {
    for (let attempt = 1; ; attempt++) {
      const worker = this.worker(index);
      try {
        return await worker.ask(what);
      } catch (error) {
        if (!worker.isGone || attempt === mostAttempts) throw error;
      }
    }
  }

  private worker(index: number): Worker {
    const known = this.workers[index];
    if (known !== undefined && !known.isGone) return known;
    return (this.workers[index] = new Worker(this.command));
  }
}

class Worker {
  isGone = false;
  private readonly child: ChildProcess;
  private waiting: { resolve: (record: RunRecord) => void; reject: (error: Error) => void } | undefined;

  constructor([program, ...args]: readonly [string, ...string[]]) {
    this.child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' });
    this.child.on('message', (message) => {
      const answer = message as FromWorker;
      const { waiting } = this;
      this.waiting = undefined;
      if ('record' in answer) waiting?.resolve(answer.record);
      else waiting?.reject(new WorkerError(answer.failed));
    });
    const gone = (why: string): void => {
      this.isGone = true;
      this.waiting?.reject(new WorkerError(`a worker ended before its job: ${why}`));
      this.waiting = undefined;
    };
    this.child.on('error', ({ message }) => {
      gone(message);
    });
    this.child.on('exit', (status, signal) => {
      gone(signal ?? `status ${String(status)}`);
    });
  }

  ask(what: ToWorker): Promise<RunRecord> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.child.send(what, (error) => {
        if (error === null) return;
        this.waiting = undefined;
        reject(new WorkerError(`a worker cannot be reached: ${error.message}`));
      });
    });
  }

  close(): void {
    this.isGone = true;
    this.waiting = undefined;
    this.child.kill();
  }
}
