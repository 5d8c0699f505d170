import { doorRefuses, type DoorName } from '../boot/door-choice.js';
import { ConsoleOutput } from '../host/console-output.js';
import { noInput } from '../host/console-input.js';
import { loadCodeLines } from '../host/code-lines.js';
import { OutputFile } from '../host/files.js';
import { loadPageAssets } from '../host/page-assets.js';
import { loadProcessorArtifacts } from '../host/processor-artifacts.js';
import { preferGuestThread } from '../host/thread-priority.js';
import { loadProposalLinux } from '../host/proposal-linux.js';
import { runMachine } from '../host/run-loop.js';
import type { LoadedImage } from '../loaders/image.js';
import { ObservedBoot } from '../probe/observed-boot.js';
import type { AnyProbe } from '../probe/probe.js';
import { probes } from '../probe/probes/index.js';
import { comparisonLines, comparisonResult, type Column } from '../report/comparison.js';
import { grouped } from '../report/numbers.js';
import { comparisonPage } from '../report/page/comparison-page.js';
import { ExitStatus, exitStatusOf } from '../report/result.js';
import { bootInputs, chooseProfile, loadImage, parseDoor, parseTier, type BootInputs } from './boot-inputs.js';
import * as option from './boot-options.js';
import * as shapeOption from './shape-options.js';
import { bootResult, imageRecord } from './boot-result.js';
import { checkUntil } from './boot.js';
import { UsageError } from './errors.js';
import type { Arguments, Command } from './options.js';
import { version } from './version.js';

export const compare: Command = {
  name: 'compare',
  summary:
    'Runs one image through several doors and prints what differs. With several IMAGEs each door takes the first that it opens.',
  operands: 'IMAGE [IMAGE...] [OPTIONS]',
  options: [
    option.doors,
    option.profile,
    option.initrd,
    option.append,
    option.module,
    option.memory,
    { ...option.strict, byDefault: 'on' },
    option.vars,
    option.redZones,
    option.xen,
    shapeOption.platform,
    shapeOption.pvh,
    option.until,
    option.maxInstructions,
    option.timeout,
    { ...option.json, meaning: 'the results of all doors; "-" is standard output, instead of the table' },
    option.html,
    option.only,
    option.details,
    option.tier,
  ],
  examples: [
    'efikit compare /boot/vmlinuz-$(uname -r)',
    'efikit compare ~/.cache/efikit/kernels/vmlinuz-6.1-cloud --doors efi,pvh,proposal --until user-space',
  ],
  run: runCompare,
};

/** Bytes, with --red-zones. */
const redZoneBytes = 64;

interface Candidate {
  readonly file: string;
  readonly image: LoadedImage;
}

async function runCompare(args: Arguments): Promise<number> {
  if (args.operands.length === 0) throw new UsageError(`no IMAGE is named; ${args.hint}`);
  const doors = parseDoors(args.text('doors') ?? 'efi,pvh');
  const until = args.text('until');
  if (until !== undefined) checkUntil(until);
  const limits = { maxInstructions: args.count('max-instructions'), timeoutSeconds: args.seconds('timeout') };
  const tier = parseTier(args.text('tier'));
  doors.forEach((door) => chooseProfile(args.text('profile'), door)); // a wrong name shows before a file is read
  const inputs = bootInputs(args);
  const jsonFile = args.text('json');
  const asked = parseOnly(args.text('only'));
  const htmlFile = args.text('html');
  const page = htmlFile === undefined ? undefined : { file: new OutputFile(htmlFile), assets: loadPageAssets() };
  const candidates: Candidate[] = [];
  for (const file of args.operands) candidates.push({ file, image: await loadImage(file) });
  const json = jsonFile === undefined || jsonFile === '-' ? undefined : new OutputFile(jsonFile);

  const output = new ConsoleOutput(process.stdout, 'the comparison');
  process.stderr.write(`efikit: defaults: ${defaultsOf(args, inputs).join(' ') || 'none, every option is given'}\n`);
  const columns: Column[] = [];
  let status: number = ExitStatus.unusableInput;
  for (const door of doors) {
    const { column, status: own } = await runDoor(door, candidates, {
      args,
      inputs,
      until,
      limits,
      tier,
      asked: asked ?? probes,
    });
    columns.push(column);
    if ('result' in column && (status === ExitStatus.unusableInput || status === ExitStatus.success)) status = own;
  }
  const result = comparisonResult(version, columns, asked ?? probes);
  if (page !== undefined) {
    page.file.write(comparisonPage(result, page.assets));
    page.file.close();
  }
  if (jsonFile !== undefined) {
    const text = `${JSON.stringify(result, null, 2)}\n`;
    if (json === undefined) output.writeText(text);
    else json.write(text);
    json?.close();
  }
  const details = args.flag('details') || asked !== undefined;
  if (jsonFile !== '-') output.writeText(`${comparisonLines(columns, result.sections, { details }).join('\n')}\n`);
  await output.finish();
  if (columns.every((column) => 'closed' in column)) {
    process.stderr.write(
      `efikit: no door opens: ${columns.map((column) => ('closed' in column ? `${column.door}: ${column.closed}` : '')).join('; ')}\n`,
    );
  }
  return status;
}

