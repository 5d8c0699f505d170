import { GuestAddressError } from '../memory/guest-memory.js';
import { Status } from '../../firmware-tables/uefi/status.js';
import { describeValue } from './log/describe.js';
import { pointedText } from './log/pointed.js';
import type { Firmware } from './firmware.js';
import type { GuestAccess } from './guest-access.js';
import type { FirmwareHost, FirmwareRegister } from './host.js';

/** What a service gets for each kind of argument. Pointers are guest-virtual. */
export interface ArgTypes {
  handle: bigint;
  uintn: bigint;
  uint64: bigint;
  pointer: bigint;
  /** A pointer to a UINTN or UINT64 that the log shows; the service gets the pointer. */
  uintnAt: bigint;
  /** Pointers to a GUID, to CHAR16, to a device path and to a pointer to one: as uintnAt. */
  guidAt: bigint;
  string16At: bigint;
  devicePath: bigint;
  devicePathAt: bigint;
  status: bigint;
  uint32: number;
  boolean: boolean;
  attributes: number; // EFI_VARIABLE_*
  memoryType: number; // EFI_MEMORY_TYPE
  allocateType: number; // EFI_ALLOCATE_TYPE
  resetType: number; // EFI_RESET_TYPE
  searchType: number; // EFI_LOCATE_SEARCH_TYPE
  /** EFI_GUID *: the GUID's text; undefined when the pointer is NULL. */
  guid: string | undefined;
  /** CHAR16 *: the string; undefined when the pointer is NULL. */
  string16: string | undefined;
}
export type ArgKind = keyof ArgTypes;
export type Signature = Readonly<Record<string, ArgKind>>;
export type Args<S extends Signature> = { readonly [Name in keyof S]: ArgTypes[S[Name]] };

/** Lets a service add what it gave back to the log: `show('MapKey', 'number 7')`; many lines as an array. */
export type Show = (name: string, text: string | readonly string[]) => void;

/** One EFI function as TypeScript. `run` is absent where only the arguments are known. */
export interface Service {
  readonly signature: Signature;
  readonly run: ((fw: Firmware, args: never, show: Show) => bigint) | undefined;
  /** What the function returns when a profile lacks it. */
  readonly absent: bigint;
}

/** An EFI function: the arguments in order with their kinds, and what it does. It returns an EFI_STATUS. */
export function service<const S extends Signature>(
  signature: S,
  run: (fw: Firmware, args: Args<S>, show: Show) => bigint,
  absent: bigint = Status.UNSUPPORTED,
): Service {
  return { signature, run, absent };
}

/** A function that no profile has yet: its gate logs the decoded arguments and returns `absent`. */
export function declared(signature: Signature, absent: bigint = Status.UNSUPPORTED): Service {
  return { signature, run: undefined, absent };
}

const registerArguments: readonly FirmwareRegister[] = ['rcx', 'rdx', 'r8', 'r9'];

/**
 * The integer argument `index` of the MS x64 calling convention, seen from a gate: RSP points at the return address,
 * above it stand 32 bytes of home space, then the fifth argument. UEFI 2.10 section 2.3.4.2.
 */
export function rawArgument(host: FirmwareHost, guest: GuestAccess, index: number): bigint {
  const register = registerArguments[index];
  if (register) return host.getRegister(register);
  return guest.readU64(host.getRegister('rsp') + 0x28n + BigInt(index - 4) * 8n);
}

export interface DecodedArguments {
  readonly values: Record<string, unknown>;
  readonly texts: Record<string, string>;
  /** The first pointer that had to be followed and could not be. */
  readonly bad: GuestAddressError | undefined;
  /** One of the pointers that have to be followed is NULL. */
  readonly hasNull: boolean;
}

/** Kinds of pointers that a service follows and that may not be NULL. */
const followed: ReadonlySet<ArgKind> = new Set(['guid', 'string16', 'uintnAt']);

/** Reads all arguments of a call; one that cannot be read is named in the texts and sets `bad`. `peek` is for the texts alone. */
export function decodeArguments(
  host: FirmwareHost,
  guest: GuestAccess,
  peek: GuestAccess,
  signature: Signature,
): DecodedArguments {
  const values: Record<string, unknown> = {};
  const texts: Record<string, string> = {};
  let bad: GuestAddressError | undefined;
  let hasNull = false;
  Object.entries(signature).forEach(([name, kind], index) => {
    try {
      const raw = rawArgument(host, guest, index);
      texts[name] = describeValue('pointer', raw);
      hasNull ||= raw === 0n && followed.has(kind);
      values[name] = decodeValue(guest, kind, raw);
      texts[name] = describeValue(kind, values[name], pointedText(peek, kind, raw));
    } catch (error) {
      if (!(error instanceof GuestAddressError)) throw error;
      bad ??= error;
      texts[name] = `${texts[name] ?? ''} (unreadable)`.trim();
    }
  });
  return { values, texts, bad, hasNull };
}

function decodeValue(guest: GuestAccess, kind: ArgKind, raw: bigint): unknown {
  switch (kind) {
    case 'handle':
    case 'uintn':
    case 'uint64':
    case 'pointer':
    case 'uintnAt':
    case 'guidAt':
    case 'string16At':
    case 'devicePath':
    case 'devicePathAt':
    case 'status':
      return raw;
    case 'uint32':
    case 'attributes':
    case 'memoryType':
    case 'allocateType':
    case 'resetType':
    case 'searchType':
      return Number(raw & 0xffff_ffffn);
    case 'boolean':
      return (raw & 0xffn) !== 0n;
    case 'guid':
      return raw === 0n ? undefined : guest.readGuid(raw);
    case 'string16': {
      if (raw === 0n) return undefined;
      const text = guest.readString16(raw);
      if (text === undefined) throw new GuestAddressError(raw, 65_536, 'not-present');
      return text;
    }
  }
}
