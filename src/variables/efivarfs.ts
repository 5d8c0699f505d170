/**
 * Variables as files, as Linux's efivarfs shows them: the name is NAME-GUID, the content the attributes (32 bits, little
 * endian) and the data. Linux writes a "/" of a name as "!"; a file name cannot say which it was.
 */
import { fromHex, toHex } from '../../firmware-tables/hex.js';
import type { StoredVariable } from '../firmware/index.js';
import { checkVariable } from './check-variable.js';
import { VariableFormatError } from './errors.js';

const fileName = /^(.+)-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/is;

const allAttributes = 0xff; // EFI_VARIABLE_*, UEFI 2.10 section 8.2.1

/** One variable's file. */
export interface VariableAsFile {
  readonly file: string; // without folder
  readonly bytes: Uint8Array;
}

/** True when a file's name is that of a variable. */
export const isEfivarfsName = (name: string): boolean => fileName.test(name);

/** Reads a variable's file. Throws VariableFormatError. */
export function readEfivarfs({ file, bytes }: VariableAsFile): StoredVariable {
  const match = fileName.exec(file);
  if (match === null) throw new VariableFormatError(`${file}: no name of efivarfs: NAME-GUID`);
  if (bytes.length < 4) {
    throw new VariableFormatError(
      `${file}: ${String(bytes.length)} bytes, but 4 bytes of attributes come first; was it copied from /sys/firmware/efi/vars? Take efivarfs`,
    );
  }
  const attributes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (attributes > allAttributes) {
    throw new VariableFormatError(`${file}: its first 4 bytes are 0x${attributes.toString(16)}, no attributes`);
  }
  return checkVariable({ guid: match[2], name: match[1], attributes, data: toHex(bytes.subarray(4)) }, file);
}

/** A variable as a file. Throws VariableFormatError when its name cannot be a file's. */
export function writeEfivarfs({ guid, name, attributes, data }: StoredVariable): VariableAsFile {
  const file = `${name.replaceAll('/', '!')}-${guid}`;
  const encoded = new TextEncoder().encode(file);
  if (new TextDecoder().decode(encoded) !== file || encoded.length > 255) {
    throw new VariableFormatError(`${JSON.stringify(name)}: no file can have this name; export as JSON`);
  }
  const bytes = new Uint8Array(4 + data.length / 2);
  new DataView(bytes.buffer).setUint32(0, attributes, true);
  bytes.set(fromHex(data), 4);
  return { file, bytes };
}

/** Variables as files of one folder. Throws VariableFormatError also when two would have one name. */
export function writeEfivarfsFiles(variables: readonly StoredVariable[]): VariableAsFile[] {
  const owners = new Map<string, string>();
  return variables.map((variable) => {
    const made = writeEfivarfs(variable);
    const owner = owners.get(made.file);
    if (owner !== undefined) {
      throw new VariableFormatError(
        `${JSON.stringify(owner)} and ${JSON.stringify(variable.name)}: both would be the file ${made.file}; export as JSON`,
      );
    }
    owners.set(made.file, variable.name);
    return made;
  });
}
