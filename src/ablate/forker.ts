import type { Outcome } from '../machine.js';
import { platforms } from '../platform-description.js';
import { ObservedBoot } from '../probe/observed-boot.js';
import type { BootObserver } from '../probe/boot-setup.js';
import { exitStatusOf } from '../report/result.js';
import type { Snapshot } from '../snapshot.js';
import type { AblationSetup, Executor, Job, RunRecord, WholeRecord } from './job.js';

/** What brings a machine to its end; a host's loop. */
export type RunToEnd = (machine: ObservedBoot['machine'], maxInstructions: number) => Promise<Outcome>;

/** Runs without a retired instruction after which a guest is taken to fault for ever. */
const mostStandstills = 50;

/**
 * Runs jobs in this thread. A whole run goes ahead from fork to fork and is copied there; each job goes on from such a
 * copy with overrides of its own.
 */
export class Forker implements Executor {
  private ahead: ObservedBoot | undefined;
  private copy: { readonly tick: number; readonly instructions: number; readonly snapshot: Snapshot } | undefined;

  constructor(
    private readonly setup: AblationSetup,
    private readonly runToEnd: RunToEnd,
  ) {}

  async whole(maxInstructions: number): Promise<WholeRecord> {
    const firstCalls: Record<string, { tick: number; instructions: number }> = {};
    let run: ObservedBoot | undefined = undefined as ObservedBoot | undefined;
    const record = await this.finish(maxInstructions, 0, (observer) => {
      run = ObservedBoot.start({
        ...this.setup,
        observer: {
          call: (call, from) => {
            observer.call?.(call, from);
            firstCalls[call.name] ??= { tick: call.tick, instructions: run?.machine.instructions ?? 0 };
          },
        },
      });
      return run;
    });
    return { ...record, firstCalls };
  }

  async run(jobs: readonly Job[], onEnd: (job: Job, record: RunRecord) => void): Promise<void> {
    for (const job of jobs) onEnd(job, await this.runOne(job));
  }

  async runOne(job: Job): Promise<RunRecord> {
    const { setup } = this;
    const overrides = { ...setup.overrides, ...job.overrides };
    const until = job.until === undefined ? {} : { until: job.until };
    if (job.fork > 0 && job.platform === undefined) {
      const copy = this.copyAt(job.fork);
      return this.finish(job.maxInstructions, copy.instructions, (observer) =>
        ObservedBoot.resume(
          {
            artifacts: setup.artifacts,
            profile: setup.profile,
            ...(setup.tier && { tier: setup.tier }),
            ...until,
            overrides,
            observer,
          },
          copy.snapshot,
        ),
      );
    }
    const platform = setup.platform ?? (setup.xen === undefined ? platforms.uart : platforms.xen);
    return this.finish(job.maxInstructions, 0, (observer) =>
      ObservedBoot.start({
        ...setup,
        overrides,
        ...until,
        ...(job.platform === undefined ? {} : { platform: { ...platform, ...job.platform } }),
        observer,
      }),
    );
  }

  /** The whole run as it stands at a tick. */
  private copyAt(tick: number): { readonly instructions: number; readonly snapshot: Snapshot } {
    if (this.copy?.tick === tick) return this.copy;
    this.copy = undefined; // room for the next one
    if (this.ahead === undefined || this.ahead.machine.ticks > tick) this.ahead = ObservedBoot.start({ ...this.setup });
    const { machine } = this.ahead;
    while (machine.outcome === undefined && machine.ticks < tick) {
      machine.run(tick - machine.ticks);
      if (machine.idle) machine.skipTo(Math.min(tick, machine.idleUntil() ?? tick));
    }
    this.copy = { tick, instructions: machine.instructions, snapshot: this.ahead.save() };
    return this.copy;
  }

  private async finish(
    maxInstructions: number,
    shared: number,
    start: (observer: BootObserver) => ObservedBoot,
  ): Promise<RunRecord> {
    let lastCall: string | null = null;
    const run = start({
      call: ({ name }) => {
        lastCall = name;
      },
    });
    endStandstill(run.machine);
    const last = await this.runToEnd(run.machine, maxInstructions);
    const outcome = run.outcome ?? last;
    return {
      outcome: outcome.outcome,
      reason: outcome.reason,
      exitStatus: exitStatusOf(outcome),
      instructions: run.machine.instructions,
      phases: run.phases.map(({ name, instructions }) => ({ name, instructions })),
      services: run.services.summary(),
      lastCall,
      console: run.console.save().written,
      shared,
    };
  }
}

/** Lets a guest end that faults in its fault handler's first instruction for ever: no tick passes, so no limit is reached. */
function endStandstill(machine: ObservedBoot['machine']): void {
  const run = machine.run.bind(machine);
  let standstills = 0;
  machine.run = (ticks) => {
    const before = machine.ticks;
    run(ticks);
    standstills = machine.ticks === before && !machine.idle ? standstills + 1 : 0;
    if (standstills < mostStandstills) return;
    const { rip } = machine.processor.registers;
    machine.end({ outcome: 'halted', reason: `faults for ever at RIP 0x${rip.toString(16)}` });
  };
}
