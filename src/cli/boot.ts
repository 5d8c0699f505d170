import { defaultDoor, doorRefuses, type DoorName } from '../boot/door-choice.js';
import type { Profile } from '../firmware/index.js';
import { ConsoleInput, inputOf } from '../host/console-input.js';
import { ConsoleOutput } from '../host/console-output.js';
import { OutputFile } from '../host/files.js';
import { freeUnpacked } from '../host/free-unpacked.js';
import { loadProcessorArtifacts } from '../host/processor-artifacts.js';
import { preferGuestThread } from '../host/thread-priority.js';
import { loadProposalLinux } from '../host/proposal-linux.js';
import { runMachine } from '../host/run-loop.js';
import type { Outcome } from '../machine.js';
import { ObservedBoot, type BootObserver } from '../probe/observed-boot.js';
import { isPhaseName, phaseNames } from '../probe/phases.js';
import { hypercallTrace } from '../probe/hypercall-log.js';
import { eventRecord, traceRecord } from '../probe/service-log.js';
import { explainCall, explainHypercall, explainMemoryMap, explainMessage, explainPhase } from '../report/explain.js';
import { exitStatusOf, outcomeLine } from '../report/result.js';
import { closingLines } from '../report/summary.js';
import {
  bootInputs,
  chooseProfile,
  loadImage,
  parseDoor,
  parseQuirks,
  parseTier,
  type BootInputs,
} from './boot-inputs.js';
import * as option from './boot-options.js';
import * as shapeOption from './shape-options.js';
import { checkStoreDoor, openBootStore } from './boot-store.js';
import { bootResult } from './boot-result.js';
import { DigestLines, readDigestRequest, type DigestRequest } from './digest-lines.js';
import { UnusableInputError, UsageError } from './errors.js';
import { readInputLog } from './input-log.js';
import type { Arguments, Command } from './options.js';

export const boot: Command = {
  name: 'boot',
  summary: 'Runs one image through one door; its console is yours (Ctrl-A x leaves).',
  operands: 'IMAGE [OPTIONS]',
  options: [
    option.door,
    option.profile,
    option.quirk,
    option.initrd,
    option.append,
    option.module,
    option.memory,
    option.explain,
    option.strict,
    option.vars,
    option.xen,
    shapeOption.platform,
    shapeOption.pvh,
    shapeOption.subarch,
    shapeOption.dom0,
    option.until,
    option.maxInstructions,
    option.timeout,
    option.trace,
    option.json,
    option.replay,
    option.digest,
    option.digestFile,
    option.tier,
  ],
  examples: [
    'efikit boot /boot/vmlinuz-$(uname -r)',
    'efikit boot ~/.cache/efikit/kernels/vmlinuz-6.1-cloud --door pvh --until user-space --json -',
  ],
  run: runBoot,
};

