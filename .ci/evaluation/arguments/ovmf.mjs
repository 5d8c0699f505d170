import { table } from '../../markdown.mjs';
import { when } from '../sentences.mjs';
import { grid } from '../picture.mjs';

export const ovmf = {
  name: 'ovmf',
  title: 'OVMF can be entered by PVH; where does the blob load?',
  by: 'Anthony Perard, 2 August 2018',
  claim:
    'With an ELF header libxl loads OVMF without being modified; just below 4 GiB it cannot, because there is no RAM. The VarStore is a placeholder.',
  async figures(runs) {
    const addresses = await runs.row('load-addresses');
    const { images } = await runs.row('images');
    const firmware = Object.entries(images)
      .filter(([, { kind }]) => kind === 'firmware')
      .map(([image, { what, refused, doors }]) => ({ image, what, why: refused ?? doors?.pvh ?? '-' }));
    return { ...addresses, firmware };
  },
  text({ linked, moved, firmware, memoryBytes }) {
    const accepted = linked.filter((one) => one.accepted);
    const below4g = linked.find(({ address }) => address === '0xffe00000');
    const row = ({ address, loadAt, what = 'moved by the loader', accepted: taken, why }) => [
      address ?? loadAt,
      what,
      taken ? 'accepted, runs' : 'refused',
      why ?? '-',
    ];
    return {
      picture: grid({
        title: 'Load addresses through the PVH door',
        columns: ['accepted?'],
        rows: linked.map(({ address, what, accepted: taken }) => ({
          label: address,
          cells: [{ kind: taken ? 'good' : 'bad', said: `${taken ? 'accepted' : 'refused'}: ${what}` }],
        })),
      }),
      figure: `${accepted.length} of ${linked.length} load addresses are accepted; below 4 GiB: ${below4g.accepted ? 'accepted' : 'refused'}`,
      body: [
        `ELF images of 2 MiB made for the purpose, linked at several guest-physical addresses, through the PVH door of a machine with ${memoryBytes / 2 ** 20} MiB:`,
        '',
        table(['address', 'what is there', '', 'why'], [...linked, ...moved].map(row)),
        '',
        "Debian's firmware images by the same door:",
        '',
        table(
          ['image', 'what it is', 'the PVH door'],
          firmware.map(({ image, what, why }) => [image, what, why]),
        ),
      ],
      forEfi: [],
      forPvh: [
        when(
          !below4g.accepted && accepted.some(({ address }) => address === '0x100000'),
          'Perard was right on both counts: the address of a flash chip is refused because no RAM is there, and 1 MiB, where he put it, works.',
        ),
      ],
      open: [
        "OvmfXen itself: no Debian package has it as an ELF. The VarStore beside it was not measured for that reason; variables that last are kept by efikit's own firmware (`--vars`).",
      ],
    };
  },
};
