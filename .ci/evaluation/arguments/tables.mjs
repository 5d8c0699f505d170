import { table } from '../../markdown.mjs';
import { count, when } from '../sentences.mjs';
import { grid } from '../picture.mjs';

export const tables = {
  name: 'tables',
  title: 'ARM does it already: EFI tables without services',
  by: 'the kernelnewbies wiki, 2016',
  claim:
    "Matching Xen ARM's solution should help with expectations and setup: there Linux gets EFI tables without services.",
  figures: (runs) => runs.row('tables'),
  text({ hypervisorSide: side, runs }) {
    const kernels = Object.entries(runs);
    const all = (name, test) => kernels.every(([, variants]) => test(variants[name]));
    const up = (run) => run.userSpace;
    const variants = Object.keys(kernels[0][1]);
    return {
      picture: grid({
        title: 'EFI tables without services, one thing changed at a time',
        columns: kernels.map(([kernel]) => kernel),
        rows: variants.map((name) => ({
          label: name,
          cells: kernels.map(([, of]) => ({
            kind: !up(of[name]) ? 'bad' : of[name].trouble.length > 0 ? 'middle' : 'good',
            said: !up(of[name])
              ? of[name].reason
              : of[name].trouble.length > 0
                ? 'user space, with a warning'
                : 'user space',
          })),
        })),
      }),
      figure: `${side.systemTableBytes + side.configurationTableBytes + side.memoryMapBytes} bytes of tables and no service carry ${kernels.filter(([, of]) => up(of['as it is'])).length} of ${kernels.length} kernels to user space`,
      body: [
        `The profile \`tables\` hands a System Table without a single service to the kernel through \`efi_info\` of boot_params and the 64-bit boot protocol: System Table ${side.systemTableBytes} bytes, ${side.configurationTables} configuration tables (${side.configurationTableBytes}), a memory map of ${side.memoryMapEntries} descriptors (${side.memoryMapBytes}).`,
        '',
        table(
          ['variant', ...kernels.map(([kernel]) => kernel)],
          variants.map((name) => [
            name,
            ...kernels.map(([, of]) =>
              up(of[name]) ? `user space, ${count(of[name].instructions)} instructions` : of[name].reason,
            ),
          ]),
        ),
      ],
      forEfi: [
        when(
          all('as it is', up) && all('no ACPI table', up),
          'It works on x86 with kernels that know nothing of it: ACPI is found through the configuration table, and nothing has to be called.',
        ),
      ],
      forPvh: [
        when(
          all('as it is', ({ trouble }) => trouble.length > 0) &&
            all('efi=noruntime', ({ trouble }) => trouble.length === 0),
          'The kernels take it for a broken firmware: they report an error about run-time services and a leaked mapping unless `efi=noruntime` is given. Linux on x86 has no notion of EFI without run-time services.',
        ),
        when(
          all('a range that wants a virtual address', (run) => !up(run)),
          'A memory map with one run-time range is fatal: the kernel calls SetVirtualAddressMap through a NULL pointer.',
        ),
      ],
      open: ['Linux on ARM itself: this machine is an x86-64.'],
    };
  },
};
