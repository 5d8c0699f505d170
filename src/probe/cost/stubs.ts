import { ImageError, type LoadedImage } from '../../loaders/image.js';
import { readPe } from '../../loaders/pe.js';
import type { GuestStub } from './result.js';
import type { KernelPlace } from '../../symbols/kernel-place.js';
import { subsystemOf } from '../code/subsystems.js';

const kallsyms = 'kallsyms of the kernel';

/** What of the kernel's file is neither its payload nor headers: its wrapper, in which the EFI stub lies. */
function wrapper({ pe, setup }: LoadedImage): GuestStub[] {
  const text = pe?.sections.find(({ name }) => name === '.text');
  if (text === undefined || setup === undefined) return [];
  const { fileOffset, fileSize } = text;
  const payloadEnd = setup.payloadOffset + setup.payloadBytes;
  const inside = Math.max(0, Math.min(payloadEnd, fileOffset + fileSize) - Math.max(setup.payloadOffset, fileOffset));
  const what = 'EFI stub and decompressor, which no symbol tells apart';
  return [{ what, bytes: fileSize - inside, by: 'section .text of the PE without the payload' }];
}

interface Rule {
  readonly what: string;
  readonly picks: (name: string) => boolean;
}

/** Functions of the kernel that each rule picks by their names, together. A function reaches to the next symbol. */
function functions(kernel: KernelPlace | undefined, rules: readonly Rule[]): GuestStub[] {
  if (kernel === undefined) return [];
  const { symbols } = kernel;
  const sums = rules.map((rule) => ({ rule, bytes: 0, count: 0 }));
  for (let i = 0; i < symbols.count; i++) {
    const { name, type, address } = symbols.at(i);
    if (type !== 't' && type !== 'T') continue;
    const sum = sums.find(({ rule }) => rule.picks(name));
    if (sum === undefined) continue;
    let next = i + 1;
    while (next < symbols.count && symbols.addressAt(next) === address) next++;
    if (next === i + 1) sum.bytes += next < symbols.count ? Number(symbols.addressAt(next) - address) : 0;
    sum.count++; // the last of several names of one place has its bytes
  }
  return sums
    .filter(({ count }) => count > 0)
    .map(({ rule, bytes, count }) => ({ what: `${rule.what} (${String(count)} functions)`, bytes, by: kallsyms }));
}

const pvhEntry: ReadonlySet<string> = new Set(['pvh_start_xen', 'xen_prepare_pvh']);
const pvhRest = /^(?:pvh_|xen_pvh_|mem_map_via_hcall|xen_reserve_extra_memory)/;

/** The code of the kernel that serves a door and no other, as far as that can be told. */
export function stubsOf(door: string, image: LoadedImage, kernel: KernelPlace | undefined): GuestStub[] {
  switch (door) {
    case 'efi':
      return [
        ...wrapper(image),
        ...functions(kernel, [
          { what: "the kernel's own EFI code, by name", picks: (name) => subsystemOf(name) === 'efi' },
        ]),
      ];
    case 'pvh':
      return functions(kernel, [
        { what: 'PVH entry: pvh_start_xen, xen_prepare_pvh', picks: (name) => pvhEntry.has(name) },
        { what: 'other code for PVH, by name', picks: (name) => pvhRest.test(name) },
      ]);
    case 'linux64':
      return wrapper(image).map((stub) => ({
        ...stub,
        what: 'decompressor and EFI stub, which no symbol tells apart',
      }));
    default:
      return [];
  }
}

/** A PE image in memory: its code, and all of it. */
export function imageStub(name: string, memory: Uint8Array): GuestStub[] {
  try {
    const text = readPe(memory).sections.find((section) => section.name === '.text');
    return [
      ...(text === undefined ? [] : [{ what: `${name}, its code`, bytes: text.virtualSize, by: 'section .text' }]),
      { what: `${name}, all of it in memory`, bytes: memory.length, by: 'SizeOfImage' },
    ];
  } catch (error) {
    if (error instanceof ImageError) return [];
    throw error;
  }
}
