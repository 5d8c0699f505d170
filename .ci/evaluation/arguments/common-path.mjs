import { table } from '../../markdown.mjs';
import { doorOf, kernels } from '../runs.mjs';
import { count, percent, when } from '../sentences.mjs';
import { bars } from '../picture.mjs';

const scopes = ['up to start_kernel', 'start_kernel to user space', 'in all'];

async function figuresOf(runs, kernel, append) {
  const comparison = await runs.comparison(kernel, { doors: ['efi', 'pvh'], append });
  const { scopes: found, joins } = comparison.joined.coverage;
  const unpacking = doorOf(comparison, 'efi').probes.instructions.unpacking?.instructions ?? 0;
  return {
    kernel,
    append,
    unpacking,
    joins,
    scopes: scopes.map((wanted) => {
      const { scope, all, common, only } = found.find(({ scope: name }) => name === wanted);
      return { scope, all, common, only };
    }),
  };
}

const scopeOf = ({ scopes: all }, name) => all.find(({ scope }) => scope === name);

/** Instructions that a door executes alone up to start_kernel, without unpacking the kernel. */
const alone = (one, door) =>
  scopeOf(one, 'up to start_kernel').only[door].executions[door] - (door === 0 ? one.unpacking : 0);

export const commonPath = {
  name: 'common-path',
  title: 'How much of the early boot path is common?',
  by: 'Juergen Gross, 11 April 2016',
  claim:
    'It should be evaluated how much of the early EFI boot path would be common to the HVMlite one. What would be gained by using the same entry but having two different boot paths after it?',
  async figures(runs) {
    const found = [];
    for (const kernel of kernels) {
      found.push(await figuresOf(runs, kernel, 'console=ttyS0'));
      found.push(await figuresOf(runs, kernel, 'console=ttyS0 nokaslr'));
    }
    return found;
  },
  text(figures) {
    const first = figures.find(({ append }) => append.endsWith('nokaslr'));
    const early = scopeOf(first, 'up to start_kernel');
    const late = scopeOf(first, 'start_kernel to user space');
    const every = (test) => figures.every(test);
    return {
      picture: bars({
        title: `Different instructions executed, ${first.kernel}, nokaslr`,
        scale: 'log',
        groups: first.scopes.map(({ scope, common, only }) => ({
          label: scope,
          bars: [
            { label: 'both doors', value: common.addresses, said: count(common.addresses) },
            { label: 'EFI alone', value: only[0].addresses, said: count(only[0].addresses) },
            { label: 'PVH alone', value: only[1].addresses, said: count(only[1].addresses) },
          ],
        })),
      }),
      figure: `${percent(late.common.addresses, late.all.addresses)} of the instructions between start_kernel and user space; ${early.common.addresses} of ${early.all.addresses} before`,
      body: [
        'Different instructions of kernel, stub and firmware gates that were executed (not how often), by both doors and by one alone; the last columns are executions.',
        '',
        table(
          [
            'kernel, command line',
            'stretch',
            'all',
            'both doors',
            'EFI alone',
            'PVH alone',
            'executed by EFI alone',
            'by PVH alone',
          ],
          figures.flatMap((one) =>
            one.scopes.map(({ scope, all, common, only }) => [
              `${one.kernel}, \`${one.append}\``,
              scope,
              count(all.addresses),
              `${count(common.addresses)} (${percent(common.addresses, all.addresses)})`,
              count(only[0].addresses),
              count(only[1].addresses),
              count(only[0].executions[0]),
              count(only[1].executions[1]),
            ]),
          ),
        ),
        '',
        `Of what EFI executes alone before start_kernel, unpacking the kernel is ${figures.map((one) => `${percent(one.unpacking, scopeOf(one, 'up to start_kernel').only[0].executions[0])} (${one.kernel}, \`${one.append}\`)`).join(', ')}; through PVH the host unpacks it. Without that EFI alone executes ${count(alone(first, 0))} instructions there (${first.kernel}, nokaslr), PVH alone ${count(alone(first, 1))}.`,
      ],
      forEfi: [
        when(
          every((one) => {
            const { common, all } = scopeOf(one, 'start_kernel to user space');
            return common.addresses / all.addresses > 0.95;
          }),
          `There are no two boot paths behind the entry: from start_kernel on more than 95 % of the executed code is the same through both doors.`,
        ),
      ],
      forPvh: [
        when(
          every((one) => alone(one, 1) < alone(one, 0)),
          `The way to the common path is shorter: ${count(alone(first, 1))} instructions of its own against ${count(alone(first, 0))} (${first.kernel}, nokaslr, without unpacking).`,
        ),
      ],
      open: [
        'An uncompressed payload: no Debian kernel has one, and its length is compiled into the stub. Unpacking is told apart to the instruction instead.',
      ],
    };
  },
};
