import { Status } from '../../firmware-tables/uefi/status.js';
import type { ConfigurationTableName, Override, Overrides, ProtocolName, ServiceName } from './profiles.js';

/** What is wrong with a quirk that the caller named; the message says what can be had. */
export class QuirkError extends Error {
  override readonly name = 'QuirkError';
  readonly code = 'QUIRK';
}

/** A way in which some firmware is troublesome: named overrides of a profile. */
export interface Quirk {
  readonly name: string;
  /** What may stand behind `=`, and what is taken without it. */
  readonly value: string;
  readonly byDefault: string;
  readonly meaning: string;
  /** It changes the machine, so that the doors without EFI firmware see it, too. */
  readonly isOfMachine?: true;
  /** Throws QuirkError. */
  readonly overrides: (value: string) => Overrides;
}

const variableServices = ['GetVariable', 'GetNextVariableName', 'SetVariable', 'QueryVariableInfo'] as const;
const each = (override: Override): Overrides =>
  Object.fromEntries(variableServices.map((service) => [service, override]));

function whole(value: string, least: number, most: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : NaN;
  if (number >= least && number <= most) return number;
  throw new QuirkError(`"${value}": give a whole number from ${String(least)} to ${String(most)}`);
}

function bytes(value: string): number {
  const match = /^(\d+)([KMG]?)$/i.exec(value);
  const unit = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[match?.[2]?.toUpperCase() ?? ''] ?? 1;
  const size = match === null ? NaN : Number(match[1]) * unit;
  if (Number.isSafeInteger(size) && size > 0 && size % 4096 === 0) return size;
  throw new QuirkError(`"${value}": give a size such as 1M or 16M, a multiple of 4K`);
}

function choice<T extends string>(value: string, choices: readonly T[]): T {
  const found = choices.find((name) => name.toLowerCase() === value.toLowerCase());
  if (found !== undefined) return found;
  throw new QuirkError(`"${value}": give one of ${choices.join(', ')}`);
}

/** `DEVICE_ERROR` or `EFI_DEVICE_ERROR`. */
function status(value: string): bigint {
  const names = Object.keys(Status) as (keyof typeof Status)[];
  return Status[choice(value.replace(/^EFI_/i, ''), names)];
}

const tables: readonly ConfigurationTableName[] = ['Acpi20', 'RtProperties', 'Xen'];
const protocols: readonly ProtocolName[] = ['LoadedImage', 'LoadFile2', 'SimpleTextOutput'];
/** Services for which a failure is worth a look; the names of UEFI. */
const failing: readonly ServiceName[] = [
  'AllocatePages',
  'AllocatePool',
  'FreePages',
  'FreePool',
  'GetMemoryMap',
  'HandleProtocol',
  'LocateDevicePath',
  'InstallConfigurationTable',
  'ExitBootServices',
  'GetVariable',
  'GetNextVariableName',
  'SetVariable',
  'QueryVariableInfo',
  'SetVirtualAddressMap',
  'LoadFile2.LoadFile',
];

/** `SERVICE`, `SERVICE:STATUS` or `SERVICE:STATUS:TIMES`. */
function failure(value: string): Overrides {
  const [name = '', code = 'DEVICE_ERROR', times] = value.split(':');
  const limit = times === undefined ? {} : { times: whole(times, 1, 1_000_000) };
  return { [choice(name, failing)]: { status: status(code), ...limit } };
}

