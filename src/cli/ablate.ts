import { availableParallelism, totalmem } from 'node:os';
import { ablate as ablateImage, type AblationProgress } from '../ablate/ablate.js';
import { journaled } from '../ablate/journal.js';
import type { Ablation, AblationReport } from '../ablate/result.js';
import { ablationLines, baselineLines } from '../ablate/table.js';
import { ConsoleOutput } from '../host/console-output.js';
import { OutputFile } from '../host/files.js';
import { JournalFile } from '../host/journal-file.js';
import { loadPageAssets } from '../host/page-assets.js';
import { WorkerPool } from '../host/worker-pool.js';
import { ablationPage } from '../report/page/ablation-page.js';
import { ExitStatus } from '../report/result.js';
import { ablationInputs, sharedInputs } from './ablate-inputs.js';
import * as option from './boot-options.js';
import { UsageError } from './errors.js';
import type { Arguments, Command, Option } from './options.js';
import * as shapeOption from './shape-options.js';
import { version } from './version.js';

const workers: Option = {
  name: 'workers',
  value: 'N',
  meaning: 'runs at a time, each in a process of its own',
  byDefault: 'one a processor, as far as memory goes',
};
const journal: Option = {
  name: 'journal',
  value: 'FILE',
  meaning: 'keep each run there as it ends: the same command, interrupted, goes on where it was',
};

export const ablateOptions: readonly Option[] = [
  option.door,
  option.profile,
  option.quirk,
  option.initrd,
  option.append,
  option.module,
  option.memory,
  option.xen,
  shapeOption.platform,
  shapeOption.pvh,
  {
    ...option.maxInstructions,
    meaning: 'give a run up after N instructions',
    byDefault: 'twice those of the whole run',
  },
  workers,
  journal,
  { ...option.json, meaning: 'the findings; "-" is standard output, instead of the tables' },
  option.html,
];

export const ablate: Command = {
  name: 'ablate',
  summary:
    'Finds what an image needs of the firmware and the machine, by taking parts away and letting them fail. Several IMAGEs are set side by side.',
  operands: 'IMAGE [IMAGE...] [OPTIONS]',
  options: ablateOptions,
  examples: [
    'efikit ablate examples/hello-variables/hello-variables.efi',
    'efikit ablate ~/.cache/efikit/kernels/vmlinuz-6.1-cloud --journal ablation.jsonl --json ablation.json',
  ],
  run: runAblate,
};

/** What a run takes of the host's memory at most: two machines and a copy of one. */
const workerBytes = 2 ** 30;

