import { table } from '../../markdown.mjs';
import { when } from '../sentences.mjs';
import { grid } from '../picture.mjs';

export const subarch = {
  name: 'subarch',
  title: 'hardware_subarch instead of a new entry',
  by: 'Luis Rodriguez, 26 January 2016',
  claim:
    'We should consider relying on hardware_subarch and hardware_subarch_data to fetch the start info by taking advantage of the x86 boot protocol. "I only see gains by using the Xen subarch."',
  figures: async (runs) => (await runs.row('signals')).subarch,
  text(figures) {
    const all = Object.entries(figures).flatMap(([kernel, ways]) =>
      Object.entries(ways).map(([way, run]) => ({ kernel, way, run })),
    );
    const concluded = (test) => all.filter(({ way }) => test(way)).map(({ run }) => run.concluded.join());
    const withoutXen = concluded((way) => way.endsWith('no Xen'));
    const one = (texts) => new Set(texts).size === 1;
    return {
      picture: grid({
        title: 'What the kernel concludes, by hardware_subarch',
        columns: Object.keys(figures),
        rows: [...new Set(all.map(({ way }) => way))].map((way) => ({
          label: way,
          cells: Object.values(figures).map((ways) => ({
            kind: ways[way].concluded.join().includes('Xen') ? 'good' : 'none',
            said: (ways[way].concluded.at(-1) ?? '-').replace(/^Booting (paravirtualized )?kernel on /, ''),
          })),
        })),
      }),
      figure: `${all.filter(({ run }) => run.userSpace).length} of ${all.length} boots reach user space; no value makes a kernel find Xen`,
      body: [
        'Through the 64-bit boot protocol, on a machine whose FADT says that there is no VGA and does not say that there is no RTC:',
        '',
        table(
          ['kernel', 'hardware_subarch', 'ends', 'what the kernel concludes'],
          all.map(({ kernel, way, run }) => [
            kernel,
            way,
            run.userSpace ? 'user space' : run.reason,
            run.concluded.join('; '),
          ]),
        ),
      ],
      forEfi: [],
      forPvh: [
        when(
          one(withoutXen),
          'The field does not tell a kernel that there is a hypervisor: without the CPUID leaves all values lead to the same conclusion.',
        ),
        'Ostrovsky was right that the value comes too late for an entry: boot_params are used before it is looked at. What it changes is a default of `x86_early_init_platform_quirks`, whether there is an RTC; under Xen that tips the kind of guest, as a flag of the FADT does.',
      ],
      open: ['`hardware_subarch_data`: nothing in these kernels reads it for Xen, so that it carries nothing.'],
    };
  },
};
