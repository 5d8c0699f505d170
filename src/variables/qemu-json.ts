/**
 * QEMU's JSON variable store (device uefi-vars-x64, and virt-fw-vars --output-json): `{version: 2, variables: [{guid,
 * name, attr, data, time?, digest?}]}`, byte fields in hexadecimal.
 */
import type { StoredVariable } from '../firmware/index.js';
import { checkVariable } from './check-variable.js';
import { VariableFormatError } from './errors.js';

const version = 2;

/** Reads a JSON store. Throws VariableFormatError. */
export function readQemuJson(bytes: Uint8Array): StoredVariable[] {
  let root: unknown;
  try {
    root = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)); // a name that is no text is no other name
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new VariableFormatError(`no JSON: ${message.replace(/[\p{C}\s]+/gu, ' ')}`); // it quotes the text
  }
  if (typeof root !== 'object' || root === null || !('version' in root) || !('variables' in root)) {
    throw new VariableFormatError('no JSON variable store: it wants the fields "version" and "variables"');
  }
  if (root.version !== version) {
    throw new VariableFormatError(
      `a JSON variable store of version ${JSON.stringify(root.version)}: version 2 is known`,
    );
  }
  if (!Array.isArray(root.variables)) throw new VariableFormatError('"variables" is no list');
  return root.variables.map((value: unknown, index) => {
    const where = `variables[${String(index)}]`;
    if (typeof value !== 'object' || value === null) throw new VariableFormatError(`${where}: no object`);
    const { guid, name, attr, data, time, digest } = value as Record<string, unknown>;
    return checkVariable({ guid, name, attributes: attr, data, time, digest }, where);
  });
}

/** The text of a JSON store. */
export function writeQemuJson(variables: readonly StoredVariable[]): string {
  const list = variables.map(({ guid, name, attributes, data, time, digest }) => ({
    guid,
    name,
    attr: attributes,
    data,
    time,
    digest,
  }));
  return `${JSON.stringify({ version, variables: list }, null, 2)}\n`;
}
