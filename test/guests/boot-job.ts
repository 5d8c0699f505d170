import { efi, linux64, proposalDoor, pvh } from '../../src/boot/index.js';
import type { CompileAfter } from '../../src/cpu/hot/tier.js';
import { linux, proposal } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { loadProposalLinux } from '../../src/host/proposal-linux.js';
import { readImage } from '../../src/loaders/read-image.js';
import { Machine, type Outcome } from '../../src/machine.js';
import { ServiceLog, type ServiceCount } from '../../src/probe/service-log.js';

export type DoorName = 'efi' | 'pvh' | 'linux64' | 'proposal';

/** A whole boot; the files come by path, so that another process can run it. */
export interface BootJob {
  readonly kernel: string;
  readonly initrd: string;
  readonly door: DoorName;
  readonly profile?: 'proposal' | 'linux';
  readonly commandLine?: string;
  /** What is typed, a line each, whenever the guest's console ends in `prompt`. */
  readonly type?: { readonly prompt: string; readonly lines: readonly string[] };
  /** Ticks of one run(); must not show in the result. */
  readonly slice?: number;
  /** Entries of each TLB; must not show in the result. */
  readonly tlbEntries?: number;
  /** When code becomes hot; must not show in the result. */
  readonly compileAfter?: CompileAfter;
}

/** Everything that must be the same in two runs. */
export interface BootResult {
  readonly outcome: Outcome['outcome'] | 'unfinished';
  readonly reason: string;
  readonly ticks: number;
  readonly instructions: number;
  readonly console: string;
  readonly services: readonly ServiceCount[];
  /** Services that the guest called although the profile lacks them, the first one first. */
  readonly missed: readonly string[];
}

const tickLimit = 6e9;

export async function runBoot(job: BootJob, read: (path: string) => Uint8Array): Promise<BootResult> {
  const services = new ServiceLog();
  const profile = job.profile ?? (job.door === 'efi' ? 'linux' : 'proposal');
  const machine = new Machine({
    artifacts: loadProcessorArtifacts(),
    memoryBytes: 512 << 20,
    profile: { proposal, linux }[profile],
    strict: true,
    onServiceCall: (call) => {
      services.record(call);
    },
    ...(job.tlbEntries === undefined ? {} : { tlbEntries: job.tlbEntries }),
    ...(job.compileAfter === undefined ? {} : { compileAfter: job.compileAfter }),
  });
  const screen = listen(machine, job);
  const image = readImage(read(job.kernel));
  await image.prepare();
  const door = { efi, pvh, linux64, proposal: proposalDoor(loadProposalLinux()) }[job.door];
  const commandLine = job.commandLine ?? 'console=ttyS0';
  machine.boot(door, image, { commandLine, initrd: read(job.initrd), modules: [] });
  const ended = runToEnd(machine, job.slice ?? 5e6);
  return {
    outcome: machine.outcome?.outcome ?? 'unfinished',
    reason: machine.outcome?.reason ?? ended,
    ticks: machine.ticks,
    instructions: machine.instructions,
    console: screen.text(),
    services: services.summary(),
    missed: machine.firmware.missedServices().map(({ name }) => name),
  };
}

/** Runs until the machine has ended, skipping idle time; says why it gave up. */
function runToEnd(machine: Machine, slice: number): string {
  while (machine.outcome === undefined) {
    if (machine.ticks > tickLimit) return `not ended after ${String(tickLimit)} ticks`;
    machine.run(slice);
    if (!machine.idle) continue;
    const next = machine.idleUntil();
    if (next === undefined) return 'idle for good: no timer is set and nothing is typed';
    machine.skipTo(next);
  }
  return '';
}

/** Collects the console and types the next line at each prompt, at the tick at which the prompt is complete. */
function listen(machine: Machine, { type }: BootJob): { text(): string } {
  const bytes: number[] = [];
  const lines = [...(type?.lines ?? [])];
  const prompt = new TextEncoder().encode(type?.prompt ?? '');
  machine.onConsole = (byte) => {
    bytes.push(byte);
    if (lines.length === 0 || !prompt.every((wanted, at) => bytes[bytes.length - prompt.length + at] === wanted))
      return;
    machine.type(new TextEncoder().encode(`${lines.shift() ?? ''}\n`));
  };
  return { text: () => new TextDecoder().decode(Uint8Array.from(bytes)) };
}
