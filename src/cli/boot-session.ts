/** One boot at a terminal: where its console, messages and results go, and how it is brought to its end. */
import { inputOf, ConsoleInput } from '../host/console-input.js';
import { ConsoleOutput } from '../host/console-output.js';
import { OutputFile } from '../host/files.js';
import { runMachine, type RunnableMachine } from '../host/run-loop.js';
import type { Outcome } from '../machine.js';
import { hypercallTrace } from '../probe/hypercall-log.js';
import type { ObservedBoot } from '../probe/observed-boot.js';
import type { BootObserver } from '../probe/boot-setup.js';
import { eventRecord, traceRecord } from '../probe/service-log.js';
import { explainCall, explainHypercall, explainMemoryMap, explainMessage, explainPhase } from '../report/explain.js';
import { ExitStatus, exitStatusOf, outcomeLine, type BootResult } from '../report/result.js';
import { closingLines } from '../report/summary.js';
import type { TypedBytes } from '../typed-input.js';
import { bootResult } from './boot-result.js';
import { DigestLines, type DigestRequest } from './digest-lines.js';
import { BootSaver, type SaveRequest } from './snapshot-options.js';

/** What of the options a boot and one that goes on from a snapshot have in common. */
export interface SessionOptions {
  readonly until: string | undefined;
  readonly maxInstructions: number | undefined;
  readonly timeout: number | undefined;
  readonly trace: string | undefined;
  readonly json: string | undefined;
  /** The file that was named, and what is in it. */
  readonly replay: { readonly file: string; readonly log: readonly TypedBytes[] } | undefined;
  readonly digest: DigestRequest | undefined;
  readonly explain: boolean;
  readonly tier: 'both' | 'interpreter';
  readonly save: SaveRequest | undefined;
}

export class BootSession {
  readonly observer: BootObserver;
  /** undefined when nothing is to be saved. */
  readonly saver: BootSaver | undefined;
  private readonly console: ConsoleOutput;
  private readonly messages = new ConsoleOutput(process.stderr, 'messages');
  private json: OutputFile | undefined;
  private trace: OutputFile | undefined;
  private digests: DigestLines | undefined;
  private started = 0;

  constructor(
    private readonly given: SessionOptions,
    /** Of the result; it takes a moment. */
    private readonly image: () => BootResult['image'],
    private readonly path: string,
  ) {
    this.console = new ConsoleOutput(given.json === '-' ? process.stderr : process.stdout, 'the console');
    const print = (text: string): void => {
      this.console.push();
      this.messages.writeText(text);
    };
    this.observer = observe({
      console: this.console,
      messages: this.messages,
      trace: () => (given.trace === '-' ? { write: print } : this.trace),
      explain: given.explain,
      say: this.say,
    });
    this.saver = given.save && new BootSaver(given.save, () => ({ image: image() }), this.say);
  }

  readonly say = (line: string): void => {
    this.console.push(); // what the guest wrote before comes before
    this.messages.writeText(`efikit: ${line}\n`);
  };

  /** Opens what the run writes, and says the first line. Throws OutputError. */
  open(first: string): void {
    const { json, trace, digest } = this.given;
    if (json !== undefined && json !== '-') this.json = new OutputFile(json);
    if (trace !== undefined && trace !== '-') this.trace = new OutputFile(trace);
    if (digest !== undefined) this.digests = new DigestLines(digest, this.say);
    this.say(first);
    this.messages.push();
    this.started = performance.now();
  }

  /** Runs the guest to its end, writes what was asked for and says how it ended. Answers the exit status. */
  async finish(run: ObservedBoot, atEnd: () => void = () => undefined): Promise<number> {
    const { given, console, messages, digests, say } = this;
    await messages.flush();
    if (given.replay !== undefined) run.machine.replayInput(given.replay.log);
    const machine = digests?.watch(run.machine) ?? run.machine;
    const outcome = await runToEnd(run, this.saver?.watch(run, machine) ?? machine, given, async () => {
      await console.flush();
      await messages.flush();
    });
    atEnd();
    const wallSeconds = (performance.now() - this.started) / 1000;
    await console.finish();

    digests?.finish(run.machine);
    this.trace?.close();
    if (given.json !== undefined) await this.writeResult(run, outcome, wallSeconds);
    if (run.probe.symbolsProblem !== undefined) say(`no phase start_kernel: ${run.probe.symbolsProblem}`);
    const late = run.machine.typed.waiting;
    if (given.replay !== undefined && late > 0) {
      say(`${String(late)} of the inputs in ${given.replay.file} not typed: the run ended before their ticks`);
    }
    const status = exitStatusOf(outcome);
    const problem = this.saver?.finish();
    const summary = {
      door: run.setup.door,
      image: this.path,
      services: run.services.summary(),
      hypercalls: run.machine.xen === undefined ? undefined : run.hypercalls.summary(),
      profile: run.firmware?.profile,
      missed: run.firmware?.missedServices() ?? [],
      succeeded: status === 0,
    };
    say(outcomeLine(outcome));
    if (problem !== undefined) say(problem);
    for (const line of closingLines(summary)) say(line);
    await messages.finish();
    return problem === undefined ? status : ExitStatus.unusableInput;
  }

  private async writeResult(run: ObservedBoot, outcome: Outcome, wallSeconds: number): Promise<void> {
    const text = `${JSON.stringify(await bootResult(run, outcome, { image: this.image(), wallSeconds }), null, 2)}\n`;
    if (this.json === undefined) {
      const result = new ConsoleOutput(process.stdout, 'the result');
      result.writeText(text);
      await result.finish();
    } else {
      this.json.write(text);
      this.json.close();
    }
  }
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
  machine: RunnableMachine,
  given: SessionOptions,
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
    const last = await runMachine(machine, {
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
