// One guest on both machines: what to mark, and the two counts side by side under common names.
import { readFileSync, writeFileSync } from 'node:fs';
import { efikitBare, efikitKernel } from './efikit.mjs';
import { qemuRun } from './qemu.mjs';
import { built, commandLineThrough, initrdFile, kernelFile, symbolMarks, workFile } from './settings.mjs';

const linkBase = 0xffff_ffff_8000_0000n;
const linkStart = 0xffff_ffff_8100_0000n;
const lowerHalf = 1n << 47n;
/** Where Linux maps the runtime services: below -4 GiB. arch/x86/platform/efi/efi_64.c. */
const runtimeServices = { first: 0xffff_ffef_0000_0000n, last: 0xffff_fffe_ffff_ffffn };
const loadAddress = 0x100_0000n; // where the kernel lies in our machine, and in QEMU's through PVH

/** A kernel with its symbols, its ELF in a file for QEMU. */
export async function readKernel(name) {
  const [{ readImage }, { readKallsyms }] = await Promise.all(
    ['loaders/read-image.js', 'probe/kallsyms.js'].map((module) => import(built(module))),
  );
  const image = readImage(readFileSync(kernelFile(name)));
  await image.prepare();
  const elf = image.elf();
  const elfFile = workFile(`vmlinux-${name}`);
  writeFileSync(elfFile, elf.bytes);
  const symbols = readKallsyms(elf);
  const offsetOf = (physical) => {
    const segment = elf.segments.find(
      ({ physicalAddress, fileBytes }) => physical >= physicalAddress && physical < physicalAddress + fileBytes,
    );
    return physical - segment.physicalAddress + segment.fileOffset;
  };
  const start = symbols.physicalOf('startup_64');
  return {
    name,
    file: kernelFile(name),
    elfFile,
    symbols,
    entryPoint: image.pe.entryPoint,
    start: { physical: start, offset: offsetOf(start) },
    bytes: image.setup.initSize,
    imageBytes: image.pe.sizeOfImage,
  };
}

/**
 * Addresses of one machine to common ones: link addresses of the kernel, `image+OFFSET` in the EFI image, `firmware` for what
 * else lies low. `place` says where the kernel and the image are; user code is behind the last mark.
 */
function commonAddress({ kernel, kernelBytes, base, imageBytes }) {
  return (address) => {
    const value = BigInt(`0x${address}`);
    if (value >= runtimeServices.first && value <= runtimeServices.last) return 'firmware';
    if (value >= lowerHalf) return address;
    if (value >= kernel && value < kernel + kernelBytes) return (value - kernel + linkStart).toString(16);
    if (base !== undefined && value >= base && value < base + imageBytes) return `image+${(value - base).toString(16)}`;
    return 'firmware';
  };
}

/** Stretches from the entry on, with counts by common address. */
function renamed(stretches, place) {
  const toCommon = commonAddress(place);
  return stretches
    .filter(({ name }) => name !== 'entry')
    .map((stretch) => {
      const counts = new Map();
      for (const [address, count] of stretch.counts) {
        const common = toCommon(address);
        counts.set(common, (counts.get(common) ?? 0) + count);
      }
      return { ...stretch, counts };
    });
}

const marksOf = (kernel) =>
  symbolMarks.flatMap((name) => {
    const symbol = kernel.symbols.find(name);
    return symbol === undefined ? [] : [{ name, address: symbol.address }];
  });
const sizesOf = (kernel) => ({ kernelBytes: BigInt(kernel.bytes), imageBytes: BigInt(kernel.imageBytes) });

/** Stretches of a kernel under QEMU. `inStub`: marks in the EFI image, [{name, offset}]; `machine`, `append`: others than usual. */
export async function qemuKernel(kernel, door, { inStub = [], machine, append } = {}) {
  const isEfi = door === 'efi';
  const stub = (offset) => `stub+${offset.toString(16)}`;
  const entry = isEfi ? stub(kernel.entryPoint) : kernel.symbols.physicalOf('pvh_start_xen').toString(16);
  const { stretches, images } = await qemuRun({
    initrd: initrdFile,
    append: commandLineThrough(door, append),
    door,
    machine,
    kernel: isEfi ? kernel.file : kernel.elfFile,
    images: [
      ...(isEfi ? [{ name: 'stub', file: kernel.file, offset: kernel.entryPoint }] : []),
      { name: 'kernel', file: kernel.elfFile, offset: kernel.start.offset },
    ],
    marks: [
      { where: entry, name: 'entry' },
      ...inStub.map(({ name, offset }) => ({ where: stub(offset), name })),
      { where: `kernel+${kernel.start.offset.toString(16)}`, name: 'startup_64' },
      ...marksOf(kernel).map(({ name, address }) => ({ where: address.toString(16), name })),
      { where: 'user', name: 'user-space' },
    ],
    last: 'user-space',
  });
  const place = images.kernel + BigInt(kernel.start.offset - kernel.start.physical) + loadAddress;
  return renamed(stretches, { ...sizesOf(kernel), kernel: place, base: images.stub });
}

/**
 * The counts of a kernel through a door: stretches here (`ours`), here with QEMU's CPUID (`alike`), and under QEMU (`qemu`).
 */
export async function kernelCounts(kernel, door) {
  const here = {
    initrd: initrdFile,
    append: commandLineThrough(door),
    kernel: kernel.file,
    door,
    marks: [
      { name: 'startup_64', physical: kernel.start.physical },
      ...marksOf(kernel).map(({ name, address }) => ({ name, physical: Number(address - linkBase) })),
    ],
  };
  const ours = await efikitKernel(here);
  const alike = await efikitKernel({ ...here, asQemu: true });
  const inStub = ours.inStub.map(({ name, address }) => ({ name, offset: address - ours.base }));
  const place = { ...sizesOf(kernel), kernel: loadAddress, base: ours.base };
  return {
    ours: renamed(ours.stretches, place),
    alike: renamed(alike.stretches, place),
    qemu: await qemuKernel(kernel, door, { inStub }),
  };
}

/** Both counts of a bare guest, from its PVH entry to its power-off. */
export async function bareCounts({ image, append }) {
  const megabytes = 64;
  const ours = await efikitBare({ image, append, megabytes });
  const theirs = await qemuRun({
    door: 'pvh',
    kernel: image,
    append,
    megabytes,
    marks: [
      { where: ours.entry.toString(16), name: 'entry' },
      { where: ours.end.toString(16), name: 'end' },
    ],
    last: 'end',
  });
  return {
    ours: ours.stretches[0],
    qemu: theirs.stretches.find(({ name }) => name === 'end'),
    isSameText: ours.text === theirs.text,
  };
}