/** Every quirk there is. docs/quirks.md lists them. */
export const quirks: readonly Quirk[] = [
  {
    name: 'stale-map-key',
    value: 'N',
    byDefault: '1',
    meaning: 'the first N calls of ExitBootServices find that the memory map changed: EFI_INVALID_PARAMETER',
    overrides: (value) => ({
      ExitBootServices: { status: Status.INVALID_PARAMETER, times: whole(value, 1, 1_000_000) },
    }),
  },
  {
    name: 'no-ram-below',
    value: 'SIZE',
    byDefault: '1M',
    meaning: 'all RAM below this address is reserved',
    overrides: (value) => ({ 'memory:lowest': bytes(value) }),
  },
  {
    name: 'no-ram-below-4g',
    value: 'SIZE',
    byDefault: '1M',
    meaning:
      'RAM lies at 4 GiB and above, but for this much from address 0 on (of the first 1M, 640K are free); every door',
    isOfMachine: true,
    overrides: (value) => {
      const below = bytes(value);
      if (below < 2 ** 20) throw new QuirkError(`"${value}": give at least 1M, where the machine has its tables`);
      return { 'memory:below-4g': below };
    },
  },
  {
    name: 'fragmented-map',
    value: 'N',
    byDefault: '100',
    meaning: 'N reserved pages are strewn over the upper half of RAM: a memory map of some 2 N entries',
    overrides: (value) => ({ 'memory:fragments': whole(value, 1, 4000) }),
  },
  {
    name: 'descriptor-size',
    value: 'BYTES',
    byDefault: '64',
    meaning: 'the distance from one memory descriptor to the next (EFI_MEMORY_DESCRIPTOR has 40 bytes; elsewhere 48)',
    overrides: (value) => {
      const size = whole(value, 40, 4096);
      if (size % 8 !== 0) throw new QuirkError(`"${value}": give a multiple of 8, descriptors are aligned`);
      return { 'memory:descriptor-bytes': size };
    },
  },
  {
    name: 'no-execute',
    value: 'data|all',
    byDefault: 'data',
    meaning:
      'W^X without the Memory Attribute protocol: memory is not executable unless its type is code (data), or not even EfiLoaderCode is (all)',
    overrides: (value) => ({ 'memory:no-execute': choice(value, ['data', 'all']) }),
  },
  {
    name: 'slow-variables',
    value: 'MS',
    byDefault: '50',
    meaning: 'each call of a variable service takes so many milliseconds',
    overrides: (value) => each({ delay: whole(value, 1, 60_000) * 1_000_000 }),
  },
  {
    name: 'failing-variables',
    value: 'STATUS',
    byDefault: 'DEVICE_ERROR',
    meaning: 'every variable service returns this status',
    overrides: (value) => each({ status: status(value) }),
  },
  {
    name: 'full-variables',
    value: 'STATUS',
    byDefault: 'OUT_OF_RESOURCES',
    meaning: 'SetVariable returns this status; the variables that there are can be read',
    overrides: (value) => ({ SetVariable: { status: status(value) } }),
  },
  {
    name: 'missing-table',
    value: tables.join('|'),
    byDefault: 'Acpi20',
    meaning: 'this configuration table is not there',
    overrides: (value) => ({ [`table:${choice(value, tables)}`]: 'absent' }),
  },
  {
    name: 'missing-protocol',
    value: protocols.join('|'),
    byDefault: 'LoadFile2',
    meaning: 'no handle has this protocol',
    overrides: (value) => ({ [`protocol:${choice(value, protocols)}`]: 'absent' }),
  },
  {
    name: 'failing-service',
    value: 'SERVICE[:STATUS[:TIMES]]',
    byDefault: 'SetVirtualAddressMap:UNSUPPORTED',
    meaning: 'this service returns a status (DEVICE_ERROR when none is named), for the first TIMES calls or always',
    overrides: failure,
  },
  {
    name: 'xen-image-handle',
    value: 'start-info|tag',
    byDefault: 'start-info',
    meaning:
      'the image handle has a protocol that says "Xen", and HandleProtocol is there; its interface is the hvm_start_info of the Xen table, or NULL for a mere tag',
    overrides: (value) => ({
      HandleProtocol: 'present',
      'protocol:Xen': choice(value, ['start-info', 'tag']) === 'tag' ? 'null' : 'present',
    }),
  },
];

/** The overrides that `NAME` and `NAME=VALUE` stand for, together; where two say something of the same part, the later one counts. Throws QuirkError. */
export function quirkOverrides(texts: readonly string[]): Overrides {
  return Object.assign({}, ...texts.map(parse)) as Overrides;
}

/** Whether `NAME` or `NAME=VALUE` changes the machine and not the EFI firmware alone. */
export const isOfMachine = (text: string): boolean => quirkOf(text)?.isOfMachine === true;

const nameOf = (text: string): string => text.split('=', 1)[0] ?? '';
const quirkOf = (text: string): Quirk | undefined => quirks.find(({ name }) => name === nameOf(text));

function parse(text: string): Overrides {
  const equals = text.indexOf('=');
  const name = nameOf(text);
  const quirk = quirkOf(text);
  if (!quirk) throw new QuirkError(`${text}: the quirks are ${quirks.map((known) => known.name).join(', ')}`);
  try {
    return quirk.overrides(equals < 0 ? quirk.byDefault : text.slice(equals + 1));
  } catch (error) {
    if (!(error instanceof QuirkError)) throw error;
    throw new QuirkError(`${name}=${error.message}`);
  }
}
