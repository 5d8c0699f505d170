// Ways to tell a guest what it is, and what reads them: hardware_subarch of boot_params, a Xen protocol on the image handle, the
// Xen configuration table, dom0's flags. The detection matrix (.ci/xen-matrix) has the rest.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { kernelFile } from '../../kernels.mjs';
import { root } from '../../sources.mjs';
import { built, efikit, imageOf, kernelImage, run, said } from './machine.mjs';

const { StartInfoFlag } = await built('firmware-tables/pvh/start-info.js');

const kernels = ['6.1-cloud', '6.12-cloud'];
const initrd = efikit.defaultInitramfs();
const matrixFile = path.join(root, '.ci/xen-matrix/results.json');
const concluded = (lines) => said(lines, /^(Hypervisor detected: |Booting .*kernel on )/);

/** hardware_subarch, without Xen and with it. The FADT says that there is no VGA, and an RTC. */
async function subarch(say) {
  const found = {};
  for (const kernel of kernels) {
    const image = await kernelImage(kernel);
    found[kernel] = {};
    for (const xen of [false, true]) {
      for (const [name, hardwareSubarch] of Object.entries(efikit.HardwareSubarch)) {
        const { result, lines } = await run(image, {
          door: 'linux64',
          platform: { ...efikit.platforms[xen ? 'xen-uart' : 'uart'], noVga: true, noRtc: false },
          ...(xen && { xen: {} }),
          maxInstructions: 4e9,
          options: { commandLine: 'console=ttyS0 ignore_loglevel', initrd, linux64: { hardwareSubarch } },
        });
        const key = `${name}, ${xen ? 'Xen' : 'no Xen'}`;
        say(`subarch ${kernel}, ${key}: ${result.outcome}; ${concluded(lines).join('; ')}`);
        const { outcome, reason, instructions, userSpace } = result;
        found[kernel][key] = { outcome, reason, instructions, userSpace, concluded: concluded(lines) };
      }
    }
  }
  return found;
}

/** Look-ups of a protocol by its GUID's name in the log, and of the Xen table's. */
async function lookUps(image, setup) {
  let asked = 0;
  let all = 0;
  const { result, lines } = await run(image, {
    ...setup,
    onCall: ({ name, args }) => {
      if (!/^(HandleProtocol|OpenProtocol|LocateProtocol|LocateHandle|LocateHandleBuffer)$/.test(name)) return;
      all++;
      if (Object.values(args).some((text) => text.includes('EFIKIT_XEN_PROTOCOL'))) asked++;
    },
  });
  const { outcome, instructions, userSpace } = result;
  return { outcome, instructions, userSpace, lookUps: all, ofTheXenProtocol: asked, lines };
}

async function imageHandle(say) {
  const twoDoors = await imageOf(path.join(root, 'examples/two-doors/two-doors.efi'));
  const found = {};
  const note = (name, { lines, ...row }) => {
    found[name] = { ...row, said: said(lines, /^xen (image-handle|seen)/) };
    say(`image handle, ${name}: ${row.ofTheXenProtocol} of ${row.lookUps} look-ups`);
  };
  for (const kind of ['start-info', 'tag']) {
    const overrides = efikit.quirkOverrides([`xen-image-handle=${kind}`]);
    note(
      `two-doors, ${kind}`,
      await lookUps(twoDoors, {
        profile: efikit.proposal,
        overrides,
        options: { commandLine: 'image-handle', modules: [] },
      }),
    );
    for (const kernel of kernels) {
      const setup = { overrides, options: { commandLine: 'console=ttyS0 ignore_loglevel', initrd } };
      note(`${kernel}, ${kind}`, await lookUps(await kernelImage(kernel), setup));
    }
  }
  return found;
}

async function dom0(say) {
  if (!existsSync(kernelFile('6.1-generic')))
    return { missing: 'a kernel with CONFIG_XEN_DOM0: examples/get-kernels --generic fetches it' };
  const image = await kernelImage('6.1-generic');
  const found = { kernel: '6.1-generic' };
  for (const [name, xen, flags] of [
    ['domU', {}, 0],
    ['dom0, EFI under Xen', { initialDomain: 'efi' }, StartInfoFlag.PRIVILEGED | StartInfoFlag.INITDOMAIN],
    ['dom0, BIOS under Xen', { initialDomain: 'bios' }, StartInfoFlag.PRIVILEGED | StartInfoFlag.INITDOMAIN],
    ['the flags alone', {}, StartInfoFlag.PRIVILEGED | StartInfoFlag.INITDOMAIN],
  ]) {
    const { result, lines } = await run(image, {
      door: 'pvh',
      xen,
      platform: efikit.platforms['xen-uart'],
      options: { commandLine: 'console=ttyS0 console=hvc0 ignore_loglevel', initrd, pvh: { flags } },
    });
    const { outcome, reason, instructions, userSpace, hypercalls } = result;
    const kinds = Object.keys(hypercalls).length;
    found[name] = {
      outcome,
      reason,
      instructions,
      userSpace,
      hypercalls,
      kinds,
      concluded: concluded(lines),
      efi: said(lines, /^efi: /),
    };
    say(`dom0, ${name}: ${outcome}, ${kinds} kinds of hypercalls`);
  }
  const domU = new Set(Object.keys(found.domU.hypercalls));
  found.beyondDomU = Object.keys(found['dom0, EFI under Xen'].hypercalls).filter((name) => !domU.has(name));
  return found;
}

/** How the cells of the matrix went: which signals were there, and what the kernels concluded. */
function detection() {
  if (!existsSync(matrixFile)) return { missing: 'node .ci/xen-matrix.mjs --write' };
  const cells = JSON.parse(readFileSync(matrixFile, 'utf8'));
  return Object.fromEntries(
    Object.entries(cells).map(([kernel, found]) => [
      kernel,
      Object.entries(found).map(([cell, { outcome, detected, banner, guest_type: guestType, hypercalls }]) => ({
        cell,
        outcome,
        detected,
        banner,
        guestType: guestType ?? null,
        hypercalls,
      })),
    ]),
  );
}

export async function measure(say) {
  return {
    subarch: await subarch(say),
    imageHandle: await imageHandle(say),
    dom0: await dom0(say),
    detection: detection(),
  };
}
