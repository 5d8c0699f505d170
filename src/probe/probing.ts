import type { Firmware, FirmwareEvent, ServiceCall } from '../firmware/index.js';
import type { Machine } from '../machine.js';
import type { CallerNames } from '../symbols/caller-names.js';
import { CodeAreas } from './code/code-areas.js';
import { CodeNames } from './code/code-names.js';
import { ExecutionCounter } from './code/execution-counter.js';
import type { KernelPlace } from '../symbols/kernel-place.js';
import type { BootSetup } from './boot-setup.js';
import { pointSymbols, type Phase, type PhaseProbe } from './phases.js';
import { needsOf, type TakenByProbe } from './probe.js';
import { ProbedRun } from './probed-run.js';

/** The probes of a run, and what they need of it: told of everything, they give their answers at the end. */
export class Probing {
  /** Of the observed boot: tells everybody. */
  readonly tell: ProbedRun['tell'];
  private readonly run: ProbedRun;
  private readonly counter: ExecutionCounter | undefined;
  private readonly started: ReadonlyMap<string, () => unknown>;
  private readonly gates: ReadonlyMap<string, number>;

  constructor(
    private readonly setup: BootSetup,
    private readonly machine: Machine,
    firmware: Firmware | undefined,
    callers: CallerNames,
    private readonly kernel: KernelPlace | undefined,
    private readonly phases: PhaseProbe,
  ) {
    const { door, image, probes = [] } = setup;
    const areas = new CodeAreas(machine, image, door === 'efi', kernel);
    areas.kernelStands = door === 'pvh';
    const names = new CodeNames(door, image, kernel, firmware);
    this.run = new ProbedRun(door, machine, image, firmware, callers, kernel, areas, names, setup.codeLines);
    this.gates = new Map([...machine.firmware.slots.values()].map(({ name, gate }) => [name, gate]));
    if (needsOf(probes).has('counts'))
      this.counter = new ExecutionCounter(machine.processor, areas, firmware, this.run.tell.stretch);
    if (needsOf(probes).size > 0) {
      phases.watchIfThere(pointSymbols);
      phases.onDecoded = (linear, physical) => {
        kernel?.decoded(linear, physical);
        this.run.tell.decoded(linear);
      };
    }
    this.tell = { ...this.run.tell, ...this.own };
    this.started = new Map(probes.map((one) => [one.name, one.start(this.run)]));
  }

  /** The machine stands at the entry. How far from where it was linked its door has put the kernel; undefined elsewhere. */
  entered(): number | undefined {
    const { door, image } = this.setup;
    const entry = door === 'pvh' ? image.elf()?.pvhEntry : undefined;
    if (entry === undefined || this.kernel === undefined) return undefined;
    const distance = Number(this.machine.processor.registers.rip) - entry;
    this.kernel.physicalDistance = distance;
    return distance;
  }

  /** What the probes took; once, when the run has ended. */
  taken(): TakenByProbe {
    this.counter?.ended();
    return new Map([...this.started].map(([name, take]) => [name, take()]));
  }

  private readonly own = {
    phase: (phase: Phase): void => {
      if (this.kernel !== undefined) this.kernel.physicalDistance ??= this.phases.distance;
      this.counter?.passed(phase.name);
      this.run.tell.phase(phase);
      if (phase.name === 'kernel-entry') this.run.code.kernelStands = true;
    },
    call: (call: ServiceCall, from: () => string | undefined): void => {
      const gate = this.gates.get(call.name);
      // Runtime gates stand at virtual addresses, which are known while they are served.
      if (gate !== undefined) this.run.code.gateAt(this.machine.processor.registers.rip, gate);
      this.run.tell.call(call, from);
    },
    event: (event: FirmwareEvent): void => {
      this.run.code.happened(event);
      this.run.tell.event(event);
    },
  };
}
