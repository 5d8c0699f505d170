import { table } from '../../markdown.mjs';
import { count, listed, when } from '../sentences.mjs';
import { grid } from '../picture.mjs';

const callsOf = (services) =>
  Object.entries(services).map(([name, statuses]) => {
    const calls = Object.values(statuses).reduce((sum, times) => sum + times, 0);
    return calls === 1 ? `\`${name}\`` : `\`${name}\` (${calls})`;
  });

export const kexec = {
  name: 'kexec',
  title: 'kexec needs a boot path as well',
  by: 'the kernelnewbies wiki, 2016',
  claim:
    'Ironing out an EFI boot path also helps kexec, which cannot call SetVirtualAddressMap because the first kernel already invoked it.',
  figures: (runs) => runs.row('kexec'),
  text(figures) {
    const all = Object.entries(figures).flatMap(([kernel, ways]) =>
      Object.entries(ways).map(([way, run]) => ({ kernel, way, run })),
    );
    const named = (test) => all.filter(({ way }) => test(way));
    const plain = named((way) => !way.includes('Xen'));
    const efi = named((way) => way === 'efi');
    const pvh = named((way) => way === 'pvh');
    const xen = named((way) => way.includes('Xen'));
    return {
      picture: grid({
        title: 'The second kernel, by how the first one was entered',
        columns: ['second kernel', 'services that it calls'],
        rows: all.map(({ kernel, way, run }) => ({
          label: `${kernel}, ${way}`,
          cells: [
            { kind: run.secondInUserSpace ? 'good' : 'bad', said: run.secondInUserSpace ? 'user space' : run.reason },
            { kind: 'none', said: String(Object.keys(run.second?.services ?? {}).length) },
          ],
        })),
      }),
      figure: `${plain.filter(({ run }) => run.secondInUserSpace).length} of ${plain.length} second kernels reach user space, with EFI state and without`,
      body: [
        'Each kernel loads itself with kexec_file_load and starts again. What the second one has of EFI comes from the first: `efi_info`, the run-time map and setup_data of type SETUP_EFI.',
        '',
        table(
          [
            'kernel',
            'first one entered by',
            'second one',
            'run-time ranges handed on',
            'services that the second one calls',
          ],
          all.map(({ kernel, way, run }) => [
            kernel,
            way,
            run.secondInUserSpace ? 'user space' : run.reason,
            run.first['runtime-map'] ?? '-',
            callsOf(run.second?.services ?? {}).join(', ') || 'none',
          ]),
        ),
      ],
      forEfi: [
        when(
          efi.every(({ run }) => run.secondInUserSpace && !('SetVirtualAddressMap' in run.second.services)),
          `The path is there already: the second kernel of an EFI boot uses ${listed(callsOf(efi[0].run.second.services))} and calls SetVirtualAddressMap no more.`,
        ),
      ],
      forPvh: [
        when(
          pvh.every(({ run }) => run.secondInUserSpace && Object.keys(run.second.services).length === 0),
          `kexec does not need EFI: from a kernel that came through PVH the second one starts by the 64-bit boot protocol with nothing of EFI in boot_params, and reaches user space as well (${listed(pvh.map(({ kernel }) => kernel))}).`,
        ),
      ],
      open: [
        ...(xen.length === 0
          ? []
          : [
              when(
                xen.every(({ run }) => run.outcome === 'reset'),
                `Under Xen kexec begins with SCHEDOP_shutdown(soft reset), by either door: a toolstack has to rebuild the domain's pages then, and this machine ends there, after ${count(xen[0].run.instructions)} instructions (${xen[0].kernel}, ${xen[0].way}).`,
              ),
            ]),
      ],
    };
  },
};
