import { statSync } from 'node:fs';
import path from 'node:path';
import { table } from '../../markdown.mjs';
import { root } from '../../sources.mjs';
import { doorOf, ofKernels } from '../runs.mjs';
import { count, when } from '../sentences.mjs';
import { bars } from '../picture.mjs';

const doors = ['efi', 'pvh', 'proposal'];

async function figuresOf(runs, kernel) {
  const comparison = await runs.plain(kernel);
  const columns = doors.map((door) => {
    const { instructions, surface, cost } = doorOf(comparison, door).probes;
    const before = instructions.stretches.slice(
      0,
      instructions.stretches.findIndex(({ from }) => from === 'start_kernel'),
    );
    const sum = (key) => before.reduce((total, stretch) => total + stretch[key], 0);
    return [
      door,
      {
        instructions: sum('instructions'),
        unpacking: sum('unpacking'),
        services: surface.totals.services,
        fieldsRead: surface.totals.fieldsRead,
        stub: cost.stub,
      },
    ];
  });
  return { kernel, doors: Object.fromEntries(columns) };
}

/** The code that is entered; what else serves the door is listed behind it. */
const stubBytes = ({ stub: [entered] }) => entered?.bytes ?? 0;

const besides = ({ stub: [, ...others] }) =>
  others.map(({ what, bytes }) => `${what}: ${count(bytes)}`).join('; ') || '-';

export const patch = {
  name: 'patch',
  title: 'The patch nobody wrote',
  by: 'this project',
  claim:
    'No unmodified Linux starts through the proposal alone: its stub wants more. So the Linux half of the proposal is a program of ours, which does what such a stub would have done.',
  async figures(runs) {
    return {
      kernels: await ofKernels((kernel) => figuresOf(runs, kernel)),
      imageBytes: statSync(path.join(root, 'examples/proposal-linux/proposal-linux.efi')).size,
    };
  },
  text({ kernels: found, imageBytes }) {
    const [{ doors: first }] = found;
    const own = ({ instructions, unpacking }) => instructions - unpacking;
    return {
      picture: bars({
        title: 'Bytes of guest code that serve one door alone',
        scale: 'log',
        groups: found.map((one) => ({
          label: one.kernel,
          bars: doors.map((door) => ({
            label: door,
            value: stubBytes(one.doors[door]),
            said: count(stubBytes(one.doors[door])),
          })),
        })),
      }),
      figure: `${count(stubBytes(first.proposal))} bytes of code, ${first.proposal.services} services, ${first.proposal.fieldsRead} fields`,
      body: [
        `examples/proposal-linux (a PE image of ${count(imageBytes)} bytes) calls GetMemoryMap and ExitBootServices, takes kernel, initrd and command line from the Xen configuration table, builds boot_params and enters \`startup_64\`. Beside it the stubs that were merged:`,
        ...found.flatMap((one) => [
          '',
          table(
            [one.kernel, ...doors],
            [
              ['bytes of code for the door alone', ...doors.map((door) => count(stubBytes(one.doors[door])))],
              ['what that is', ...doors.map((door) => one.doors[door].stub[0]?.what ?? '-')],
              ['besides', ...doors.map((door) => besides(one.doors[door]))],
              ['instructions before start_kernel', ...doors.map((door) => count(one.doors[door].instructions))],
              ['of these, unpacking', ...doors.map((door) => count(one.doors[door].unpacking))],
              ['without unpacking', ...doors.map((door) => count(own(one.doors[door])))],
              ['services called in the whole boot', ...doors.map((door) => one.doors[door].services)],
              ['fields read in the whole boot', ...doors.map((door) => one.doors[door].fieldsRead)],
            ],
          ),
        ]),
      ],
      forEfi: [
        when(
          found.every((one) => stubBytes(one.doors.proposal) < stubBytes(one.doors.efi)),
          `It would have been a small patch: ${count(stubBytes(first.proposal))} bytes of code, against the ${count(stubBytes(first.efi))} of the EFI stub that is there (with its decompressor, from which no symbol tells it apart).`,
        ),
      ],
      forPvh: [
        when(
          found.every((one) => stubBytes(one.doors.pvh) < stubBytes(one.doors.proposal)),
          `The entry that was merged is smaller still: ${count(stubBytes(first.pvh))} bytes.`,
        ),
      ],
    };
  },
};
