import { BootError } from '../boot/boot-protocol.js';
import { OutputError } from '../host/console-output.js';
import { InputError } from '../host/files.js';
import { StoreError } from '../host/variable-file.js';
import { ImageError } from '../loaders/image.js';
import { ExitStatus } from '../report/result.js';
import { SnapshotError } from '../snapshot.js';
import { VariableFormatError } from '../variables/errors.js';
import { UnusableInputError, UsageError } from './errors.js';
import { helpText, parseArguments, type Command } from './options.js';
import { version } from './version.js';

const general = `efikit: a minimal UEFI firmware and the machine under it

  efikit boot IMAGE      run one image through one door; its console is yours
  efikit compare IMAGE   the same image through several doors, and what differs
  efikit inspect IMAGE   what is in the image, and which doors it has
  efikit ablate IMAGE    which firmware services the image needs, found by taking them away
  efikit report FILE     the page of a comparison or an ablation that was saved as JSON
  efikit vars ...        list, get, set, delete, import, export variables of a store file

efikit COMMAND --help explains the options; efikit --version names the version.
`;

/** Commands load when they are called: a help text shall not wait for a processor. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  ablate: async () => (await import('./ablate.js')).ablate,
  'ablate-worker': async () => (await import('./ablate-worker.js')).ablateWorker,
  boot: async () => (await import('./boot.js')).boot,
  compare: async () => (await import('./compare.js')).compare,
  report: async () => (await import('./report.js')).report,
  vars: async () => (await import('./vars.js')).vars,
  inspect: async () => (await import('./inspect-command.js')).inspectCommand,
};

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined)
    throw new UsageError(
      'no command is named: boot, compare, inspect, ablate, report or vars; efikit --help explains them',
    );
  if (name === '--help' || name === '-h' || name === 'help') return print(general);
  if (name === '--version') return print(`${version}\n`);
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined)
    throw new UsageError(
      `"${name}" is no command: boot, compare, inspect, ablate, report or vars; efikit --help explains them`,
    );
  const command = await load();
  const args = parseArguments(command, rest);
  return args === undefined ? print(helpText(command)) : command.run(args);
}

async function print(text: string): Promise<number> {
  const { ConsoleOutput } = await import('../host/console-output.js');
  const output = new ConsoleOutput(process.stdout, 'the text');
  output.writeText(text);
  await output.finish();
  return ExitStatus.success;
}

/** One clear line for what went wrong, and the exit status. */
function report(error: unknown): number {
  if (error instanceof OutputError && error.code === 'EPIPE') return ExitStatus.guestFailed; // who reads has gone: silence
  const [line, status] = explain(error);
  try {
    process.stderr.write(`efikit: ${line}\n`);
  } catch {
    // standard error is closed: the status must do
  }
  return status;
}

function explain(error: unknown): [string, number] {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) return [message, ExitStatus.usage];
  const unusable =
    error instanceof UnusableInputError ||
    error instanceof InputError ||
    error instanceof OutputError ||
    error instanceof ImageError ||
    error instanceof BootError ||
    error instanceof StoreError ||
    error instanceof SnapshotError ||
    error instanceof VariableFormatError ||
    (error instanceof Error && (error.name === 'UnreachableError' || error.name === 'ReportError'));
  if (unusable) return [message, ExitStatus.unusableInput];
  if (error instanceof RangeError)
    return [`out of memory on this host: ${message}; give the guest less with --memory`, ExitStatus.unusableInput];
  const stack = process.env['EFIKIT_DEBUG'] === undefined || !(error instanceof Error) ? '' : `\n${error.stack ?? ''}`;
  return [
    `internal error: ${message} (a bug in efikit: please report it with the command; EFIKIT_DEBUG=1 shows where)${stack}`,
    ExitStatus.guestFailed,
  ];
}

// Without a listener the limit of a file's size (ulimit -f) ends the process; with one the write fails, with EFBIG.
process.on('SIGXFSZ', () => undefined);
// A stream that fails outside of a write has a listener too; what is written learns of it by OutputError.
process.stderr.on('error', () => undefined);
process.stdout.on('error', () => undefined);
void main(process.argv.slice(2))
  .catch(report)
  .then((status) => {
    process.exitCode = status;
    // Whatever still listens (an open standard input) must not keep the process.
    process.exit();
  });