async function runAblate(args: Arguments): Promise<number> {
  if (args.operands.length === 0) throw new UsageError(`no IMAGE is named; ${args.hint}`);
  const inputs = sharedInputs(args);
  const size = args.count('workers') ?? defaultWorkers();
  const maxInstructions = args.count('max-instructions');
  const jsonFile = args.text('json');
  const images = [];
  for (const file of args.operands) images.push(await ablationInputs(args, file, inputs));
  const journalFile = args.text('journal');
  const kept = journalFile === undefined ? undefined : new JournalFile(journalFile);
  const json = jsonFile === undefined || jsonFile === '-' ? undefined : new OutputFile(jsonFile);
  const htmlFile = args.text('html');
  const page = htmlFile === undefined ? undefined : { file: new OutputFile(htmlFile), assets: loadPageAssets() };
  const output = new ConsoleOutput(process.stdout, 'the findings');
  const defaults = images[0]?.defaults ?? [];
  process.stderr.write(`efikit: defaults: ${defaults.join(' ') || 'none, every option is given'}\n`);

  const pool = new WorkerPool(workerCommand(), size);
  const interruption = untilInterrupted();
  const ablations: Ablation[] = [];
  try {
    for (const [index, { setup, about, fingerprint }] of images.entries()) {
      const progress = new ProgressLine(images.length === 1 ? '' : `${about.image.path}: `);
      const executor = pool.executor(index);
      const findings = await Promise.race([
        interruption.promise,
        ablateImage(setup, kept === undefined ? executor : journaled(executor, kept.of(fingerprint)), {
          ...(maxInstructions === undefined ? {} : { maxInstructions }),
          onProgress: progress.show,
        }),
      ]).finally(progress.clear);
      if (findings === undefined) {
        const how =
          journalFile === undefined ? 'with --journal FILE it could be gone on with' : 'the same command goes on';
        process.stderr.write(`efikit: interrupted; ${how}\n`);
        return ExitStatus.limit;
      }
      ablations.push({ ...about, ...findings });
      if (jsonFile !== '-') output.writeText(`${ablationLines({ ...about, ...findings }).join('\n')}\n\n`);
      await output.flush();
    }
  } finally {
    pool.close();
    interruption.close();
  }
  const report: AblationReport = { efikit: version, ablations };
  if (page !== undefined) {
    page.file.write(ablationPage(report, page.assets));
    page.file.close();
  }
  if (jsonFile !== undefined) {
    const text = `${JSON.stringify(report, null, 2)}\n`;
    if (json === undefined) output.writeText(text);
    else json.write(text);
    json?.close();
  }
  if (jsonFile !== '-' && ablations.length > 1) output.writeText(`${baselineLines(ablations).join('\n')}\n`);
  await output.finish();
  return status(ablations);
}

/** The guest ended well with everything: else there is nothing that taking away could spoil. */
function status(ablations: readonly Ablation[]): number {
  const failed = ablations.filter(({ whole }) => whole.reached !== 'end');
  for (const { image, whole } of failed) {
    process.stderr.write(
      `efikit: ${image.path}: with everything it ended otherwise (${whole.outcome}: ${whole.reason}); the findings say what it needs to come as far as ${whole.reached}\n`,
    );
  }
  return failed.length === 0 ? ExitStatus.success : ExitStatus.guestFailed;
}

function defaultWorkers(): number {
  const byMemory = Math.floor((totalmem() * 0.75) / workerBytes);
  return Math.max(1, Math.min(availableParallelism(), byMemory));
}

/** This very command, as a worker. */
function workerCommand(): [string, ...string[]] {
  const flags = [...new Set([...process.execArgv, '--v8-pool-size=1', '--expose-gc'])];
  return [process.execPath, ...flags, process.argv[1] ?? '', 'ablate-worker', ...process.argv.slice(3)];
}

/** Resolves to undefined at the first SIGINT or SIGTERM. */
function untilInterrupted(): { readonly promise: Promise<undefined>; readonly close: () => void } {
  let stop: () => void = () => undefined;
  const promise = new Promise<undefined>((resolve) => {
    stop = () => {
      resolve(undefined);
    };
  });
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  return {
    promise,
    close: () => {
      process.removeListener('SIGINT', stop);
      process.removeListener('SIGTERM', stop);
    },
  };
}

/** How far an ablation is, on standard error when that is a terminal. */
class ProgressLine {
  private readonly started = performance.now();
  private first: number | undefined;

  constructor(private readonly what: string) {}

  readonly show = ({ done, known, last }: AblationProgress): void => {
    if (!process.stderr.isTTY) return;
    const now = performance.now();
    this.first ??= done;
    const each = (now - this.started) / Math.max(1, done - this.first);
    const left = done === this.first ? '' : `, about ${duration((known - done) * each)} left`;
    const text = `${this.what}${String(done)} of ${String(known)} runs${left}: ${last}`;
    process.stderr.write(`\r\x1b[K${text.slice(0, Math.max(20, process.stderr.columns - 1))}`);
  };

  readonly clear = (): void => {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  };
}

const duration = (milliseconds: number): string => {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 90 ? `${String(seconds)} s` : `${String(Math.round(seconds / 60))} min`;
};
