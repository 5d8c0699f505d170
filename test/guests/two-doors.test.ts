import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { BootProtocol } from '../../src/boot/boot-protocol.js';
import type { EfiTarget } from '../../src/boot/efi.js';
import { efi, pvh } from '../../src/boot/index.js';
import { proposal } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { Machine } from '../../src/machine.js';
import { layout } from '../../src/memory/layout.js';

/** A range of a map as the guest printed it: guest-physical, `end` exclusive. */
interface Range {
  readonly start: number;
  readonly end: number;
  readonly type: string;
}

interface Seen {
  readonly lines: readonly string[];
  readonly value: (key: string) => string | undefined;
  readonly map: readonly Range[];
}

const ramBytes = 64 << 20;
const initrd = new Uint8Array(5000).fill(7);
const modules = [{ bytes: new TextEncoder().encode('abc'), commandLine: 'module zero' }];

function run(file: string, door: BootProtocol<EfiTarget>): Seen {
  const machine = new Machine({
    artifacts: loadProcessorArtifacts(),
    memoryBytes: ramBytes,
    profile: proposal,
    strict: true,
  });
  let text = '';
  machine.onConsole = (byte) => (text += String.fromCharCode(byte));
  const image = readImage(readFileSync(new URL(`../../examples/two-doors/${file}`, import.meta.url)));
  machine.boot(door, image, { commandLine: 'a=1 two words', initrd, modules });
  while (machine.outcome === undefined && machine.ticks < 50e6) machine.run(5e6);
  expect(machine.outcome?.outcome, text).to.equal('powered-off');
  const lines = text.split('\r\n');
  return {
    lines,
    value: (key) => lines.find((line) => line.startsWith(`${key}: `))?.slice(key.length + 2),
    map: lines.flatMap((line) => {
      const [, start, last, type] = /^memory: 0x([0-9a-f]+)-0x([0-9a-f]+) (\w+)/.exec(line) ?? [];
      return start && last && type ? [{ start: parseInt(start, 16), end: parseInt(last, 16) + 1, type }] : [];
    }),
  };
}

const typeAt = ({ map }: Seen, address: number): string =>
  map.find(({ start, end }) => start <= address && address < end)?.type ?? 'nothing';

/** Every stretch of addresses for which neither map changes, with what each says of it; neighbours that agree are one. */
function sideBySide(left: Seen, right: Seen): (Range & { readonly other: string })[] {
  const edges = [...left.map, ...right.map].flatMap(({ start, end }) => [start, end]);
  const sorted = [...new Set(edges)].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((start, index) => ({
    start,
    end: sorted[index + 1] ?? start,
    type: typeAt(left, start),
    other: typeAt(right, start),
  }));
}

