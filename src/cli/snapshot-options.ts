/** boot --save, --save-at and --resume: a machine kept as a file. README, "Boot your own kernel". */
import { writeSnapshotFile } from '../host/snapshot-file.js';
import type { RunnableMachine } from '../host/run-loop.js';
import type { ObservedBoot } from '../probe/observed-boot.js';
import type { Landmark } from '../probe/boot-setup.js';
import { isPhaseName, phaseNames } from '../probe/phases.js';
import { grouped } from '../report/numbers.js';
import type { BootResult } from '../report/result.js';
import { UsageError } from './errors.js';
import type { Arguments, Option } from './options.js';

export const save: Option = {
  name: 'save',
  value: 'FILE',
  meaning:
    'keep the machine as a file, for --resume: where --save-at says, else where --until or a limit stops the run',
};
export const saveAt: Option = {
  name: 'save-at',
  value: 'WHAT',
  meaning: 'with --save: as --until, or instructions:N; the run goes on after',
};
export const resume: Option = {
  name: 'resume',
  value: 'FILE',
  meaning: 'go on where a saved machine stands; instead of IMAGE and all that was decided when it was booted',
};

/** What --save and --save-at ask for. */
export interface SaveRequest {
  readonly file: string;
  /** undefined: where the run is stopped. */
  readonly at: string | undefined;
}

/** Throws UsageError. */
export function readSaveRequest(args: Arguments): SaveRequest | undefined {
  const file = args.text('save');
  const at = args.text('save-at');
  if (file === undefined) {
    if (at === undefined) return undefined;
    throw new UsageError(`--save-at ${at}: say with --save FILE where the machine is to be kept`);
  }
  if (args.text('vars') !== undefined) {
    throw new UsageError(
      '--save: a snapshot has the variables in it; leave --vars out and take them over with efikit vars',
    );
  }
  if (at !== undefined && instructionsOf(at) === undefined) checkPoint(at, 'save-at', ', or instructions:N');
  return { file, at };
}

/** A phase behind the entry, `symbol:NAME` or `text:STRING`. Throws UsageError. */
export function checkPoint(text: string, option: string, more = ''): string {
  const named = /^(symbol|text):(.+)$/s.test(text);
  if (named || (isPhaseName(text) && text !== 'entry')) return text;
  const phases = phaseNames.filter((name) => name !== 'entry').join(', ');
  throw new UsageError(`--${option} ${text}: give ${phases}, symbol:NAME or text:STRING${more}`);
}

function instructionsOf(at: string): number | undefined {
  const match = /^instructions:([\d_]+)$/.exec(at);
  const count = Number(match?.[1]?.replaceAll('_', '') ?? NaN);
  return Number.isSafeInteger(count) && count > 0 ? count : undefined;
}

/** The options that a saved machine has behind it. */
const decided = [
  'door',
  'profile',
  'quirk',
  'initrd',
  'append',
  'module',
  'memory',
  'strict',
  'vars',
  'xen',
  'platform',
  'pvh',
  'subarch',
  'dom0',
] as const;

/** --resume with nothing beside it that the snapshot has decided. Throws UsageError. */
export function checkResume(args: Arguments): void {
  const [image] = args.operands;
  const given = image ?? decided.find((name) => args.has(name));
  if (given === undefined) return;
  const what = image === undefined ? `--${given}` : `the image ${given}`;
  throw new UsageError(
    `--resume: the snapshot has decided on ${what} already; leave it out, or boot anew without --resume`,
  );
}

/** What a snapshot keeps for the result of the run: bootResult(). */
export interface SavedAbout {
  readonly image: BootResult['image'];
}

/** Saves a run once, where it was asked for. */
export class BootSaver {
  /** Bytes of the file, once it is written. */
  written: number | undefined;
  private isDue = false;
  private run: ObservedBoot | undefined;

  constructor(
    private readonly request: SaveRequest,
    private readonly about: () => SavedAbout,
    private readonly say: (line: string) => void,
  ) {}

  /** What the run has to look out for. */
  get landmarks(): readonly Landmark[] {
    const { at } = this.request;
    if (at === undefined || instructionsOf(at) !== undefined) return [];
    const then = ({ machine }: ObservedBoot): void => {
      this.isDue = true;
      machine.processor.requestStop();
    };
    return [{ at, then }];
  }

  /** The machine for the host's loop: it is saved between two of its runs. Throws UsageError when the point lies behind. */
  watch(run: ObservedBoot, machine: RunnableMachine): RunnableMachine {
    this.run = run;
    const { at } = this.request;
    const count = at === undefined ? undefined : instructionsOf(at);
    if (count !== undefined && count < machine.instructions)
      throw new UsageError(
        `--save-at ${at ?? ''}: the run is past that, at ${grouped(machine.instructions)} instructions`,
      );
    return this.watched(machine, count ?? Infinity);
  }

  private watched(machine: RunnableMachine, count: number): RunnableMachine {
    const left = (): number => count - machine.instructions;
    return {
      get outcome() {
        return machine.outcome;
      },
      get idle() {
        return machine.idle;
      },
      get ticks() {
        return machine.ticks;
      },
      get instructions() {
        return machine.instructions;
      },
      run: (ticks) => {
        machine.run(left() > 0 ? Math.min(ticks, left()) : ticks);
        if (this.written === undefined && (this.isDue || left() <= 0)) this.write();
      },
      idleUntil: () => machine.idleUntil(),
      skipTo: (tick) => {
        machine.skipTo(tick);
      },
      end: (outcome) => {
        machine.end(outcome);
      },
    };
  }

  /** The run is over: saves it when it was stopped and not saved before. Answers why there is no file. Throws OutputError. */
  finish(): string | undefined {
    const { at, file } = this.request;
    const { outcome } = this.run?.machine ?? {};
    const isStopped = outcome?.outcome === 'reached' || outcome?.outcome === 'limit';
    if (this.written === undefined && at === undefined && isStopped) this.write();
    if (this.written !== undefined) return undefined;
    const where = at === undefined ? 'it was stopped (give --save-at, --until or a limit)' : `--save-at ${at}`;
    return `${file} is not written: the guest ended before ${where}`;
  }

  private write(): void {
    const { run } = this;
    if (run === undefined) return;
    this.written = writeSnapshotFile(this.request.file, run.save(this.about()));
    const { instructions } = run.machine;
    this.say(
      `saved ${this.request.file} at ${grouped(instructions)} instructions (${grouped(this.written)} bytes); go on with efikit boot --resume ${this.request.file}`,
    );
  }
}
