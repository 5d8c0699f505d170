import { table } from '../../markdown.mjs';
import { count, when } from '../sentences.mjs';
import { bars } from '../picture.mjs';

const rows = [
  ['structures', 'structures given'],
  ['structuresRead', 'of these read'],
  ['fieldsRead', 'fields read'],
  ['bytes', 'bytes given'],
  ['bytesRead', 'of these read'],
];

const totals = ({ instructions, totals: of, services }) => ({
  instructions,
  totals: of,
  services: Object.keys(services),
});

export const configurationTable = {
  name: 'configuration-table',
  title: 'Custom semantics fit in an EFI configuration table',
  by: 'Matt Fleming, in the wiki',
  claim:
    'Xen can use a custom Xen table with whatever format we wish; using this mechanism would avoid adding arbitrary custom early boot paths to Linux.',
  async figures(runs) {
    const { twoDoors, toldDifferently, proposalLinuxBytes, linux, kernel } = await runs.row('xen-table');
    const picked = (all) => Object.fromEntries(Object.entries(all).map(([name, run]) => [name, totals(run)]));
    return { twoDoors: picked(twoDoors), toldDifferently, proposalLinuxBytes, kernel, linux: picked(linux) };
  },
  text({ twoDoors, toldDifferently, proposalLinuxBytes, kernel, linux }) {
    const columns = Object.entries(twoDoors);
    const same = toldDifferently.every((list) => list.length === 0);
    const ours = linux['Xen table (proposal-linux)'];
    return {
      picture: bars({
        title: 'The same start of day, by the Xen table and by hvm_start_info',
        groups: ['fieldsRead', 'bytesRead', 'bytes'].map((key) => ({
          label: rows.find(([name]) => name === key)[1],
          bars: columns.map(([name, run]) => ({ label: name, value: run.totals[key], said: count(run.totals[key]) })),
        })),
      }),
      figure: `${twoDoors['Xen table'].totals.fieldsRead} fields by the table, ${twoDoors.PVH.totals.fieldsRead} by hvm_start_info, for the same facts`,
      body: [
        'One small guest of ours (examples/two-doors) takes its whole start of day, that is command line, modules, memory and ACPI, from the Xen configuration table in one run and from hvm_start_info in the other:',
        '',
        table(
          ['', ...columns.map(([name]) => name)],
          [
            ['instructions', ...columns.map(([, run]) => count(run.instructions))],
            ...rows.map(([key, title]) => [title, ...columns.map(([, run]) => count(run.totals[key]))]),
            [
              'services called',
              ...columns.map(([, run]) => run.services.map((name) => `\`${name}\``).join(', ') || '-'),
            ],
          ],
        ),
        '',
        `The same for a real kernel: examples/proposal-linux (${count(proposalLinuxBytes)} bytes) starts ${kernel} from the table with ${count(ours.totals.fieldsRead)} fields read up to the kernel's entry.`,
      ],
      forEfi: [
        when(
          same,
          'Fleming was right: the table carries all of it. What the guest is told is the same through both doors, to the last field.',
        ),
      ],
      forPvh: [
        when(
          twoDoors.PVH.totals.bytes < twoDoors['Xen table'].totals.bytes,
          `The table does not come alone: System Table, service tables and memory map stand around it, ${count(twoDoors['Xen table'].totals.bytes)} bytes against ${count(twoDoors.PVH.totals.bytes)}.`,
        ),
        'As hvm_start_info, it is a format of Xen that Linux would have had to learn; the EFI half standardises how to find it, not what it says.',
      ],
    };
  },
};
