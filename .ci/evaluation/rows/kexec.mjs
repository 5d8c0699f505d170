// "kexec needs a boot path as well": a second kernel, entered by the first one, with what that leaves of EFI and without. Both are
// the same kernel; what the second one calls and is given is told apart.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { kernelFile } from '../../kernels.mjs';
import { root } from '../../sources.mjs';
import { busyboxInitrd, built, efikit, initrdWith, kernelImage, lastLines, run } from './machine.mjs';

const { loadProposalLinux } = await built('src/host/proposal-linux.js');

/** Between the two kernels lie the SHA-256 sums of kexec_file_load and of the purgatory, in generic code. */
const maxInstructions = 16e9;

const ways = {
  efi: { door: 'efi' },
  proposal: { door: 'proposal', profile: efikit.proposal, proposalLinux: loadProposalLinux() },
  'linux64, tables': { door: 'linux64', profile: efikit.tables },
  pvh: { door: 'pvh' },
  'pvh, Xen': { door: 'pvh', xen: {}, platform: efikit.platforms['xen-uart'] },
  'efi, Xen': { door: 'efi', xen: {}, platform: efikit.platforms['xen-uart'] },
};

const wanted = { '6.1-cloud': Object.keys(ways), '6.12-cloud': ['efi', 'pvh'] };

/** What a kernel of the two told: `row: first efi=yes`. */
function told(lines, visit) {
  const facts = {};
  for (const line of lines) {
    const match = new RegExp(`^row: ${visit} ([\\w-]+)=(.*)$`).exec(line);
    if (match === null) continue;
    const [, name, value] = match;
    if (name === 'setup_data') (facts.setupData ??= []).push(value);
    else facts[name] = value;
  }
  const kernel = lines.filter((line) => line.startsWith(`kernel: ${visit} `));
  return { ...facts, kernel: kernel.map((line) => line.slice(`kernel: ${visit} `.length)) };
}

export async function measure(say) {
  const tool = readFileSync(path.join(root, 'test/boots/linux/guest-tool'));
  const init = { name: 'init', data: readFileSync(path.join(root, '.ci/evaluation/rows/kexec.sh')) };
  const found = {};
  for (const [kernel, names] of Object.entries(wanted)) {
    const image = await kernelImage(kernel);
    const second = await initrdWith(busyboxInitrd(), [init]);
    const initrd = await initrdWith(busyboxInitrd(), [
      init,
      { name: 'guest-tool', data: tool },
      { name: 'second.kernel', data: readFileSync(kernelFile(kernel)) },
      { name: 'second.initrd', data: second },
    ]);
    found[kernel] = {};
    for (const name of names) {
      const { before, result, lines } = await run(image, {
        maxInstructions,
        ...ways[name],
        marker: '== kexec',
        options: { commandLine: 'console=ttyS0 ignore_loglevel visit=first', initrd },
      });
      const second = told(lines, 'second');
      const arrived = second.release !== undefined;
      say(`${kernel}, ${name}: ${result.outcome}, second kernel ${arrived ? 'in user space' : 'not in user space'}`);
      const { services, hypercalls, outcome, reason, instructions } = result;
      found[kernel][name] = {
        outcome,
        reason,
        instructions,
        secondInUserSpace: arrived,
        first: { ...told(lines, 'first'), ...before },
        second: {
          ...second,
          instructions: instructions - (before?.instructions ?? 0),
          services,
          ...(hypercalls && { hypercalls }),
        },
        ...(arrived ? {} : { last: lastLines(lines, 6) }),
      };
    }
  }
  return found;
}
