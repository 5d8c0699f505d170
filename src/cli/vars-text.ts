import { VariableAttribute } from '../../firmware-tables/uefi/runtime-services.js';
import type { StoredVariable } from '../firmware/index.js';
import { UsageError } from './errors.js';

/** Attributes as --attributes takes and list shows them; UEFI 2.10 section 8.2.1. */
const letters: readonly (readonly [string, number])[] = [
  ['nv', VariableAttribute.NON_VOLATILE],
  ['bs', VariableAttribute.BOOTSERVICE_ACCESS],
  ['rt', VariableAttribute.RUNTIME_ACCESS],
  ['hr', VariableAttribute.HARDWARE_ERROR_RECORD],
  ['aw', VariableAttribute.AUTHENTICATED_WRITE_ACCESS],
  ['at', VariableAttribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS],
  ['ap', VariableAttribute.APPEND_WRITE],
  ['en', VariableAttribute.ENHANCED_AUTHENTICATED_ACCESS],
];
const authenticated =
  VariableAttribute.AUTHENTICATED_WRITE_ACCESS |
  VariableAttribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS |
  VariableAttribute.ENHANCED_AUTHENTICATED_ACCESS;

/** `nv,bs,rt`; unknown bits in hexadecimal. */
export function attributesText(attributes: number): string {
  const known = letters.filter(([, bit]) => attributes & bit);
  const rest = known.reduce((left, [, bit]) => left & ~bit, attributes) >>> 0;
  return [...known.map(([text]) => text), ...(rest === 0 ? [] : [`0x${rest.toString(16)}`])].join(',');
}

/** --attributes of a variable that is set. Throws UsageError. */
export function parseAttributes(text: string): number {
  let attributes = 0;
  for (const part of text.toLowerCase().split(',')) {
    const bit = letters.slice(0, 3).find(([name]) => name === part.trim())?.[1];
    if (bit === undefined) throw new UsageError(`--attributes ${text}: give nv,bs or nv,bs,rt`);
    attributes |= bit;
  }
  const least = VariableAttribute.NON_VOLATILE | VariableAttribute.BOOTSERVICE_ACCESS;
  if ((attributes & least) !== least) {
    throw new UsageError(
      `--attributes ${text}: what a store keeps has nv, and rt does not go without bs: nv,bs or nv,bs,rt`,
    );
  }
  return attributes;
}

/** --guid, in lower case. Throws UsageError. */
export function parseGuid(text: string): string {
  const guid = text.toLowerCase();
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(guid)) return guid;
  throw new UsageError(`--guid ${text}: give xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx in hexadecimal`);
}

/** --name: as it is, or in double quotes and with escapes, as list shows what no terminal can. Throws UsageError. */
export function parseName(text: string): string {
  if (!/^".*"$/s.test(text)) return text;
  let name: unknown;
  try {
    name = JSON.parse(text);
  } catch {
    // said below
  }
  if (typeof name === 'string' && name !== '' && !name.includes('\0')) return name;
  throw new UsageError(`--name ${text}: between quotes give escapes as JSON has them, no NUL, and \\" for a quote`);
}

const globalVariable = '8be4df61-93ca-11d2-aa0d-00e098032b8c'; // EFI_GLOBAL_VARIABLE, UEFI 2.10 section 3.3
const globalNames =
  /^((Boot|Driver|SysPrep|Key)[0-9A-F]{4}|BootOrder|BootNext|DriverOrder|SysPrepOrder|Timeout|OsIndications|Lang|PlatformLang|ConIn|ConOut|ErrOut)$/;

/** The GUID that UEFI gives a name that it defines itself. */
export const vendorOf = (name: string): string | undefined => (globalNames.test(name) ? globalVariable : undefined);

export const isAuthenticated = ({ attributes }: StoredVariable): boolean => (attributes & authenticated) !== 0;
export const lasts = ({ attributes }: StoredVariable): boolean => (attributes & VariableAttribute.NON_VOLATILE) !== 0;

/**
 * A name as a terminal may show it: with control characters, blank space, quotes or what is no character it comes in quotes,
 * with escapes as JSON has them.
 */
export function shown(name: string): string {
  if (/^[^\p{C}\p{Z}"]+$/u.test(name)) return name;
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(name).replace(/[\p{C}\p{Z}]/gu, (found) =>
    found === ' ' ? found : found.split('').map(escaped).join(''),
  );
}

/** A line for each variable: GUID, attributes, bytes, name. */
export function listLines(variables: readonly StoredVariable[]): string[] {
  return variables.map(
    (variable) =>
      `${variable.guid}  ${attributesText(variable.attributes).padEnd(11)}  ${String(variable.data.length / 2).padStart(6)}  ${shown(variable.name)}\n`,
  );
}

/** What a variable is, and its bytes with their ASCII text. */
export function describeVariable(variable: StoredVariable): string {
  const { name, guid, attributes, data, time, digest } = variable;
  const size = data.length / 2;
  const lines = [
    `${shown(name)}  ${guid}  ${attributesText(attributes)}  ${String(size)} ${size === 1 ? 'byte' : 'bytes'}`,
    ...(time === undefined ? [] : [`time    ${time}`]),
    ...(digest === undefined ? [] : [`digest  ${digest}`]),
  ];
  for (let at = 0; at < size; at += 16) {
    const bytes = Buffer.from(data.slice(at * 2, at * 2 + 32), 'hex');
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}
