import { table } from '../../markdown.mjs';
import { doorOf, ofKernels } from '../runs.mjs';
import { count, when } from '../sentences.mjs';
import { bars } from '../picture.mjs';

const doors = ['efi', 'pvh', 'proposal'];

async function figuresOf(runs, kernel) {
  const comparison = await runs.plain(kernel);
  const ways = doors.map((door) => [door, doorOf(comparison, door).probes.instructions.longMode]);
  return { kernel, ways: Object.fromEntries(ways) };
}

const modesUntil = (way, point) => way.modes.find(({ until }) => until === point)?.instructions ?? {};
const outsideLongMode = (way) =>
  Object.entries(modesUntil(way, 'start_kernel'))
    .filter(([mode]) => !mode.startsWith('64-bit'))
    .reduce((sum, [, instructions]) => sum + instructions, 0);

export const longMode = {
  name: 'long-mode',
  title: 'Who switches to long mode?',
  by: 'Boris Ostrovsky, 26 January 2016',
  claim: 'All HVMlite guests start in 32-bit mode. Who will switch to long mode?',
  figures: (runs) => ofKernels((kernel) => figuresOf(runs, kernel)),
  text(figures) {
    const [{ ways }] = figures;
    const every = (test) => figures.every(test);
    const modes = [...new Set(doors.flatMap((door) => Object.keys(modesUntil(ways[door], 'start_kernel'))))];
    return {
      picture: bars({
        title: 'Instructions outside 64-bit mode before start_kernel',
        groups: figures.map((one) => ({
          label: one.kernel,
          bars: doors.map((door) => ({
            label: door,
            value: outsideLongMode(one.ways[door]),
            said: count(outsideLongMode(one.ways[door])),
          })),
        })),
      }),
      figure: `${count(outsideLongMode(ways.pvh))} instructions outside 64-bit mode through PVH, ${count(outsideLongMode(ways.efi))} through EFI`,
      body: figures.flatMap((one, i) => [
        ...(i === 0 ? [] : ['']),
        `${one.kernel}, instructions by mode before start_kernel, and pages of page tables that are new at each point:`,
        '',
        table(
          ['', ...doors],
          [
            ...modes.map((mode) => [
              mode,
              ...doors.map((door) => count(modesUntil(one.ways[door], 'start_kernel')[mode] ?? 0)),
            ]),
            ...['entry', 'exit-boot-services', 'kernel-entry', 'start_kernel'].map((point) => [
              `new pages at ${point}`,
              ...doors.map((door) => {
                const found = one.ways[door].pageTables.find(({ at }) => at === point);
                return found === undefined ? '-' : count(found.fresh);
              }),
            ]),
          ],
        ),
      ]),
      forEfi: [
        when(
          every((one) => outsideLongMode(one.ways.efi) === 0 && outsideLongMode(one.ways.proposal) === 0),
          'Through EFI the firmware does it: the image is entered in 64-bit mode with identity page tables, and no guest code runs in another mode.',
        ),
      ],
      forPvh: [
        when(
          every((one) => outsideLongMode(one.ways.pvh) > 0 && outsideLongMode(one.ways.pvh) < 1000),
          `Through PVH the kernel does it, in ${count(outsideLongMode(ways.pvh))} instructions of 32-bit code: little enough that the question decides nothing.`,
        ),
      ],
    };
  },
};
