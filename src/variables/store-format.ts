/**
 * The file of a variable store, version 1: a log that only grows. docs/variable-store.md.
 *
 *     efikit-variable-store 1
 *     3a5c01f7 {"guid":"...","name":"Boot0000","attributes":7,"data":"0001..."}
 *     9be00c12 {"guid":"...","name":"Boot0000","deleted":true}
 *
 * Each line ends in one line feed; a record opens with the CRC-32 of the JSON text behind it. The last record of a
 * variable counts. A record is there when its line feed is: what a cut off write leaves was never acknowledged.
 */
import type { StoredVariable, VariableChange } from '../firmware/index.js';
import { concatenate } from '../bytes/concatenate.js';
import { crc32 } from '../bytes/crc32.js';
import { checkName, checkVariable, type UncheckedVariable } from './check-variable.js';
import { VariableFormatError } from './errors.js';
import { StoredVariables } from './stored-variables.js';

const magic = 'efikit-variable-store ';
const version = 1;
const lineFeed = 0x0a;
const sector = 512; // bytes: what a medium writes as a whole, and file systems in multiples of
const encoder = new TextEncoder();

/** What a store's file holds. */
export interface StoreContents {
  readonly variables: StoredVariables;
  /** Bytes up to the end of the last whole record: where the next one goes. */
  readonly length: number;
  /** Bytes behind them: a write that was cut off before it was acknowledged. */
  readonly unfinished: number;
}

/** The bytes of an empty store. */
export const storeHeader = (): Uint8Array => encoder.encode(`${magic}${String(version)}\n`);

/** True when bytes begin as a store of any version does. */
export const isStore = (bytes: Uint8Array): boolean => startsWith(bytes, encoder.encode(magic));

/** One record: a line of the file. */
export function encodeRecord({ guid, name, variable }: VariableChange): Uint8Array {
  const content = variable === undefined ? { guid, name, deleted: true } : ordered(variable);
  const json = encoder.encode(JSON.stringify(content));
  const record = new Uint8Array(json.length + 10);
  record.set(encoder.encode(`${crc32(json).toString(16).padStart(8, '0')} `));
  record.set(json, 9);
  record[record.length - 1] = lineFeed;
  return record;
}

/** A whole store: the header and a record for each variable. */
export function encodeStore(variables: readonly StoredVariable[]): Uint8Array {
  const records = variables.map((variable) => encodeRecord({ guid: variable.guid, name: variable.name, variable }));
  return concatenate([storeHeader(), ...records]);
}

/** Reads a store's file. Throws VariableFormatError when it is none, of another version, or damaged. */
export function decodeStore(bytes: Uint8Array): StoreContents {
  const header = storeHeader();
  if (!startsWith(bytes, header)) throw new VariableFormatError(describeHeader(bytes));
  const variables = new StoredVariables();
  let good = header.length;
  let bad: number | undefined; // offset of the first record that does not hold
  for (let at = good; ;) {
    const end = bytes.indexOf(lineFeed, at);
    if (end < 0) break;
    const json = recordText(bytes.subarray(at, end));
    if (json === undefined) bad ??= at;
    else if (bad !== undefined) throw damaged(bad);
    else {
      variables.apply(decodeRecord(json, at));
      good = end + 1;
    }
    at = end + 1;
  }
  if (!isCutOff(bytes.subarray(good), good)) throw damaged(good);
  return { variables, length: good, unfinished: bytes.length - good };
}

/**
 * True for what a write leaves that was cut off: the beginning of a record, or one with sectors that never reached the
 * medium and read as zeros. Anything else behind the last whole record was one, and somebody changed it.
 */
function isCutOff(tail: Uint8Array, offset: number): boolean {
  for (let at = 0; at < tail.length;) {
    const end = Math.min(at + sector - ((offset + at) % sector), tail.length);
    if (tail.subarray(at, end).every((byte) => byte === 0)) return true;
    at = end;
  }
  return !tail.includes(lineFeed) && recordText(tail.subarray(0, -1)) === undefined;
}

const damaged = (offset: number): VariableFormatError =>
  new VariableFormatError(
    `damaged at offset ${String(offset)}: the checksum of this line is wrong; take a copy from before, or delete the line in an editor and lose what it held`,
  );

/** The JSON text of a line whose checksum holds. */
function recordText(line: Uint8Array): string | undefined {
  const head = new TextDecoder().decode(line.subarray(0, 9));
  const json = line.subarray(9);
  if (!/^[0-9a-f]{8} $/.test(head) || crc32(json) !== Number.parseInt(head, 16)) return undefined;
  return new TextDecoder().decode(json);
}

function decodeRecord(json: string, offset: number): VariableChange {
  const where = `the record at offset ${String(offset)}`;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new VariableFormatError(`${where}: no JSON, though its checksum is right; another program wrote it`);
  }
  if (typeof value !== 'object' || value === null) throw new VariableFormatError(`${where}: no JSON object`);
  const record = value as UncheckedVariable & { readonly deleted?: unknown };
  if (record.deleted === true) {
    checkName(record, where);
    return { guid: (record.guid as string).toLowerCase(), name: record.name as string, variable: undefined };
  }
  const variable = checkVariable(record, where);
  return { guid: variable.guid, name: variable.name, variable };
}

function describeHeader(bytes: Uint8Array): string {
  if (!isStore(bytes)) return 'no variable store of efikit';
  const given = /^\d+(?=\n)/.exec(new TextDecoder().decode(bytes.subarray(magic.length, magic.length + 12)))?.[0];
  if (given === undefined) return `damaged at offset ${String(magic.length)}: the version is unreadable`;
  return `a variable store of version ${given}; this efikit knows version ${String(version)}: take a newer efikit`;
}

const ordered = ({ guid, name, attributes, data, time, digest }: StoredVariable): object => ({
  guid,
  name,
  attributes,
  data,
  time,
  digest,
});

const startsWith = (bytes: Uint8Array, start: Uint8Array): boolean =>
  bytes.length >= start.length && start.every((byte, i) => bytes[i] === byte);
