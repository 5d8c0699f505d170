import type { ModeName, Stretch } from '../code/executed-code.js';
import type { CountedUnit } from '../code/code-names.js';
import { executionsOf } from '../code/code-counts.js';
import { LongModeWatch, type LongModeWay } from '../instructions/long-mode.js';
import { probe } from '../probe.js';
import type { ProbedRun } from '../probed-run.js';
import { UnpackingInBootServices, type Unpacking } from '../instructions/unpacking.js';
import { instructionSections } from '../instructions/sections.js';

/** What a guest executed from one point of its way to the next. All sums are exact. */
export interface InstructionStretch {
  readonly from: string;
  readonly to: string;
  readonly instructions: number;
  /** Of these, what unpacked the kernel. */
  readonly unpacking: number;
  readonly modes: Readonly<Partial<Record<ModeName, number>>>;
  /** By subsystem, then by function (a section or an owner where there are no symbols); `instructions` is their sum. */
  readonly functions: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Retired instructions of a run through one door. A REP counts its iterations. */
export interface Instructions {
  readonly total: number;
  /** Which part of the guest unpacked the kernel; undefined when nobody did, as behind the door pvh. */
  readonly unpacking?: Unpacking;
  /** In the guest's order; together they are the run. */
  readonly stretches: readonly InstructionStretch[];
  /** Who switches to 64-bit mode, and with whose page tables. */
  readonly longMode: LongModeWay;
}

/** Retired instructions by CPU mode, stretch, subsystem and function. */
export const instructions = probe<Instructions>({
  name: 'instructions',
  question: 'What does the guest execute, and in which mode?',
  needs: ['counts'],
  start(run) {
    const stretches: InstructionStretch[] = [];
    const watch = new LongModeWatch(run);
    const early = unpackingWatch(run);
    const late: Unpacking[] = [];
    run.onStretch((stretch) => {
      watch.stretch(stretch);
      const isEarly = stretch.to === 'exit-boot-services';
      const inDecompressor = early?.found === undefined ? decompressor(run, stretch) : 0;
      if (inDecompressor > 0)
        late.push({ where: `between ${stretch.from} and ${stretch.to}`, instructions: inDecompressor });
      stretches.push({
        from: stretch.from,
        to: stretch.to,
        instructions: stretch.instructions,
        unpacking: isEarly ? (early?.found?.instructions ?? 0) : inDecompressor,
        modes: Object.fromEntries(stretch.modes),
        functions: functionsOf(run.names.unitsOf(stretch)),
      });
    });
    run.onPhase(({ name }) => {
      watch.phase(name);
    });
    return () => {
      const unpacking = early?.found ?? late[0];
      const total = stretches.reduce((sum, stretch) => sum + stretch.instructions, 0);
      return { total, ...(unpacking === undefined ? {} : { unpacking }), stretches, longMode: watch.result() };
    };
  },
  record: (taken) => taken,
  show: instructionSections,
});

function unpackingWatch(run: ProbedRun): UnpackingInBootServices | undefined {
  const { kernel, firmware, machine } = run;
  if (kernel === undefined || firmware === undefined) return undefined;
  const watch = new UnpackingInBootServices(kernel.elf, machine.memory);
  run.onCall((call) => {
    if (!firmware.bootServicesEnded) watch.called(call, machine.instructions, () => firmware.memoryMap.entries());
  });
  return watch;
}

/** Before the kernel proper is entered, the code of a bzImage that runs outside boot services is its decompressor. */
function decompressor(run: ProbedRun, stretch: Stretch): number {
  if (run.image.setup === undefined || stretch.to !== 'kernel-entry' || stretch.inBootServices) return 0;
  return executionsOf(stretch.code.file);
}

function functionsOf(units: readonly CountedUnit[]): Record<string, Record<string, number>> {
  const bySubsystem: Record<string, Record<string, number>> = {};
  for (const { name, subsystem, instructions: count } of units) {
    const functions = (bySubsystem[subsystem] ??= {});
    functions[name] = (functions[name] ?? 0) + count;
  }
  return bySubsystem;
}
