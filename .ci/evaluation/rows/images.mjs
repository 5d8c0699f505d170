// "dom0, boot loaders, several operating systems, microkernels, PE binaries" and "Exit and variables are needed for tools,
// installers, OVMF": images of examples/get-images. Which doors each has, and how far it comes under each profile.
import { existsSync, readFileSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { kernelFile } from '../../kernels.mjs';
import { efikit, imageOf, lastLines, run } from './machine.mjs';

const folder = process.env.EFIKIT_IMAGES ?? path.join(os.homedir(), '.cache/efikit/images');
const maxInstructions = 400e6;
/** What is typed where the profile has a keyboard: enough to leave a menu, and a command for GRUB. */
const typed = { 'grubx64.efi': 'echo hello\rhalt\r', default: '\u001b\u001b\r\r' };
const halting = 4e9; // GRUB's halt waits for ACPI before it asks the firmware

/** What each image is; `kind` groups the rows. */
const images = {
  'HashTool.efi': ['tool', 'enrols hashes of images (efitools)'],
  'HelloWorld.efi': ['tool', 'shows a box with two buttons (efitools)'],
  'KeyTool.efi': ['tool', 'edits Secure Boot keys (efitools)'],
  'LockDown.efi': ['tool', 'installs a set of keys (efitools)'],
  'ReadVars.efi': ['tool', 'prints Secure Boot variables (efitools)'],
  'UpdateVars.efi': ['tool', 'changes Secure Boot variables (efitools)'],
  'SetNull.efi': ['tool', 'a data file with a PE header: no entry of its own (efitools)'],
  'gptsync_x64.efi': ['tool', 'synchronises partition tables (rEFInd)'],
  'fwupdx64.efi': ['tool', 'applies firmware updates (fwupd)'],
  'mmx64.efi': ['tool', "shim's key manager (MokManager)"],
  'memtest86+x64.efi': ['tool', 'tests memory; a bzImage as well'],
  'memtest86+ia32.efi': ['tool', 'the same for 32 bits'],
  'shellx64.efi': ['tool', 'the EDK II shell'],
  'ext4_x64.efi': ['driver', 'a file system driver (rEFInd)'],
  'Loader.efi': ['loader', 'a loader that asks for consent (efitools)'],
  'ShimReplace.efi': ['loader', 'a loader that verifies signatures (efitools)'],
  'shimx64.efi': ['loader', 'the first stage of Secure Boot, as Debian signs it'],
  'fbx64.efi': ['loader', "shim's fallback: restores boot entries"],
  'grubx64.efi': ['loader', 'GRUB'],
  'systemd-bootx64.efi': ['loader', 'systemd-boot'],
  'linuxx64.efi.stub': ['loader', 'the stub of a unified kernel image, with no kernel in it'],
  'refind_x64.efi': ['loader', 'rEFInd'],
  'syslinux.efi': ['loader', 'SYSLINUX'],
  'ipxe.efi': ['loader', 'iPXE with drivers of its own'],
  'snponly.efi': ['loader', "iPXE over the firmware's network"],
  'ipxe.lkrn': ['loader', 'iPXE as a Linux kernel of the 32-bit boot protocol'],
  'grub-i386-xen_pvh': ['loader', 'GRUB for PVH guests'],
  'xen-4.17-amd64.efi': ['hypervisor', 'Xen as an EFI application'],
  'xen-4.17-amd64': ['hypervisor', 'Xen as a multiboot kernel'],
  'xen-shim': ['hypervisor', 'Xen as a PVH guest of Xen'],
  'gnumach-486': ['microkernel', 'GNU Mach (Hurd), Debian 12'],
  'gnumach-amd64': ['microkernel', 'GNU Mach for 64 bits'],
  'gnumach-xen-amd64': ['microkernel', 'GNU Mach as a PV guest of Xen'],
  'uboot-x86_64.elf': ['firmware', 'U-Boot for QEMU'],
  'OVMF_CODE.fd': ['firmware', 'OVMF as a flash image'],
  'OVMF32_CODE.fd': ['firmware', 'OVMF for 32 bits as a flash image'],
  'vmlinuz-6.1-cloud': ['kernel', "Linux, Debian 12's cloud kernel"],
  'vmlinuz-6.12-cloud': ['kernel', "Linux, Debian 12's newer cloud kernel"],
  'vmlinuz-latest-cloud': ['kernel', "Linux, Debian unstable's cloud kernel"],
  'vmlinuz-6.1-generic': ['kernel', "Linux, Debian 12's generic kernel"],
};

const fileOf = (name) =>
  name.startsWith('vmlinuz-') ? kernelFile(name.slice('vmlinuz-'.length)) : path.join(folder, name);

function versions() {
  const file = path.join(folder, 'versions');
  if (!existsSync(file)) return new Map();
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return new Map(lines.map((line) => line.split(' ')).map(([name, of, version]) => [name, { package: of, version }]));
}

/** Which doors open, and why others do not. */
async function inspected(file) {
  try {
    const image = await imageOf(file);
    const doors = {};
    for (const door of efikit.doorNames) doors[door] = efikit.doorRefuses(door, image) ?? 'opens';
    return { image, doors };
  } catch (error) {
    if (error.code === undefined && error.name !== 'ImageError') throw error;
    return { refused: error.message };
  }
}

const storable = (variables) =>
  variables.map(({ name, guid, attributes, data }) => ({ name, guid, attributes, bytes: data.length }));

/** One run; with variables of an earlier one when given. */
async function attempt(image, setup) {
  try {
    const { boot, result, lines } = await run(image, { maxInstructions, ...setup });
    return { own: boot, told: { ...result, last: lastLines(lines, 3).map((line) => line.slice(0, 200)) } };
  } catch (error) {
    if (error.name !== 'BootError' && error.name !== 'ImageError') throw error;
    return { told: { outcome: 'refused', reason: error.message } };
  }
}

/** The variables that the run wrote, and what the next run with them does otherwise. */
async function keptVariables(image, setup, first) {
  const all = first.own.machine.firmware.variables.all();
  const changed = Object.entries(first.told.services.SetVariable ?? {}).some(([status]) => status === 'EFI_SUCCESS');
  if (!changed) return undefined;
  const lasting = all.filter(({ attributes }) => (attributes & 1) !== 0);
  const second = await attempt(image, { ...setup, variables: lasting });
  const services = (told) => JSON.stringify(told.services);
  return {
    written: storable(lasting),
    volatile: storable(all.filter(({ attributes }) => (attributes & 1) === 0)).map(({ name }) => name),
    secondRun: {
      outcome: second.told.outcome,
      reason: second.told.reason,
      same: services(second.told) === services(first.told),
      last: second.told.last,
    },
  };
}

const isLinux = (image) => image.kind === 'bzimage' && image.setup !== undefined && image.bytes.length > 2e6;

export async function measure(say) {
  const known = versions();
  const found = {};
  for (const [name, [kind, what]] of Object.entries(images)) {
    const file = fileOf(name);
    const row = { kind, what, ...known.get(name) };
    found[name] = row;
    if (!existsSync(file)) {
      row.missing = 'not fetched: examples/get-images, examples/get-kernels --generic for the generic kernel';
      say(`${name}: not there`);
      continue;
    }
    row.bytes = statSync(file).size;
    const { image, doors, refused } = await inspected(file);
    if (refused !== undefined) {
      row.refused = refused;
      say(`${name}: ${refused}`);
      continue;
    }
    row.doors = doors;
    row.runs = {};
    const linux = isLinux(image);
    const options = {
      commandLine: linux ? 'console=ttyS0' : '',
      ...(linux ? { initrd: efikit.defaultInitramfs() } : {}),
    };
    const limits = linux ? { maxInstructions: 8e9 } : {};
    if (doors.efi === 'opens') {
      for (const profile of efikit.profiles.filter(({ handedOver }) => handedOver !== true)) {
        const input = profile.protocols.SimpleTextInput === undefined ? undefined : (typed[name] ?? typed.default);
        const patience = name in typed ? { maxInstructions: halting } : limits;
        const setup = { door: 'efi', profile, options, ...(linux ? limits : { input, ...patience }) };
        const first = await attempt(image, setup);
        const vars = first.own === undefined ? undefined : await keptVariables(image, setup, first);
        row.runs[profile.name] = { ...first.told, ...(vars && { variables: vars }) };
        say(`${name}, ${profile.name}: ${first.told.outcome}: ${first.told.reason}`);
      }
    }
    if (doors.pvh === 'opens') {
      const xen = linux ? { ...options, commandLine: 'console=hvc0' } : options;
      const { told } = await attempt(image, { door: 'pvh', xen: {}, options: xen, ...limits });
      row.runs['pvh, Xen'] = told;
      say(`${name}, pvh under Xen: ${told.outcome}: ${told.reason}`);
    }
    if (doors.linux64 === 'opens' && !linux) {
      const { told } = await attempt(image, { door: 'linux64', options });
      row.runs.linux64 = told;
      say(`${name}, linux64: ${told.outcome}: ${told.reason}`);
    }
  }
  return { maxInstructions, images: found };
}
