import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../sources.mjs';
import { when } from '../sentences.mjs';
import { bars } from '../picture.mjs';

const matrix = () => JSON.parse(readFileSync(path.join(root, '.ci/xen-matrix/results.json'), 'utf8'));

/** Counts boots of the matrix: those of which `of` holds, and of these those of which `so` holds. */
function tally(cells, of, so) {
  const chosen = cells.filter(of);
  return { of: chosen.length, so: chosen.filter(so).length };
}

const has = (signal) => (cell) => cell.name.includes(`${signal} yes`);
const lacks = (signal) => (cell) => cell.name.includes(`${signal} no`);
const foundXen = ({ result }) => result.type === 'xen';

export const detection = {
  name: 'detection',
  title: 'Telling bare-metal EFI from HVMlite',
  by: 'Juergen Gross, 11 April 2016; the wiki',
  claim:
    'You still need a way to distinguish between bare metal EFI and HVMlite, and Xen needs a way to find out whether a kernel supports HVMlite.',
  async figures() {
    const cells = Object.entries(matrix()).flatMap(([kernel, boots]) =>
      Object.entries(boots).map(([name, result]) => ({ kernel, name, result })),
    );
    const efi = cells.filter(({ name }) => name.startsWith('door efi'));
    const pair = (cell, signal) =>
      efi.find(
        (other) => other.kernel === cell.kernel && other.name === cell.name.replace(`${signal} yes`, `${signal} no`),
      );
    const withTable = efi.filter((cell) => has('table')(cell) && pair(cell, 'table') !== undefined);
    return {
      boots: cells.length,
      withoutLeaves: tally(cells, lacks('leaves'), (cell) => !foundXen(cell)),
      withLeaves: tally(cells, has('leaves'), foundXen),
      tableChanges: tally(
        withTable,
        () => true,
        (cell) => {
          const other = pair(cell, 'table').result;
          return cell.result.type !== other.type || cell.result.guest_type !== other.guest_type;
        },
      ),
      pvhByFlags: tally(
        efi,
        has('leaves'),
        (cell) => (cell.result.guest_type === 'PVH') === (has('no-VGA')(cell) && has('no-RTC')(cell)),
      ),
      byPvhDoor: tally(
        cells,
        (cell) => cell.name.startsWith('door pvh') && has('leaves')(cell),
        ({ result }) => result.guest_type === 'PVH',
      ),
    };
  },
  text({ boots, withoutLeaves, withLeaves, tableChanges, pvhByFlags, byPvhDoor }) {
    const all = ({ of, so }) => of > 0 && of === so;
    return {
      picture: bars({
        title: 'Boots in which each signal decided',
        groups: [
          {
            bars: [
              {
                label: 'no leaves: no Xen found',
                value: withoutLeaves.so,
                said: `${withoutLeaves.so} of ${withoutLeaves.of}`,
              },
              { label: 'leaves: Xen found', value: withLeaves.so, said: `${withLeaves.so} of ${withLeaves.of}` },
              {
                label: 'configuration table',
                value: tableChanges.so,
                said: `${tableChanges.so} of ${tableChanges.of} pairs`,
              },
              {
                label: 'FADT flags (kind of guest)',
                value: pvhByFlags.so,
                said: `${pvhByFlags.so} of ${pvhByFlags.of}`,
              },
            ],
          },
        ],
      }),
      figure: `CPUID decides in ${withoutLeaves.so + withLeaves.so} of ${boots} boots, the configuration table in ${tableChanges.so} of ${tableChanges.of} pairs`,
      body: [
        `${boots} boots with each signal given or withheld on its own; the matrix is in [xen-detection.md](xen-detection.md). ` +
          when(
            all(withoutLeaves) && all(withLeaves),
            `Linux finds Xen when it sees the CPUID leaves (${withLeaves.so} of ${withLeaves.of}) and never without (${withoutLeaves.so} of ${withoutLeaves.of}), whatever the door.`,
          ),
        '',
        when(
          tableChanges.so === 0 && all(pvhByFlags),
          `What the door adds is the kind of guest. Through EFI Linux takes itself for PVH if, and only if, two flags of the FADT say so (${pvhByFlags.so} of ${pvhByFlags.of}); a Xen configuration table changes nothing, because no Linux reads one (${tableChanges.of} pairs of boots).`,
        ),
        '',
        'Whether a kernel can be entered at all is in the image for both doors: a PE header with the EFI subsystem, or the ELF note PHYS32_ENTRY behind the unpacked payload. `efikit inspect` names both.',
      ],
      forEfi: [
        'No new mechanism is needed to find a hypervisor: the leaves serve both doors, and EFI has two more places for a statement of Xen (a configuration table, a protocol on the image handle) that cost the firmware next to nothing.',
      ],
      forPvh: [
        when(
          all(byPvhDoor),
          `The entry itself is a statement: through PVH the kind of guest is right in ${byPvhDoor.so} of ${byPvhDoor.of} boots, with any FADT. Through EFI it is inferred from flags that say something else.`,
        ),
      ],
    };
  },
};
