/** A process of its own for one boot: takes a BootJob as its only message, answers with the BootResult and ends. */
import { readFileSync } from 'node:fs';
import { runBoot, type BootJob } from './boot-job.js';

process.once('message', (job: BootJob) => {
  void runBoot(job, (path) => readFileSync(path)).then((result) => {
    process.send?.(result, () => {
      process.exit(0);
    });
  });
});
