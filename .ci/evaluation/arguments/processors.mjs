import { table } from '../../markdown.mjs';
import { count, when } from '../sentences.mjs';
import { bars } from '../picture.mjs';

export const processors = {
  name: 'processors',
  title: 'Secondary processors: by a PV interface or as bare metal',
  by: 'the Xen technical call, 22 July 2015',
  claim:
    'How secondary processors of the new guest type start: by hypercalls, or by INIT and start-up interrupts as on bare metal.',
  figures: (runs) => runs.row('processors'),
  text({ bareMetal, pv, notMeasured }) {
    const all = Object.entries(bareMetal).flatMap(([kernel, ways]) =>
      Object.entries(ways).map(([way, run]) => ({ kernel, way, run })),
    );
    const bare = all.filter(({ way }) => !way.includes('Xen'));
    return {
      picture: bars({
        title: 'Instructions between the first and the last interrupt command',
        groups: [
          {
            bars: bare.map(({ kernel, way, run }) => ({
              label: `${kernel}, ${way}`,
              value: run.instructionsOfSequence,
              said: count(run.instructionsOfSequence),
            })),
          },
        ],
      }),
      figure: `${bare[0].run.sequence.length} writes of the local APIC as bare metal, ${pv.perProcessor} hypercalls with ${pv.structureBytes} bytes by Xen's interface`,
      body: [
        'A MADT that lists a second processor, and what the kernel does about it:',
        '',
        table(
          ['kernel', 'door', 'interrupt commands', 'instructions between the first and the last', 'how far'],
          all.map(({ kernel, way, run }) => [
            kernel,
            way,
            run.sequence.map(({ what }) => what).join('; ') || '-',
            count(run.instructionsOfSequence ?? 0),
            run.reason === null ? run.outcome : `${run.outcome}: ${run.reason}`,
          ]),
        ),
        '',
        `Xen's own interface is ${pv.hypercalls.map((name) => `\`${name}\``).join(' and ')} for each processor, with a structure of ${pv.structureBytes} bytes (${pv.fields32} fields in its 32-bit form, ${pv.fields64} in its 64-bit form); a processor starts in ${pv.startsIn}.`,
      ],
      forEfi: [
        when(
          bare.every(({ run }) => run.sequence.length === bare[0].run.sequence.length),
          'The door makes no difference: through EFI and through PVH the kernels write the same interrupt commands.',
        ),
      ],
      forPvh: [],
      open: [notMeasured],
    };
  },
};
