import { MemoryType, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import {
  HvmModlistEntry,
  HvmStartInfo,
  hvmStartMagic,
  hvmStartVersion,
} from '../../../firmware-tables/pvh/start-info.js';
import { structureOf, type ProvidedMemory } from '../../memory/provided.js';
import { utf8Bytes } from '../utf8.js';
import type { FirmwareModule } from './set-up.js';

/** What the Xen table needs of the firmware: memory of a type (it throws when there is none), and a way to fill it. */
export interface TableMemory {
  allocatePages(type: number, pages: number, what: string): number;
  allocatePool(type: number, bytes: number, what: string): number;
  write(address: number, bytes: Uint8Array): void;
  /** Is told what is laid out. */
  readonly provided: ProvidedMemory;
}

/**
 * Writes the version 1 hvm_start_info of the Xen configuration table and what it points at; returns its guest-physical
 * address. memmap_entries stays 0: under EFI GetMemoryMap is the authority. Xen public/arch-x86/hvm/start_info.h.
 */
export function buildXenTable(
  memory: TableMemory,
  commandLine: string,
  modules: readonly FirmwareModule[],
  rsdp: number,
): number {
  const { provided } = memory;
  const text = (type: number, value: string, of: string): number => {
    const bytes = utf8Bytes(value);
    const address = memory.allocatePool(type, bytes.length, 'a command line');
    memory.write(address, bytes);
    provided.add(structureOf('firmware', `command line ${of}`, address, [{ name: 'text', bytes: bytes.length }]));
    return address;
  };
  const list = modules.map(({ bytes, commandLine: moduleLine }, index) => {
    const pages = Math.max(1, Math.ceil(bytes.length / pageBytes));
    const paddr = memory.allocatePages(MemoryType.EfiLoaderData, pages, `a module of ${String(bytes.length)} bytes`);
    memory.write(paddr, bytes);
    provided.occupy('firmware', 'modules', paddr, bytes.length);
    const of = `of module ${String(index)}`;
    const line = moduleLine === undefined ? 0 : text(MemoryType.EfiLoaderData, moduleLine, of);
    return HvmModlistEntry.encode({ paddr, size: bytes.length, cmdline_paddr: line });
  });
  const runtime = MemoryType.EfiRuntimeServicesData;
  let modlist = 0;
  if (list.length > 0) {
    modlist = memory.allocatePool(runtime, list.length * HvmModlistEntry.size, 'the module list');
    list.forEach((entry, index) => {
      memory.write(modlist + index * HvmModlistEntry.size, entry);
    });
    const entries = { name: 'entry', of: HvmModlistEntry, count: list.length };
    provided.add(structureOf('firmware', 'hvm_modlist_entry', modlist, [entries]));
  }
  const startInfo = HvmStartInfo.encode({
    magic: hvmStartMagic,
    version: hvmStartVersion,
    nr_modules: list.length,
    modlist_paddr: modlist,
    cmdline_paddr: text(runtime, commandLine, 'of the Xen table'),
    rsdp_paddr: rsdp,
  });
  const address = memory.allocatePool(runtime, startInfo.length, 'hvm_start_info');
  memory.write(address, startInfo);
  provided.add(structureOf('firmware', 'hvm_start_info', address, [HvmStartInfo]));
  return address;
}
