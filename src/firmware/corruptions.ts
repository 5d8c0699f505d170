import { MemoryType, pageBytes } from '../../firmware-tables/uefi/memory-descriptor.js';
import { Status } from '../../firmware-tables/uefi/status.js';
import { descriptorBytes } from './boot-services/memory.js';
import type { Firmware } from './firmware.js';
import type { ServiceName } from './profiles.js';

type Arguments = Readonly<Record<string, unknown>>;

/** A way in which a service acts and yet does harm, or what few firmwares do although they may. */
export interface Corruption {
  /** For people: what the caller gets. */
  readonly meaning: string;
  /** Whether a firmware may do this by UEFI 2.10; the caller has to cope then. */
  readonly allowed: boolean;
  /** Whether it makes sense for the first call that can be spoilt, for each, or both. */
  readonly when: 'once' | 'always' | 'both';
  /** Before the service acts. False: this call leaves nothing to spoil. */
  readonly before?: (fw: Firmware, args: Arguments) => boolean;
  /** After it acted: the status to return instead; undefined: this call leaves nothing to spoil. */
  readonly after?: (fw: Firmware, args: Arguments, status: bigint) => bigint | undefined;
}

const pointer = (args: Arguments, name: string): bigint => {
  const value = args[name];
  return typeof value === 'bigint' ? value : 0n;
};

/** Spoils a call that succeeded, and lets it succeed. */
const spoiled =
  (spoil: (fw: Firmware, args: Arguments) => void): NonNullable<Corruption['after']> =>
  (fw, args, status) => {
    if (status !== Status.SUCCESS) return undefined;
    spoil(fw, args);
    return status;
  };

const change =
  (name: string, to: (value: bigint) => bigint): NonNullable<Corruption['after']> =>
  (fw, args, status) => {
    const at = pointer(args, name);
    if (status !== Status.SUCCESS || at === 0n) return undefined;
    fw.guest.writeU64(at, to(fw.guest.readU64(at)));
    return status;
  };

const stride = (fw: Firmware): bigint => BigInt(fw.overrides['memory:descriptor-bytes'] ?? descriptorBytes);
const dirt = 0xa5;

/** The firmware takes a page out of the middle of the largest free range, as a driver of its own may at any time. */
function splitFreeMemory(fw: Firmware): boolean {
  const free = fw.memoryMap.entries().filter(({ type }) => type === MemoryType.EfiConventionalMemory);
  const largest = free.sort((a, b) => b.pages - a.pages)[0];
  if (largest === undefined || largest.pages < 3) return false;
  const page = largest.start + (largest.pages >> 1) * pageBytes;
  fw.memoryMap.set(page, 1, MemoryType.EfiBootServicesData, false);
  return true;
}

/** Every corruption there is, by service and name. Sections are of UEFI 2.10. */
export const corruptions: Readonly<Partial<Record<ServiceName, Readonly<Record<string, Corruption>>>>> = {
  // 7.2.1: says nothing of what is in the pages.
  AllocatePages: {
    dirty: {
      meaning: 'the pages are full of 0xa5',
      allowed: true,
      when: 'always',
      after: spoiled((fw, args) => {
        const pages = Number(pointer(args, 'Pages'));
        const start = Number(fw.guest.readU64(pointer(args, 'Memory')));
        const page = new Uint8Array(pageBytes).fill(dirt);
        for (let n = 0; n < pages; n++) fw.host.memory.writePhysical(start + n * pageBytes, page);
      }),
    },
  },
  // 7.2.4
  AllocatePool: {
    dirty: {
      meaning: 'the buffer is full of 0xa5',
      allowed: true,
      when: 'always',
      after: spoiled((fw, args) => {
        const bytes = new Uint8Array(Number(pointer(args, 'Size'))).fill(dirt);
        fw.guest.write(fw.guest.readU64(pointer(args, 'Buffer')), bytes);
      }),
    },
  },
  // 7.2.3
  GetMemoryMap: {
    'short-map': {
      meaning: 'the last descriptor of the map is missing',
      allowed: false,
      when: 'both',
      after: (fw, args, status) => change('MemoryMapSize', (size) => size - stride(fw))(fw, args, status),
    },
    'map-grows': {
      meaning: 'the map gets two entries more between the call that asks for its size and the one that reads it',
      allowed: true,
      when: 'once',
      before: (fw, args) => {
        const at = pointer(args, 'MemoryMapSize');
        const reads = at !== 0n && pointer(args, 'MemoryMap') !== 0n;
        const size = BigInt(fw.memoryMap.entries().length) * stride(fw);
        return reads && fw.guest.readU64(at) >= size && splitFreeMemory(fw);
      },
    },
    'wrong-descriptor-size': {
      meaning: 'DescriptorSize is 8 more than the distance of the descriptors',
      allowed: false,
      when: 'both',
      after: change('DescriptorSize', (size) => size + 8n),
    },
    'wrong-version': {
      meaning: 'DescriptorVersion is 2',
      allowed: false,
      when: 'both',
      after: spoiled((fw, args) => {
        const at = pointer(args, 'DescriptorVersion');
        if (at !== 0n) fw.guest.writeU32(at, 2);
      }),
    },
    'stale-key': {
      meaning: 'MapKey is that of an older map',
      allowed: false,
      when: 'both',
      after: change('MapKey', (key) => key - 1n),
    },
  },
  // 7.3.7
  HandleProtocol: {
    'null-interface': {
      meaning: 'EFI_SUCCESS, and the interface is NULL',
      allowed: false,
      when: 'both',
      after: change('Interface', () => 0n),
    },
  },
  // 7.3.8
  LocateDevicePath: {
    'null-device': {
      meaning: 'EFI_SUCCESS, and the handle is NULL',
      allowed: false,
      when: 'both',
      after: change('Device', () => 0n),
    },
  },
  // 7.4.6: a firmware's timer may allocate between the two calls.
  ExitBootServices: {
    'map-changes': {
      meaning: 'the memory map changes in front of the call, so that the key is stale',
      allowed: true,
      when: 'once',
      before: splitFreeMemory,
    },
  },
  // 8.2.1
  GetVariable: {
    empty: {
      meaning: 'the size of what is there is 0',
      allowed: false,
      when: 'both',
      after: change('DataSize', () => 0n),
    },
  },
  // 8.2.2
  GetNextVariableName: {
    short: {
      meaning: 'VariableNameSize is 2 less than the name has',
      allowed: false,
      when: 'both',
      after: change('VariableNameSize', (size) => size - 2n),
    },
  },
  // 13.2.2
  'LoadFile2.LoadFile': {
    'short-file': {
      meaning: 'BufferSize is 4096 less than the file has, once it is there',
      allowed: false,
      when: 'both',
      after: change('BufferSize', (size) => (size > 4096n ? size - 4096n : 0n)),
    },
  },
};
