import { table } from '../../markdown.mjs';
import { when } from '../sentences.mjs';
import { bars } from '../picture.mjs';

export const imageHandle = {
  name: 'image-handle',
  title: 'Tag the image handle with a Xen protocol',
  by: 'the kernelnewbies wiki, 2016',
  claim: 'We could also "tag" the Image Handle with some Xen protocol to detect Xen-ness.',
  figures: async (runs) => (await runs.row('signals')).imageHandle,
  text(figures) {
    const all = Object.entries(figures).map(([name, run]) => ({ name, run }));
    const linux = all.filter(({ name }) => !name.startsWith('two-doors'));
    const own = all.filter(({ name }) => name.startsWith('two-doors'));
    return {
      picture: bars({
        title: 'Look-ups of protocols, and of these of the Xen protocol',
        groups: all.map(({ name, run }) => ({
          label: name,
          bars: [
            { label: 'look-ups', value: run.lookUps, said: String(run.lookUps) },
            { label: 'of the Xen protocol', value: run.ofTheXenProtocol, said: String(run.ofTheXenProtocol) },
          ],
        })),
      }),
      figure: `${linux.reduce((sum, { run }) => sum + run.ofTheXenProtocol, 0)} of ${linux.reduce((sum, { run }) => sum + run.lookUps, 0)} look-ups of the Linux stubs ask for it`,
      body: [
        'The protocol is installed on the handle of the image, as a tag alone or with `hvm_start_info` as its interface (`--quirk xen-image-handle`):',
        '',
        table(
          ['image, form', 'look-ups of protocols', 'of the Xen protocol', 'what the guest says'],
          all.map(({ name, run }) => [name, run.lookUps, run.ofTheXenProtocol, run.said[0] ?? '-']),
        ),
      ],
      forEfi: [
        when(
          own.every(({ run }) => run.ofTheXenProtocol > 0 && run.said.some((line) => line.includes('EFI_SUCCESS'))),
          'It costs one HandleProtocol and carries a pointer: our own guest, which asks, has its start info by it.',
        ),
      ],
      forPvh: [
        when(
          linux.every(({ run }) => run.ofTheXenProtocol === 0),
          'No Linux asks. As with the configuration table, the kernel half was never written.',
        ),
      ],
    };
  },
};
