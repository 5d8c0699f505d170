import { table } from '../../markdown.mjs';
import { doorOf, ofKernels } from '../runs.mjs';
import { count, kibibytes, when } from '../sentences.mjs';
import { bars } from '../picture.mjs';

const doors = ['efi', 'pvh', 'proposal'];

async function figuresOf(runs, kernel) {
  const comparison = await runs.plain(kernel);
  return {
    kernel,
    joined: comparison.joined.cost.doors,
    doors: Object.fromEntries(doors.map((door) => [door, doorOf(comparison, door).probes.cost])),
  };
}

const of = (one, door) => one.joined.find((column) => column.door === door);
const orDash = (value, text = count) => (value === null || value === undefined ? '-' : text(value));

export const code = {
  name: 'code',
  title: 'It would be quite some code',
  by: 'Juergen Gross, 11 April 2016',
  claim: 'The Xen hypervisor should be as small as possible. Adding an EFI emulator will be adding quite some code.',
  figures: (runs) => ofKernels((kernel) => figuresOf(runs, kernel)),
  text(figures) {
    const [first] = figures;
    const every = (test) => figures.every(test);
    const services = Object.fromEntries(
      (first.doors.efi.code.services ?? []).map(({ name, lines, behind }) => [name, { lines, behind }]),
    );
    return {
      picture: bars({
        title: 'Lines of efikit that serve each door',
        groups: [
          {
            bars: doors.map((door) => ({
              label: door,
              value: of(first, door).lines ?? 0,
              said: orDash(of(first, door).lines),
            })),
          },
        ],
      }),
      figure: `${orDash(of(first, 'efi').lines)} lines for EFI, ${orDash(of(first, 'proposal').lines)} for the proposal, ${orDash(of(first, 'pvh').lines)} for PVH`,
      body: [
        'Lines are those of efikit without blank lines and comments, counted from the tree: a firmware in TypeScript over guest RAM, not Xen in C, so that the ratio says more than the number. "Held" is guest RAM that is not the guest\'s.',
        ...figures.flatMap((one) => [
          '',
          table(
            [one.kernel, ...doors],
            [
              ['lines that serve the door', ...doors.map((door) => orDash(of(one, door).lines))],
              ['bytes of tables at the entry', ...doors.map((door) => orDash(of(one, door).tableBytes))],
              ['held at the entry', ...doors.map((door) => orDash(of(one, door).heldAtEntry, kibibytes))],
              ['held afterwards', ...doors.map((door) => orDash(of(one, door).heldAfter, kibibytes))],
              ['code of the guest for this door alone, bytes', ...doors.map((door) => orDash(of(one, door).stubBytes))],
            ],
          ),
        ]),
        '',
        table(
          ['service', 'lines of its own', 'with what it reaches'],
          Object.entries(services).map(([name, { lines, behind }]) => [`\`${name}\``, orDash(lines), orDash(behind)]),
        ),
      ],
      forEfi: [
        when(
          every((one) => of(one, 'proposal').lines < of(one, 'efi').lines),
          `The proposal's own subset is smaller than what today's stubs want: ${orDash(of(first, 'proposal').lines)} lines against ${orDash(of(first, 'efi').lines)}.`,
        ),
        when(
          every((one) => of(one, 'efi').heldAfter < of(one, 'efi').heldAtEntry),
          `Most of what the firmware holds it gives back: ${kibibytes(of(first, 'efi').heldAtEntry)} at the entry, ${kibibytes(of(first, 'efi').heldAfter)} behind ExitBootServices.`,
        ),
      ],
      forPvh: [
        when(
          every((one) => of(one, 'pvh').lines < of(one, 'proposal').lines),
          `Gross was right: what serves the PVH door is ${orDash(of(first, 'pvh').lines)} lines, what EFI takes is ${(of(first, 'efi').lines / of(first, 'pvh').lines).toFixed(1)} times as much, and even the proposal takes ${(of(first, 'proposal').lines / of(first, 'pvh').lines).toFixed(1)} times as much.`,
        ),
      ],
      open: ['Lines in Xen: nobody wrote them.'],
    };
  },
};