async function runBoot(args: Arguments): Promise<number> {
  const file = args.image;
  const given = readOptions(args);
  const inputs = bootInputs(args);
  const replay = given.replay === undefined ? undefined : readInputLog(given.replay);
  const image = await loadImage(file);
  const door = given.door ?? defaultDoor(image);
  const { profile, filledIn } = chooseProfile(args.text('profile'), door);
  const overrides = parseQuirks(args.texts('quirk'), door);
  const vars = args.text('vars');
  if (vars !== undefined) checkStoreDoor(door);
  if (inputs.options.pvh !== undefined && door !== 'pvh') {
    const name = args.text('pvh') === undefined ? 'dom0' : 'pvh';
    throw new UsageError(`--${name} is for the door pvh, and this is ${door}: give --door pvh or leave it out`);
  }
  if (inputs.options.linux64 !== undefined && door !== 'linux64') {
    throw new UsageError(`--subarch is for the door linux64, and this is ${door}: give --door linux64 or leave it out`);
  }
  const proposalLinux = door === 'proposal' ? loadProposalLinux() : undefined;

  let json: OutputFile | undefined;
  let trace: OutputFile | undefined;
  const console = new ConsoleOutput(given.json === '-' ? process.stderr : process.stdout, 'the console');
  const messages = new ConsoleOutput(process.stderr, 'messages');
  const say = (line: string): void => {
    console.push(); // what the guest wrote before comes before
    messages.writeText(`efikit: ${line}\n`);
  };
  const print = (text: string): void => {
    console.push();
    messages.writeText(text);
  };
  let digests: DigestLines | undefined;
  const hasFirmware = door === 'efi' || door === 'proposal'; // the other doors use a profile only where it is given
  /** Once the machine stands: a door that refuses the image comes before everything that the run writes. */
  const open = (): void => {
    const refusal = doorRefuses(door, image);
    if (refusal !== undefined) throw new UnusableInputError(`${file}: the door ${door} does not open: ${refusal}`);
    if (given.json !== undefined && given.json !== '-') json = new OutputFile(given.json);
    if (given.trace !== undefined && given.trace !== '-') trace = new OutputFile(given.trace);
    if (given.digest !== undefined) digests = new DigestLines(given.digest, say);
    sayDefaults(say, given, door, hasFirmware && filledIn ? profile : undefined, inputs);
    messages.push();
    started = performance.now();
  };
  const flush = async (): Promise<void> => {
    await console.flush();
    await messages.flush();
  };
  let started = 0;
  const tracer = (): Pick<OutputFile, 'write'> | undefined => (given.trace === '-' ? { write: print } : trace);
  const observer = observe({ console, messages, trace: tracer, explain: given.explain, say });
  const store = vars === undefined || doorRefuses(door, image) !== undefined ? undefined : openBootStore(vars, say);
  preferGuestThread();
  const run = ObservedBoot.start({
    artifacts: loadProcessorArtifacts(),
    door,
    image,
    ...(proposalLinux === undefined ? {} : { proposalLinux }),
    profile,
    overrides,
    strict: given.strict,
    tier: given.tier,
    memoryBytes: inputs.memoryBytes,
    ...inputs.shape,
    options: inputs.options,
    ...(store === undefined ? {} : { variables: store.variables, commitVariable: store.commitVariable }),
    ...(given.until === undefined ? {} : { until: given.until }),
    kernelPhases: given.json !== undefined || given.explain, // who else would see them?
    observer,
    beforeEntry: open,
  });
  await messages.flush();
  freeUnpacked(image);
  if (replay !== undefined) run.machine.replayInput(replay);
  const outcome = await runToEnd(run, given, digests, flush);
  store?.close();
  const wallSeconds = (performance.now() - started) / 1000;
  await console.finish();

  digests?.finish(run.machine);
  trace?.close();
  if (given.json !== undefined) {
    const text = `${JSON.stringify(await bootResult(run, outcome, { file, image, wallSeconds }), null, 2)}\n`;
    if (json === undefined) {
      const result = new ConsoleOutput(process.stdout, 'the result');
      result.writeText(text);
      await result.finish();
    } else {
      json.write(text);
      json.close();
    }
  }
  if (run.probe.symbolsProblem !== undefined) {
    say(`no phase start_kernel: ${run.probe.symbolsProblem}`);
  }
  const late = run.machine.typed.waiting;
  if (given.replay !== undefined && late > 0) {
    say(`${String(late)} of the inputs in ${given.replay} not typed: the run ended before their ticks`);
  }
  const status = exitStatusOf(outcome);
  const summary = {
    door,
    image: file,
    services: run.services.summary(),
    hypercalls: run.machine.xen === undefined ? undefined : run.hypercalls.summary(),
    profile: run.firmware?.profile,
    missed: run.firmware?.missedServices() ?? [],
    succeeded: status === 0,
  };
  say(outcomeLine(outcome));
  for (const line of closingLines(summary)) say(line);
  await messages.finish();
  return status;
}

interface BootOptionsGiven {
  readonly door: DoorName | undefined;
  readonly until: string | undefined;
  readonly maxInstructions: number | undefined;
  readonly timeout: number | undefined;
  readonly trace: string | undefined;
  readonly json: string | undefined;
  readonly replay: string | undefined;
  readonly digest: DigestRequest | undefined;
  readonly explain: boolean;
  readonly strict: boolean;
  readonly tier: 'both' | 'interpreter';
}

/** Everything that can be wrong about the options alone, before a file is opened. Throws UsageError. */
function readOptions(args: Arguments): BootOptionsGiven {
  const door = args.text('door');
  const until = args.text('until');
  return {
    door: door === undefined ? undefined : parseDoor(door, 'door'),
    until: until === undefined ? undefined : checkUntil(until),
    maxInstructions: args.count('max-instructions'),
    timeout: args.seconds('timeout'),
    trace: args.text('trace'),
    json: args.text('json'),
    replay: args.text('replay'),
    digest: readDigestRequest(args),
    explain: args.flag('explain'),
    strict: args.flag('strict'),
    tier: parseTier(args.text('tier')),
  };
}

