import type { Executor, Job, RunRecord, WholeRecord } from './job.js';

/** What keeps the records of runs that have ended, by the ids of their jobs. */
export interface Journal {
  get(id: string): RunRecord | undefined;
  put(id: string, record: RunRecord): void;
}

const wholeId = 'with everything';

/** An executor that runs nothing that the journal has already, and writes down what it runs. */
export function journaled(executor: Executor, journal: Journal): Executor {
  return {
    async whole(maxInstructions) {
      const known = journal.get(wholeId);
      if (known !== undefined) return known as WholeRecord;
      const record = await executor.whole(maxInstructions);
      journal.put(wholeId, record);
      return record;
    },
    async run(jobs, onEnd) {
      const open: Job[] = [];
      for (const job of jobs) {
        const known = journal.get(job.id);
        if (known === undefined) open.push(job);
        else onEnd(job, known);
      }
      if (open.length === 0) return;
      await executor.run(open, (job, record) => {
        journal.put(job.id, record);
        onEnd(job, record);
      });
    },
  };
}
