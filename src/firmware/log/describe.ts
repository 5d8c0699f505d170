import { guidName } from '../../../firmware-tables/uefi/guids.js';
import { AllocateType, MemoryAttribute, MemoryType } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { ResetType, VariableAttribute } from '../../../firmware-tables/uefi/runtime-services.js';
import { statusName } from '../../../firmware-tables/uefi/status.js';
import type { GuestFault } from '../../memory/guest-memory.js';
import type { MapEntry } from '../memory/memory-map.js';
import type { ArgKind } from '../service.js';

/** One served call, as --trace writes it and --explain prints it. All texts are for people. */
export interface ServiceCall {
  /** The function's name; protocol functions carry the protocol: `SimpleTextOutput.OutputString`. */
  readonly name: string;
  /** Section of UEFI 2.10. */
  readonly section: string;
  readonly args: Readonly<Record<string, string>>;
  /** What the service gave back besides its status, and the bytes that it took behind a pointer. */
  readonly results: Readonly<Record<string, string>>;
  /** What it gave back that is too long for a line: the entries of a memory map. */
  readonly lists?: Readonly<Record<string, readonly string[]>>;
  /** Undefined when the call did not end: `fault` says why. */
  readonly status: bigint | undefined;
  /** The exception that the guest got because a pointer cannot be followed; it may make the call again. */
  readonly fault?: GuestFault;
  /** Return address: guest-virtual, the instruction behind the caller's CALL. */
  readonly caller: bigint;
  /** Virtual time of the call, in ticks. */
  readonly tick: number;
  /** Set when the function did not act: the profile lacks it, an override took it away, or boot services had ended. */
  readonly unserved?: 'profile' | 'override' | 'after-exit-boot-services';
}

const nameOf = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.entries(names).find(([, number]) => number === value)?.[0] ?? `0x${value.toString(16)}`;

/** `EfiLoaderData` for 2. */
export const memoryTypeName = (type: number): string => nameOf(MemoryType, type);

const searchTypes = { AllHandles: 0, ByRegisterNotify: 1, ByProtocol: 2 };

/** `NV|BS|RT` for EFI_VARIABLE_* attributes. */
export function variableAttributes(value: number): string {
  const short: Readonly<Record<string, string>> = {
    NON_VOLATILE: 'NV',
    BOOTSERVICE_ACCESS: 'BS',
    RUNTIME_ACCESS: 'RT',
  };
  const set = Object.entries(VariableAttribute).filter(([, bit]) => value & bit);
  return set.map(([name]) => short[name] ?? name).join('|') || '0';
}

/** Bytes as the log shows them: in hexadecimal, the first 32 of more. */
export function describeBytes(bytes: Uint8Array): string {
  const most = 32;
  const shown = [...bytes.slice(0, most)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  if (bytes.length <= most) return shown;
  return `${shown} ... (0x${bytes.length.toString(16)} bytes)`;
}

/** A value as the log shows it. `pointed` is what stands where a pointer points. */
export function describeValue(kind: ArgKind, value: unknown, pointed?: string): string {
  if (value === undefined) return 'NULL';
  if (typeof value === 'bigint') {
    if (kind === 'status') return statusName(value);
    if (kind === 'uintn') return value < 10n ? String(value) : `0x${value.toString(16)}`;
    if (value === 0n && kind !== 'uint64') return 'NULL';
    const text = `0x${value.toString(16)}`;
    return pointed === undefined ? text : `${text} (=${pointed})`;
  }
  if (typeof value === 'number') {
    if (kind === 'memoryType') return memoryTypeName(value);
    if (kind === 'allocateType') return nameOf(AllocateType, value);
    if (kind === 'resetType') return nameOf(ResetType, value);
    if (kind === 'searchType') return nameOf(searchTypes, value);
    if (kind === 'attributes') return variableAttributes(value);
    return value < 10 ? String(value) : `0x${value.toString(16)}`;
  }
  if (typeof value === 'string') return kind === 'guid' ? guidName(value) : JSON.stringify(value);
  return JSON.stringify(value);
}

/** `EFI_SUCCESS`, or `page fault at 0x1000 (error code 0x2)` where the call did not end. */
export function describeEnd({ status, fault }: ServiceCall): string {
  if (status !== undefined) return statusName(status);
  if (fault?.vector !== 14) return 'general protection fault';
  return `page fault at 0x${fault.address.toString(16)} (error code 0x${fault.errorCode.toString(16)})`;
}

/** One readable line: `AllocatePages(Type=AllocateMaxAddress, ...) -> EFI_SUCCESS {Memory=0x1000} [UEFI 2.10 7.2.1]`. */
export function describeCall(call: ServiceCall): string {
  const pairs = (record: Readonly<Record<string, string>>): string =>
    Object.entries(record)
      .map(([name, text]) => `${name}=${text}`)
      .join(', ');
  const results = pairs(call.results);
  const why = {
    profile: ', not in this profile',
    override: ', by an override',
    'after-exit-boot-services': ', boot services have ended',
  };
  return (
    `${call.name}(${pairs(call.args)}) -> ${describeEnd(call)}` +
    (results ? ` {${results}}` : '') +
    (call.unserved ? why[call.unserved] : '') +
    ` [UEFI 2.10 section ${call.section}]`
  );
}

/** The memory map as a table of lines: range, pages, type, attributes. */
export function describeMemoryMap(entries: readonly MapEntry[]): string[] {
  const hex = (value: number): string => value.toString(16).padStart(9, '0');
  return entries.map(({ start, pages, type, attribute }) => {
    const attributes = Object.entries(MemoryAttribute)
      .filter(([, bit]) => attribute & bit)
      .map(([name]) => name);
    const range = `${hex(start)}-${hex(start + pages * 4096 - 1)}`;
    return `${range} ${String(pages).padStart(7)} pages  ${memoryTypeName(type).padEnd(24)} ${attributes.join('|')}`.trimEnd();
  });
}
