import { code, table } from '../../markdown.mjs';
import { doorOf, imageOf, initrd, ofKernels } from '../runs.mjs';
import { listed, when } from '../sentences.mjs';
import { grid } from '../picture.mjs';

/** What the wiki calls required, perhaps needed and not needed. */
const proposed = {
  required: ['GetMemoryMap', 'ExitBootServices'],
  perhaps: ['Exit', 'GetVariable', 'GetNextVariableName', 'SetVariable', 'QueryVariableInfo'],
  notNeeded: ['GetTime', 'SetTime', 'SetVirtualAddressMap', 'ResetSystem'],
};
const goals = { 'user-space': 'the first user instruction', end: "the guest's own end" };

async function figuresOf(runs, kernel) {
  const { parts, minimal, tolerated, cost } = await runs.ablation(kernel);
  const bare = await runs.boot(imageOf(kernel), ['--initrd', initrd, '--profile', 'proposal', '--door', 'efi']);
  const through = doorOf(await runs.plain(kernel), 'proposal');
  return {
    kernel,
    minimal: minimal.map(({ goal, parts: needed, verified }) => ({ goal, needed, reached: verified.reached })),
    needs: Object.fromEntries(parts.map(({ id, need, calls }) => [id, { need, calls }])),
    trials: parts.reduce((sum, part) => sum + part.trials.length, 0),
    tolerated: tolerated.length,
    boots: cost.runs,
    unaided: { outcome: bare.outcome, reason: bare.reason, calls: bare.services.map(({ name }) => name) },
    proposalLinux: { outcome: through.outcome, services: through.services.map(({ name, calls }) => ({ name, calls })) },
  };
}

const isService = (id) => !id.includes(':');
const setOf = (one, goal) => one.minimal.find((set) => set.goal === goal)?.needed ?? [];

const kinds = { acts: 'bad', callable: 'middle', 'any-other-status': 'middle', no: 'good', unused: 'none' };
const words = {
  acts: 'needed',
  callable: 'may fail, not be NULL',
  'any-other-status': 'not with every status',
  no: 'not needed',
  unused: 'not used',
};

function cellOf(one, id) {
  const need = one.needs[id]?.need ?? 'unused';
  return { kind: kinds[need], said: words[need] };
}

export const minimalEnvironment = {
  name: 'minimal-environment',
  title: 'A minimal EFI environment is enough',
  by: 'the kernelnewbies wiki, 2016',
  claim:
    'You do not need full EFI emulation: GetMemoryMap and ExitBootServices are required, Exit and the variable services perhaps; GetTime, SetVirtualAddressMap and ResetSystem are not.',
  figures: (runs) => ofKernels((kernel) => figuresOf(runs, kernel)),
  text(figures) {
    const [first] = figures;
    const sizes = figures.map((one) => setOf(one, 'user-space').filter(isService).length);
    const unwanted = [...proposed.perhaps, ...proposed.notNeeded];
    const wrongly = unwanted.filter((name) => figures.some((one) => setOf(one, 'user-space').includes(name)));
    const same = new Set(figures.map((one) => setOf(one, 'user-space').join())).size === 1;
    const missing = setOf(first, 'user-space').filter((id) => !proposed.required.includes(id));
    const calledByProposal = first.proposalLinux.services.map(({ name }) => name);
    return {
      picture: grid({
        title: 'What each kernel needs of EFI to reach user space',
        columns: figures.map(({ kernel }) => kernel),
        rows: [...new Set(figures.flatMap((one) => Object.keys(one.needs)))]
          .filter((id) => figures.some((one) => (one.needs[id]?.need ?? 'unused') !== 'unused'))
          .map((id) => ({ label: id, cells: figures.map((one) => cellOf(one, id)) })),
      }),
      figure: `${listed([...new Set(sizes)].map(String))} services reach user space, not 2`,
      body: [
        `Each service, protocol and configuration table was taken away from the kernels' own EFI stub in every plausible way (${figures.map(({ kernel, trials }) => `${kernel}: ${trials} trials`).join(', ')}), and then
everything that is not needed together. These sets are the smallest that were found, each verified by a boot that had nothing else:`,
        '',
        table(
          ['needed to reach', ...figures.map(({ kernel }) => kernel)],
          Object.entries(goals).map(([goal, title]) => [
            title,
            ...figures.map((one) => setOf(one, goal).map(code).join(', ') || '-'),
          ]),
        ),
        '',
        when(
          figures.every(({ unaided }) => unaided.outcome === 'exited'),
          `With the services of the proposal alone an unmodified stub gives up: ${figures.map(({ kernel, unaided }) => `${kernel} ${unaided.reason}, after ${listed(unaided.calls.map(code))}`).join('; ')}.`,
        ) +
          ' ' +
          when(
            figures.every(({ proposalLinux }) => proposalLinux.outcome === 'powered-off') &&
              proposed.required.every((name) => calledByProposal.includes(name)),
            `The same kernels, unmodified, reach user space under the proposal when a stub of another kind starts them: examples/proposal-linux calls ${listed(first.proposalLinux.services.map(({ name, calls }) => `${code(name)} (${calls})`))} and finds the rest in the Xen configuration table.`,
          ),
      ],
      forEfi: [
        when(
          wrongly.length === 0,
          'The wiki was right about what is not needed: none of Exit, the variable services, GetTime, SetVirtualAddressMap and ResetSystem is in the set for user space.',
        ),
        'Two services are enough for a kernel to start through EFI, if the kernel has a stub that is content with them. Nobody wrote it for Linux; as a program in front of it, it is small.',
      ],
      forPvh: [
        when(
          missing.length > 0,
          `What a stub needs was underestimated: ${listed(missing.map(code))} are in the set besides. A hypervisor that wants to start today's kernels has to offer them.`,
        ),
        ...(same ? [] : ['The sets of the kernels differ: the requirement moves with the kernel.']),
      ],
      open: ['Kernels other than Linux: none with an EFI stub was at hand.'],
    };
  },
};
