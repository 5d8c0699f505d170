import { table } from '../../markdown.mjs';
import { doorOf, ofKernels } from '../runs.mjs';
import { count, when } from '../sentences.mjs';
import { bars } from '../picture.mjs';

const doors = ['efi', 'pvh', 'proposal'];
const rows = [
  ['services', 'different services called'],
  ['serviceCalls', 'calls of them'],
  ['lookups', 'protocols and GUIDs asked for'],
  ['lookupsFound', 'of these found'],
  ['configurationTablesTaken', 'configuration tables taken'],
  ['variables', 'variables asked for'],
  ['structures', 'structures that are there'],
  ['structuresRead', 'of these read'],
  ['fields', 'fields that are there'],
  ['fieldsRead', 'of these read as fields'],
  ['bytes', 'bytes that are there'],
  ['bytesRead', 'of these read'],
  ['memoryDescriptorsRead', 'EFI memory descriptors read'],
  ['hypercalls', 'different hypercalls'],
  ['hypercallCalls', 'calls of them'],
];

const totalsOf = (comparison, of) =>
  Object.fromEntries(of.map((door) => [door, doorOf(comparison, door).probes.surface.totals]));

async function figuresOf(runs, kernel) {
  return {
    kernel,
    plain: totalsOf(await runs.plain(kernel), doors),
    xen: totalsOf(await runs.underXen(kernel), ['efi', 'pvh']),
  };
}

const columns = ({ plain, xen }) => [
  ...Object.entries(plain),
  ...Object.entries(xen).map(([door, totals]) => [`${door}, Xen`, totals]),
];

export const abiSurface = {
  name: 'abi-surface',
  title: 'EFI emulation increases the hypervisor ABI',
  by: 'David Vrabel, quoted in the mail of 11 April 2016',
  claim: 'Any EFI emulation inside Xen is not suitable because of the increase in hypervisor ABI.',
  figures: (runs) => ofKernels((kernel) => figuresOf(runs, kernel)),
  text(figures) {
    const [{ plain, xen }] = figures;
    const every = (test) => figures.every(test);
    return {
      picture: bars({
        title: 'What the guest uses of what it is given, whole boots',
        scale: 'log',
        groups: [
          ['services', 'services'],
          ['fieldsRead', 'fields read'],
          ['bytesRead', 'bytes read'],
          ['hypercalls', 'hypercalls'],
        ].map(([key, label]) => ({
          label: `${label}, ${figures[0].kernel}`,
          bars: columns(figures[0]).map(([title, totals]) => ({
            label: title,
            value: totals[key],
            said: count(totals[key]),
          })),
        })),
      }),
      figure: `fields read: ${plain.efi.fieldsRead} through EFI, ${plain.pvh.fieldsRead} through PVH, ${plain.proposal.fieldsRead} through the proposal`,
      body: [
        `Every byte that firmware, loader or hypervisor lays out for the guest is watched, to the end of a boot with power-off: what is read, by which
function, how often. A field counts as read when some code reads it as a field; copies and checksums count for bytes alone.`,
        ...figures.flatMap((one) => [
          '',
          table(
            [one.kernel, ...columns(one).map(([title]) => title)],
            rows.map(([key, title]) => [title, ...columns(one).map(([, totals]) => count(totals[key]))]),
          ),
        ]),
      ],
      forEfi: [
        when(
          every(({ plain: of }) => of.proposal.services < of.efi.services / 2),
          `The proposal would have cut the services to ${plain.proposal.services} of the ${plain.efi.services} that the kernel's own stub and its run-time code call.`,
        ),
        when(
          every(({ xen: of }) => of.efi.hypercalls >= of.pvh.hypercalls - 4),
          `Under Xen the ABI is hypercalls in the first place, whatever the door: ${xen.efi.hypercalls} different ones through EFI, ${xen.pvh.hypercalls} through PVH.`,
        ),
      ],
      forPvh: [
        when(
          every(
            ({ plain: of }) => of.efi.fieldsRead > of.pvh.fieldsRead && of.efi.services > 0 && of.pvh.services === 0,
          ),
          `Vrabel was right about the direction: EFI adds ${plain.efi.services} services, ${count(plain.efi.lookups)} looked-for GUIDs and ${count(plain.efi.fieldsRead - plain.pvh.fieldsRead)} fields to what the PVH door needs, and no hypercall goes away for it.`,
        ),
      ],
      open: ['How often an ABI element changes over the years: one version of each kernel was run.'],
    };
  },
};
