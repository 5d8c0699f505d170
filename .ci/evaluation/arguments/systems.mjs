import { table } from '../../markdown.mjs';
import { grid } from '../picture.mjs';

const short = (text) => (text === 'opens' ? 'opens' : 'no');
const doors = ['efi', 'pvh', 'linux64', 'proposal'];

export const systems = {
  name: 'systems',
  title: 'Boot loaders, several operating systems, microkernels, PE binaries',
  by: 'the kernelnewbies wiki, 2016; the Xen technical call, 2015',
  claim:
    'Remaining questions: support for boot loaders, for multiple operating systems, for PE binaries (e.g. EFI shell).',
  async figures(runs) {
    const { images } = await runs.row('images');
    return Object.entries(images).map(([image, { kind, what, doors: opens, refused, missing, runs: made = {} }]) => ({
      image,
      kind,
      what,
      ...(opens && { doors: Object.fromEntries(doors.map((door) => [door, short(opens[door] ?? '')])) }),
      ...(refused && { refused }),
      ...(missing && { missing }),
      ends: Object.entries(made).map(([way, { outcome, reason, userSpace }]) => ({ way, outcome, reason, userSpace })),
    }));
  },
  text(figures) {
    const there = figures.filter(({ missing }) => missing === undefined);
    const opens = (door) => there.filter(({ doors: of }) => of?.[door] === 'opens').length;
    return {
      picture: grid({
        title: 'Which doors each image has',
        columns: doors,
        rows: there.map(({ image, doors: of }) => ({
          label: image,
          cells: doors.map((door) => ({ kind: of?.[door] === 'opens' ? 'good' : 'none', said: of?.[door] ?? 'no' })),
        })),
      }),
      figure: `of ${there.length} images ${opens('efi')} have an EFI entry, ${opens('pvh')} a PVH entry`,
      body: [
        'Which doors each image has, and how its runs ended; the reasons for a closed door are what `efikit inspect` says.',
        '',
        table(
          ['image', 'kind', ...doors, 'how far'],
          there.map(({ image, kind, doors: of, refused, ends }) => [
            image,
            kind,
            ...doors.map((door) => of?.[door] ?? 'no'),
            refused ??
              (ends
                .map(
                  ({ way, outcome, reason, userSpace }) =>
                    `${way}: ${userSpace ? 'user space' : `${outcome}, ${reason}`}`,
                )
                .join('; ') ||
                '-'),
          ]),
        ),
      ],
      forEfi: [
        `The entry is everywhere: ${opens('efi')} of ${there.length} images can be entered as EFI applications, and boot loaders exist for it. A small firmware opens the door to them; how far they come then is the chapter before.`,
      ],
      forPvh: [
        `${opens('pvh')} images have the entry of their own. Those that have it (Linux, Xen's shim, GRUB as a PVH guest) need no service afterwards.`,
      ],
      open:
        there.length < figures.length
          ? [
              `Not fetched here: ${figures
                .filter(({ missing }) => missing)
                .map(({ image }) => image)
                .join(', ')}.`,
            ]
          : [],
    };
  },
};
