/** What a range is to a kernel, whatever the door's specification calls it. */
export type MemoryKind = 'free' | 'boot' | 'loader' | 'runtime' | 'acpi' | 'reserved';

export function memoryKind(type: string): MemoryKind {
  if (/^(RAM|ram|EfiConventionalMemory|EfiPersistentMemory)$/i.test(type)) return 'free';
  if (/^EfiBootServices/.test(type)) return 'boot';
  if (/^EfiLoader/.test(type)) return 'loader';
  if (/^EfiRuntimeServices/.test(type)) return 'runtime';
  if (/acpi/i.test(type)) return 'acpi';
  return 'reserved';
}

/** `BootServicesData` for `EfiBootServicesData`: what fits into a picture. */
export const shortType = (type: string): string =>
  type
    .replace(/^Efi/, '')
    .replace(/Memory(Type)?$/, '')
    .replace(/^ACPIReclaim$/, 'ACPI reclaim');

export const memoryLegend: readonly (readonly [string, string])[] = [
  ['memory-free', 'free'],
  ['memory-boot', "boot services': free after ExitBootServices"],
  ['memory-loader', "loader's: the image, the initrd, what the stub allocated"],
  ['memory-runtime', "runtime services': stays the firmware's"],
  ['memory-acpi', 'ACPI tables'],
  ['memory-reserved', 'reserved'],
  ['memory-absent', 'not in the map'],
];