describe('one kernel, two doors: two-doors under the profile proposal', function () {
  this.timeout(20_000);
  let throughEfi: Seen;
  let throughPvh: Seen;
  before(() => {
    throughEfi = run('two-doors.efi', efi);
    throughPvh = run('two-doors.elf', pvh);
  });

  for (const key of [
    'command-line',
    'modules',
    'module 0 size',
    'module 0 fnv1a',
    'module 1 command-line',
    'rsdp',
    'ram total',
  ]) {
    it(`finds the same ${key}`, () => {
      expect(throughEfi.value(key)).to.be.a('string');
      expect(throughPvh.value(key)).to.equal(throughEfi.value(key));
    });
  }

  it('finds as RAM what the machine has, less the PC hole from 640 KiB to 1 MiB', () => {
    const hole = layout.highMemoryStart - layout.lowMemoryEnd;
    expect(throughEfi.value('ram total')).to.equal(`${String((ramBytes - hole) / 1024)} KiB`);
  });

  /**
   * Why the maps differ, each difference with its reason; `where` says for which addresses it may show. The pairs are
   * what GetMemoryMap and what hvm_start_info's memmap say.
   */
  const reasons: readonly { efi: string; pvh: string; why: string; where: (seen: Seen, range: Range) => boolean }[] = [
    {
      efi: 'ConventionalMemory',
      pvh: 'RAM',
      why: 'free RAM under the two names; under PVH all RAM counts as free, the guest finds out itself what lies in it',
      where: () => true,
    },
    {
      efi: 'ACPIReclaimMemory',
      pvh: 'ACPI',
      why: 'the ACPI tables under the two names',
      where: (_, { start, end }) => start === layout.acpiTables && end === start + layout.acpiTablesBytes,
    },
    {
      efi: 'ReservedMemoryType',
      pvh: 'nothing',
      why: 'the PC hole around the ACPI tables: EFI reserves it by name, in a PVH map what is not named is not RAM',
      where: (_, { start, end }) => start >= layout.lowMemoryEnd && end <= layout.highMemoryStart,
    },
    {
      efi: 'LoaderCode',
      pvh: 'RAM',
      why: 'the image: the firmware chose its place and says so; the ELF lies where it was linked, and the PVH map is silent',
      where: (_, { end }) => end <= ramBytes,
    },
    {
      efi: 'LoaderData',
      pvh: 'RAM',
      why: 'the modules: EFI marks their pages, under PVH only the module list says where they are',
      where: (seen, { start, end }) =>
        ['module 0 address', 'module 1 address'].every(
          (key) => start <= Number(seen.value(key)) && Number(seen.value(key)) < end,
        ),
    },
    {
      efi: 'BootServicesData',
      pvh: 'RAM',
      why: "page 0, which EFI never hands out, or the firmware's stack, page tables and boot services table, free after ExitBootServices",
      where: (seen, { start, end }) =>
        start === 0
          ? end === 4096
          : end - start === 4096 || (start <= Number(seen.value('rsp')) && Number(seen.value('rsp')) < end),
    },
    {
      efi: 'BootServicesCode',
      pvh: 'RAM',
      why: 'the page of gates behind the boot services; PVH has no services',
      where: (_, { start, end }) => end - start === 4096,
    },
    {
      efi: 'RuntimeServicesCode',
      pvh: 'RAM',
      why: 'the page of gates behind the runtime services, kept for good: the memory that the EFI door costs',
      where: (_, { start, end }) => end - start === 4096,
    },
    {
      efi: 'RuntimeServicesData',
      pvh: 'RAM',
      why: 'System Table, runtime services table and the Xen configuration table, kept for good',
      where: (seen, { start, end }) =>
        start <= Number(seen.value('start-info')) && Number(seen.value('start-info')) < end,
    },
  ];

  it('finds maps of which every difference has a known reason, and every reason shows', () => {
    const shown = new Set<string>();
    for (const range of sideBySide(throughEfi, throughPvh)) {
      const at = `0x${range.start.toString(16)}-0x${range.end.toString(16)}`;
      const reason = reasons.find((known) => known.efi === range.type && known.pvh === range.other);
      if (!reason)
        throw new Error(`${at}: GetMemoryMap says ${range.type}, hvm_start_info says ${range.other}; nobody knows why`);
      expect(reason.where(throughEfi, range), `${at}: ${reason.why}`).to.equal(true);
      shown.add(reason.why);
    }
    expect([...shown].sort()).to.deep.equal(reasons.map(({ why }) => why).sort());
  });

  it('loses at most 64 KiB of RAM for good to the EFI door', () => {
    const kept = throughEfi.map.filter(({ type }) => type.startsWith('RuntimeServices'));
    const bytes = kept.reduce((sum, { start, end }) => sum + end - start, 0);
    expect(bytes).to.be.within(8192, 65536);
  });

  it('keeps hvm_start_info where each door puts it: anywhere in runtime memory, or at its fixed place', () => {
    expect(typeAt(throughEfi, Number(throughEfi.value('start-info')))).to.equal('RuntimeServicesData');
    expect(Number(throughPvh.value('start-info'))).to.equal(layout.hvmStartInfo);
  });

  it('finds no memory map in the Xen table, where GetMemoryMap is the authority, and one in hvm_start_info through PVH', () => {
    expect(throughEfi.value('start-info memmap_entries')).to.equal('0');
    expect(throughPvh.value('start-info memmap_entries')).to.equal(String(throughPvh.map.length));
  });
});
