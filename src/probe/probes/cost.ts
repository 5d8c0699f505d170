import type { MapEntry } from '../../firmware/index.js';
import { costSections } from '../cost/sections.js';
import {
  heldByFirmware,
  heldByLoader,
  heldMemory,
  stillHeld,
  totalHeld,
  withoutRam,
  withSpecialPages,
  type HeldPages,
} from '../cost/held-memory.js';
import { imageStub, stubsOf } from '../cost/stubs.js';
import type { CostJoined, CostRecord, GuestStub } from '../cost/result.js';
import { probe } from '../probe.js';
import type { ProbedRun } from '../probed-run.js';

/** What a hypervisor pays for each door: memory, tables, code of its own; and what the guest pays. */
export const cost = probe<CostRecord, CostJoined>({
  name: 'cost',
  question: 'What does each door cost a hypervisor, and the kernel?',
  needs: ['kernel'],
  start(run) {
    const { provided } = run.machine;
    let held: HeldPages = new Map();
    let after: HeldPages | undefined;
    let tables = { count: 0, bytes: 0 };
    let stub: readonly GuestStub[] = [];
    const lastMap = (entries: readonly MapEntry[]): void => {
      after = withSpecialPages(stillHeld(held, entries), provided);
    };
    run.onMemoryMap((when, entries) => {
      if (when === 'entry') held = withSpecialPages(heldByFirmware(entries, provided), provided);
      else lastMap(entries);
    });
    run.onEvent(({ event, image }) => {
      if (event === 'image-entry' && image !== undefined && run.door === 'proposal' && stub.length === 0)
        stub = imageStub('proposal-linux', run.machine.memory.readPhysical(image.base, image.bytes));
    });
    run.onPhase(({ name }) => {
      if (name !== 'entry') return;
      if (run.firmware === undefined) held = heldByLoader(provided, run.machine.memory, run.machine.map);
      const { structures } = provided;
      tables = { count: structures.length, bytes: structures.reduce((sum, { bytes }) => sum + bytes, 0) };
    });
    return () => ({
      memory: {
        entry: heldMemory(held),
        after: heldMemory(after ?? (run.firmware === undefined ? withoutRam(held) : held)),
      },
      tables,
      code: codeOf(run),
      stub: stub.length > 0 ? stub : stubsOf(run.door, run.image, run.kernel),
    });
  },
  record: (taken) => taken,
  join: (doors) => ({
    doors: doors.map(({ door, taken: { memory, tables, code, stub } }) => ({
      door,
      heldAtEntry: totalHeld(memory.entry),
      heldAfter: totalHeld(memory.after),
      tableBytes: tables.bytes,
      lines: code.door === undefined ? null : code.door.reduce((sum, { lines }) => sum + lines, 0),
      stubBytes: stub[0]?.bytes ?? null,
    })),
  }),
  recordJoined: (joined) => joined,
  show: costSections,
});

/** Lines of what serves this door, and Xen where the guest is under it. */
function codeOf({ door, codeLines, firmware, machine }: ProbedRun): CostRecord['code'] {
  if (codeLines === undefined) return {};
  const offered = new Set(Object.keys(firmware?.profile.services ?? {}));
  return {
    door: [...(codeLines.doors[door] ?? []), ...(machine.xen === undefined ? [] : codeLines.xen)],
    services: codeLines.services.filter(({ name }) => offered.has(name)),
  };
}
