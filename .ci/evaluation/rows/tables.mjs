// "ARM does it already": EFI tables without services, through boot_params' efi_info. Real kernels with the profile `tables`,
// with one thing after the other changed.
import { built, busyboxInitrd, efikit, kernelImage, lastLines, run, said } from './machine.mjs';

const { BootParams } = await built('firmware-tables/linux/boot-params.js');
const { MemoryDescriptor, MemoryAttribute, MemoryType } = await built('firmware-tables/uefi/memory-descriptor.js');
const { SystemTable } = await built('firmware-tables/uefi/system-table.js');
const { ConfigurationTable } = await built('firmware-tables/uefi/configuration-table.js');
const { layout } = await built('src/memory/layout.js');

const kernels = ['6.1-cloud', '6.12-cloud'];

const efiInfo = (machine) => BootParams.decode(machine.memory.readPhysical(layout.linuxBootParams, 4096)).efi_info;

/** Gives the tables' own range the type of run-time data and the attribute that asks for a virtual address. */
function wantVirtualAddress(machine) {
  const { efi_memmap: at, efi_memmap_size: bytes, efi_memdesc_size: stride } = efiInfo(machine);
  for (let offset = 0; offset < bytes; offset += stride) {
    const descriptor = MemoryDescriptor.decode(machine.memory.readPhysical(at + offset, MemoryDescriptor.size));
    if (descriptor.PhysicalStart !== BigInt(layout.linuxEfiTables)) continue;
    const changed = {
      ...descriptor,
      Type: MemoryType.EfiRuntimeServicesData,
      Attribute: descriptor.Attribute | MemoryAttribute.RUNTIME,
    };
    machine.memory.writePhysical(at + offset, MemoryDescriptor.encode(changed));
  }
}

const variants = {
  'as it is': {},
  'no RT_PROPERTIES': { overrides: { 'table:RtProperties': 'absent' } },
  'no ACPI table': { overrides: { 'table:Acpi20': 'absent' } },
  // Xen's ACPI tables lie above RAM, where no kernel scans for them.
  'under Xen': { xen: {}, console: 'hvc0' },
  'under Xen, no ACPI table': { xen: {}, console: 'hvc0', overrides: { 'table:Acpi20': 'absent' } },
  'the Xen table beside': { overrides: { 'table:Xen': 'present' } },
  'a range that wants a virtual address': { before: wantVirtualAddress },
  'efi=noruntime': { append: ' efi=noruntime' },
  'no EFI tables at all': { profile: efikit.linux },
};

/** Bytes of the tables as they stand in memory at the entry. */
function sizes(machine) {
  const { efi_systab: at, efi_memmap_size: mapBytes, efi_memdesc_size: stride } = efiInfo(machine);
  const table = SystemTable.decode(machine.memory.readPhysical(at, SystemTable.size));
  const entries = Number(table.NumberOfTableEntries);
  return {
    systemTableBytes: SystemTable.size,
    configurationTables: entries,
    configurationTableBytes: entries * ConfigurationTable.size,
    memoryMapEntries: mapBytes / stride,
    memoryMapBytes: mapBytes,
    efiInfoBytes: 32,
    services: 0,
  };
}

export async function measure(say) {
  const runs = {};
  let hypervisorSide;
  for (const kernel of kernels) {
    const image = await kernelImage(kernel);
    runs[kernel] = {};
    for (const [name, { before, append = '', console = 'ttyS0', ...setup }] of Object.entries(variants)) {
      const { result, lines } = await run(image, {
        door: 'linux64',
        profile: efikit.tables,
        ...setup,
        options: { commandLine: `console=${console} ignore_loglevel${append}`, initrd: busyboxInitrd() },
        before: (machine) => {
          if (name === 'as it is') hypervisorSide = sizes(machine);
          before?.(machine);
        },
      });
      say(`${kernel}, ${name}: ${result.outcome}${result.userSpace ? ', user space' : ''}`);
      runs[kernel][name] = {
        ...result,
        efi: said(lines, /^efi: /),
        rsdp: said(lines, /^ACPI: RSDP/),
        trouble: said(lines, /^(BUG|WARNING|Oops|Kernel panic|.*\[Firmware Bug\])/),
        ...(result.userSpace ? {} : { last: lastLines(lines, 4) }),
      };
    }
  }
  return { hypervisorSide, runs };
}
