import { rangesOfEfi, rangesOfLinux64, rangesOfPvh, type MemoryRange } from '../memory-maps/ranges.js';
import { compareMaps, type ComparedRange } from '../memory-maps/comparison.js';
import { probe, type TakenAtDoor } from '../probe.js';
import type { Section } from '../section.js';

/** What a door tells the guest of its memory: at the entry, and as the last ExitBootServices finds it where there is one. */
interface MemoryMaps {
  readonly entry: readonly MemoryRange[];
  readonly exitBootServices?: readonly MemoryRange[];
}

/** The memory map that the kernel goes on with. */
const lastMap = ({ entry, exitBootServices }: MemoryMaps): readonly MemoryRange[] => exitBootServices ?? entry;

/** The memory maps of the doors over each other. UEFI 2.10 section 7.2.3; Xen public/arch-x86/hvm/start_info.h. */
export const memoryMaps = probe<MemoryMaps, readonly ComparedRange[]>({
  name: 'memory-maps',
  question: 'What is the guest told of its memory?',
  start(run) {
    const maps: { entry: readonly MemoryRange[]; exitBootServices?: readonly MemoryRange[] } = { entry: [] };
    const { memory } = run.machine;
    run.onPhase(({ name }) => {
      if (name !== 'entry') return;
      if (run.door === 'pvh') maps.entry = rangesOfPvh(memory);
      if (run.door === 'linux64') maps.entry = rangesOfLinux64(memory);
    });
    run.onMemoryMap((when, entries) => {
      maps[when === 'entry' ? 'entry' : 'exitBootServices'] = rangesOfEfi(entries);
    });
    return () => maps;
  },
  record: (taken) => taken,
  join: (doors) => compareMaps(doors.map(({ taken }) => lastMap(taken))),
  recordJoined: (ranges) => ranges,
  show: (doors, ranges) => (doors.length < 2 ? [] : [section(doors, ranges)]),
});

const hex = (value: number): string => value.toString(16).padStart(8, '0');

/** Each difference with its reason. */
function section(doors: readonly TakenAtDoor<MemoryMaps>[], ranges: readonly ComparedRange[]): Section {
  const reasons = [...new Set(ranges.flatMap(({ why }) => (why === undefined ? [] : [why])))];
  const note = (why: string | undefined): string => (why === undefined ? '' : `(${String(reasons.indexOf(why) + 1)})`);
  return {
    title: 'memory as the guest is told of it',
    table: {
      columns: ['', ...doors.map(({ door }) => door), ''],
      rows: ranges.map(({ start, end, types, why }) => [
        `${hex(start)}-${hex(end - 1)}`,
        ...types.map((type) => type ?? '-'),
        note(why),
      ]),
    },
    lines: reasons.map((why, i) => `(${String(i + 1)}) ${why}`),
  };
}
