import { table } from '../../markdown.mjs';
import { count, when } from '../sentences.mjs';
import { bars } from '../picture.mjs';

export const dom0 = {
  name: 'dom0',
  title: 'If it is not acceptable for dom0, there is no need to discuss domU',
  by: 'Juergen Gross, 11 April 2016',
  claim: 'The final solution must be appropriate for dom0, too. The wiki: dom0 would use hypercalls to talk to EFI.',
  figures: async (runs) => (await runs.row('signals')).dom0,
  text({ kernel, beyondDomU, ...runs }) {
    const all = Object.entries(runs);
    const efi = runs['dom0, EFI under Xen'];
    const bios = runs['dom0, BIOS under Xen'];
    const platform = efi.hypercalls.platform_op ?? 0;
    return {
      picture: bars({
        title: `Different hypercalls, ${kernel}`,
        groups: [{ bars: all.map(([name, run]) => ({ label: name, value: run.kinds, said: count(run.kinds) })) }],
      }),
      figure: `${count(platform)} calls of platform_op over a boot stand in for EFI`,
      body: [
        `Debian's ${kernel} kernel (CONFIG_XEN_DOM0) through the PVH door as the initial domain; it makes ${beyondDomU.length} hypercalls that it does not make as a domU. Details are in [xen-dom0.md](xen-dom0.md).`,
        '',
        table(
          ['as', 'ends', 'different hypercalls', 'platform_op', 'what it says of EFI'],
          all.map(([name, run]) => [
            name,
            run.userSpace ? 'user space' : run.reason,
            run.kinds,
            count(run.hypercalls.platform_op ?? 0),
            run.efi.join('; ') || '-',
          ]),
        ),
      ],
      forEfi: [
        when(
          efi.userSpace && efi.efi.length > 0,
          'A dom0 has EFI to begin with: its kernel builds a System Table for itself from what XENPF_firmware_info says, so EFI structures are what it understands.',
        ),
      ],
      forPvh: [
        when(
          efi.userSpace && bios.userSpace,
          'The PVH entry serves dom0 with and without EFI on the machine, with the same kernel; an EFI entry for dom0 would need an EFI environment on machines that have none.',
        ),
        when(
          platform > 0,
          `The EFI that dom0 sees is a set of hypercalls (${count(platform)} calls of platform_op here), so that the ABI for it exists beside the entry and not because of it.`,
        ),
      ],
      open: [
        'A dom0 that enters through the EFI stub: Xen starts dom0 by its own builder, and none of its versions has such a door.',
      ],
    };
  },
};