function parseDoors(text: string): DoorName[] {
  const names = text.split(',').filter((name) => name !== '');
  if (names.length === 0) throw new UsageError('--doors: give at least one of efi, pvh, linux64 and proposal');
  return [...new Set(names)].map((name) => parseDoor(name, 'doors'));
}

/** --only: the probes of those names; undefined for all. Throws UsageError. */
function parseOnly(text: string | undefined): readonly AnyProbe[] | undefined {
  if (text === undefined) return undefined;
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !probes.some((one) => one.name === name));
  if (unknown !== undefined || names.length === 0)
    throw new UsageError(`--only ${unknown ?? text}: the probes are ${probes.map(({ name }) => name).join(', ')}`);
  return probes.filter(({ name }) => names.includes(name));
}

function defaultsOf(args: Arguments, inputs: BootInputs): string[] {
  return [
    ...(args.text('doors') === undefined ? ['--doors efi,pvh'] : []),
    ...(args.text('profile') === undefined ? ['--profile linux'] : []),
    '--strict',
    ...inputs.defaults,
  ];
}

async function runDoor(
  door: DoorName,
  candidates: readonly Candidate[],
  given: {
    readonly args: Arguments;
    readonly inputs: BootInputs;
    readonly until: string | undefined;
    readonly limits: { readonly maxInstructions: number | undefined; readonly timeoutSeconds: number | undefined };
    readonly tier: 'both' | 'interpreter';
    readonly asked: readonly AnyProbe[];
  },
): Promise<{ column: Column; status: number }> {
  const refusals = candidates.map(({ image }) => doorRefuses(door, image));
  const opening = candidates[refusals.indexOf(undefined)];
  if (opening === undefined) {
    return { column: { door, closed: [...new Set(refusals)].join('; ') }, status: ExitStatus.unusableInput };
  }
  const { image, file } = opening;
  const { inputs, limits, until } = given;
  const { profile } = chooseProfile(given.args.text('profile'), door);
  if (until === 'exit-boot-services' && (door === 'pvh' || door === 'linux64')) {
    return { column: { door, closed: `it never passes ${until}` }, status: ExitStatus.unusableInput };
  }
  const started = performance.now();
  const codeLines = loadCodeLines();
  preferGuestThread();
  const run = ObservedBoot.start({
    artifacts: loadProcessorArtifacts(),
    door,
    image,
    ...(door === 'proposal' ? { proposalLinux: loadProposalLinux() } : {}),
    profile,
    strict: true,
    tier: given.tier,
    memoryBytes: inputs.memoryBytes,
    ...inputs.shape,
    ...(given.args.flag('red-zones') ? { overrides: { 'memory:red-zones': redZoneBytes } } : {}),
    options: door === 'linux64' ? { ...inputs.options, modules: [] } : inputs.options,
    ...(until === undefined ? {} : { until }),
    probes: given.asked,
    ...(codeLines && { codeLines }),
  });
  const progress = progressLine(run, door);
  const last = await runMachine(run.machine, {
    input: noInput,
    between: progress.show,
    ...(limits.maxInstructions === undefined ? {} : { maxInstructions: limits.maxInstructions }),
    ...(limits.timeoutSeconds === undefined ? {} : { timeoutSeconds: limits.timeoutSeconds }),
  });
  progress.clear();
  const outcome = run.outcome ?? last;
  const wallSeconds = (performance.now() - started) / 1000;
  const result = await bootResult(run, outcome, { image: imageRecord(file, image), wallSeconds });
  const missed = (run.firmware?.missedServices() ?? []).map(({ name }) => name);
  return { column: { door, result, missed, taken: run.taken() }, status: exitStatusOf(outcome) };
}

/** How far a door has come, on standard error when that is a terminal. */
function progressLine(run: ObservedBoot, door: DoorName): { show: () => undefined; clear: () => void } {
  let shown = 0;
  const isTerminal = process.stderr.isTTY;
  return {
    show: () => {
      if (isTerminal && performance.now() - shown > 200) {
        shown = performance.now();
        const phase = run.phases.at(-1)?.name ?? '';
        process.stderr.write(`\r\x1b[K${door}: ${grouped(run.machine.instructions)} instructions, past ${phase}`);
      }
      return undefined;
    },
    clear: () => {
      if (isTerminal) process.stderr.write('\r\x1b[K');
    },
  };
}