export function checkUntil(until: string): string {
  const named = /^(symbol|text):(.+)$/s.test(until);
  if (named || (isPhaseName(until) && until !== 'entry')) return until;
  const phases = phaseNames.filter((name) => name !== 'entry').join(', ');
  throw new UsageError(`--until ${until}: give ${phases}, symbol:NAME or text:STRING`);
}

function sayDefaults(
  say: (line: string) => void,
  given: BootOptionsGiven,
  door: DoorName,
  filledInProfile: Profile | undefined,
  inputs: BootInputs,
): void {
  const defaults = [
    ...(given.door === undefined ? [`--door ${door}`] : []),
    ...(filledInProfile === undefined ? [] : [`--profile ${filledInProfile.name}`]),
    ...inputs.defaults,
  ];
  say(defaults.length === 0 ? 'defaults: none, every option is given' : `defaults: ${defaults.join(' ')}`);
}

function observe(to: {
  console: ConsoleOutput;
  messages: ConsoleOutput;
  trace: () => Pick<OutputFile, 'write'> | undefined;
  explain: boolean;
  say: (line: string) => void;
}): BootObserver {
  const line = (text: string): void => {
    to.console.push();
    to.messages.writeText(`${text}\n`);
  };
  return {
    console: (byte) => {
      to.messages.push();
      to.console.write(byte);
    },
    log: (text) => {
      if (to.explain || text.startsWith('not implemented')) to.say(text); // an absent port is of use to a learner alone
    },
    call: (call, from) => {
      to.trace()?.write(`${JSON.stringify(traceRecord(call, from()))}\n`);
      if (to.explain) line(explainCall(call));
    },
    hypercall: (call, from) => {
      to.trace()?.write(`${JSON.stringify(hypercallTrace(call, from()))}\n`);
      if (to.explain) line(explainHypercall(call));
    },
    xenstore: (tick, message) => {
      to.trace()?.write(`${JSON.stringify({ tick, xenstore: message })}\n`);
      if (to.explain) line(explainMessage(tick, `xenstore: ${message}`));
    },
    event: (event, where) => {
      to.trace()?.write(`${JSON.stringify(eventRecord(event, where()))}\n`);
    },
    ...(to.explain
      ? {
          memoryMap: (when, entries) => {
            explainMemoryMap(when, entries).forEach(line);
          },
          phase: (phase) => {
            line(explainPhase(phase));
          },
        }
      : {}),
  };
}

/** Runs the guest with the terminal as its console; the terminal is given back whatever happens. */
async function runToEnd(
  run: ObservedBoot,
  given: BootOptionsGiven,
  digests: DigestLines | undefined,
  flush: () => Promise<void>,
): Promise<Outcome> {
  const leave = new AbortController();
  const stop = (why: string): void => {
    leave.abort(why);
  };
  const { typed, consoleDevice } = run.machine;
  const device = {
    type: (bytes: Uint8Array): void => {
      typed.type(bytes);
    },
    pipe: (bytes: Uint8Array): void => {
      consoleDevice?.pipe(bytes);
    },
    get waiting(): number {
      return typed.waiting + (consoleDevice?.waiting ?? 0);
    },
  };
  const leaveByKey = (): void => {
    stop('left by Ctrl-A x');
  };
  const console = given.replay === undefined ? new ConsoleInput(process.stdin, device, leaveByKey) : undefined;
  const interrupted = (): void => {
    stop('interrupted by a signal');
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    const last = await runMachine(digests?.watch(run.machine) ?? run.machine, {
      input: console ?? inputOf(device),
      between: flush,
      signal: leave.signal,
      ...(given.maxInstructions === undefined ? {} : { maxInstructions: given.maxInstructions }),
      ...(given.timeout === undefined ? {} : { timeoutSeconds: given.timeout }),
    });
    return run.outcome ?? last;
  } finally {
    console?.close();
    process.removeListener('SIGINT', interrupted);
    process.removeListener('SIGTERM', interrupted);
  }
}
