import { BootParams, E820Type } from '../../../firmware-tables/linux/boot-params.js';
import { ScreenInfo } from '../../../firmware-tables/linux/screen-info.js';
import { SetupData, SetupDataType } from '../../../firmware-tables/linux/setup-data.js';
import { GuestAddressError, type GuestMemory } from '../../memory/guest-memory.js';

type Memory = Pick<GuestMemory, 'readPhysical'>;
/** Field by its name, with the structure's in front: `hdr.cmd_line_ptr`. Numbers are hexadecimal, other bytes as they are. */
export type Fields = Readonly<Record<string, string>>;

/** Everything that a boot loader tells Linux in the zero page and behind it. Linux Documentation/arch/x86/zero-page.rst. */
export interface ZeroPage {
  /** Those that are not 0. */
  readonly fields: Fields;
  readonly e820: readonly { readonly start: number; readonly end: number; readonly type: string }[];
  /** The chain of setup_data: type and bytes of each piece. */
  readonly setupData: readonly { readonly type: string; readonly bytes: number }[];
  readonly commandLine: string | undefined;
  readonly initrd: { readonly address: number; readonly bytes: number } | undefined;
}

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const longestCommandLine = 4096;
const mostPieces = 64;

/** Reads a zero page out of guest memory; `at` is guest-physical. */
export function readZeroPage(memory: Memory, at: number): ZeroPage {
  const bytes = memory.readPhysical(at, BootParams.size);
  const params = BootParams.decode(bytes);
  const { hdr } = params;
  const wide = (low: number, high: number): number => low + high * 2 ** 32;
  const commandLineAt = wide(hdr.cmd_line_ptr, params.ext_cmd_line_ptr);
  const initrdBytes = wide(hdr.ramdisk_size, params.ext_ramdisk_size);
  return {
    fields: fieldsOf(params),
    e820: params.e820_table.slice(0, params.e820_entries).map(({ addr, size, type }) => ({
      start: Number(addr),
      end: Number(addr) + Number(size),
      type: Object.entries(E820Type).find(([, value]) => value === type)?.[0] ?? String(type),
    })),
    setupData: setupDataOf(memory, Number(hdr.setup_data)),
    commandLine: commandLineAt === 0 ? undefined : textAt(memory, commandLineAt),
    initrd:
      initrdBytes === 0
        ? undefined
        : { address: wide(hdr.ramdisk_image, params.ext_ramdisk_image), bytes: initrdBytes },
  };
}

/** Plain fields of a decoded structure, nested ones with a dot; arrays and what is 0 are left out. */
function fieldsOf(values: object, prefix = ''): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    const path = prefix + name;
    if (path === 'screen_info' && value instanceof Uint8Array)
      Object.assign(fields, fieldsOf(ScreenInfo.decode(value), 'screen_info.'));
    else if (value instanceof Uint8Array) {
      if (value.some((byte) => byte !== 0)) fields[path] = bytesText(value);
    } else if (typeof value === 'bigint' || typeof value === 'number') {
      if (Number(value) !== 0) fields[path] = hex(value);
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      Object.assign(fields, fieldsOf(value, `${path}.`));
  }
  return fields;
}

/** Without the zeros at the end. */
function bytesText(bytes: Uint8Array): string {
  const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
  return Array.from(bytes.subarray(0, used), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function setupDataOf(memory: Memory, first: number): { type: string; bytes: number }[] {
  const pieces: { type: string; bytes: number }[] = [];
  for (let at = first; at !== 0 && pieces.length < mostPieces;) {
    const header = readOrNothing(memory, at, SetupData.size);
    if (header === undefined) break;
    const { next, type, len } = SetupData.decode(header);
    const name = Object.entries(SetupDataType).find(([, value]) => value === type)?.[0] ?? hex(type);
    pieces.push({ type: name, bytes: len });
    at = Number(next);
  }
  return pieces;
}

function textAt(memory: Memory, at: number): string | undefined {
  const bytes = readOrNothing(memory, at, longestCommandLine);
  if (bytes === undefined) return undefined;
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
}

function readOrNothing(memory: Memory, at: number, length: number): Uint8Array | undefined {
  try {
    return memory.readPhysical(at, length);
  } catch (error) {
    if (error instanceof GuestAddressError) return undefined;
    throw error;
  }
}
