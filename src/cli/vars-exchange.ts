import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { StoredVariable } from '../firmware/index.js';
import { codeOf, OutputError } from '../host/console-output.js';
import { readInput } from '../host/files.js';
import { ExitStatus } from '../report/result.js';
import { isEfivarfsName, readEfivarfs, writeEfivarfs } from '../variables/efivarfs.js';
import { VariableFormatError } from '../variables/errors.js';
import { readOvmfImage, writeOvmfImage } from '../variables/ovmf-image.js';
import { readQemuJson, writeQemuJson } from '../variables/qemu-json.js';
import { qcow2Error, recognise } from '../variables/recognise.js';
import { decodeStore } from '../variables/store-format.js';
import { UsageError } from './errors.js';
import type { Arguments } from './options.js';

/** Reads variables in any format that is known. Throws InputError or VariableFormatError. */
export function readForeign(file: string): StoredVariable[] {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) return readFolder(file);
  const bytes = readInput(file, 'the file to import');
  const name = path.basename(file);
  if (isEfivarfsName(name)) return [readEfivarfs({ file: name, bytes })];
  const format = recognise(bytes);
  if (format === undefined) {
    throw new VariableFormatError(
      `${file}: neither a JSON variable store, nor an OVMF_VARS image, nor a file of efivarfs (NAME-GUID), nor a store`,
    );
  }
  if (format !== 'store' && format.kind === 'qcow2') throw qcow2Error(file);
  return naming(file, () => {
    if (format === 'store') return decodeStore(bytes).variables.all();
    return format.kind === 'ovmf' ? readOvmfImage(bytes) : readQemuJson(new TextDecoder().decode(bytes));
  });
}

function readFolder(folder: string): StoredVariable[] {
  const names = readdirSync(folder).filter(isEfivarfsName).sort();
  if (names.length === 0) {
    throw new VariableFormatError(
      `${folder}: no files of efivarfs in it (NAME-GUID); give /sys/firmware/efi/efivars or a copy`,
    );
  }
  return names.map((name) => readEfivarfs({ file: name, bytes: readInput(path.join(folder, name), 'the variable') }));
}

/** Writes variables as --format, --template and --data say. Throws UsageError, OutputError or VariableFormatError. */
export async function exportVariables(
  variables: readonly StoredVariable[],
  args: Arguments,
  print: (content: string | Uint8Array) => Promise<void>,
): Promise<number> {
  const to = args.text('data');
  const template = args.text('template');
  if (to !== undefined && path.resolve(to) === path.resolve(args.text('vars') ?? '')) {
    throw new UsageError(`--data ${to} is the store itself: give another file`);
  }
  const format = args.text('format') ?? (template === undefined ? 'json' : 'ovmf');
  if ((format === 'ovmf') !== (template !== undefined)) {
    throw new UsageError(`--template FILE and --format ovmf go together; ${args.hint}`);
  }
  if (format === 'efivarfs') {
    if (to === undefined) throw new UsageError(`export to efivarfs wants --data FOLDER; ${args.hint}`);
    writeFolder(to, variables);
    return ExitStatus.success;
  }
  if (format !== 'json' && format !== 'ovmf') throw new UsageError(`--format ${format}: give json, ovmf or efivarfs`);
  const content = template === undefined ? writeQemuJson(variables) : fillTemplate(template, variables);
  if (to === undefined) await print(content);
  else write(to, content);
  return ExitStatus.success;
}

function fillTemplate(file: string, variables: readonly StoredVariable[]): Uint8Array {
  const template = readInput(file, 'the template');
  const format = recognise(template);
  if (format !== undefined && format !== 'store' && format.kind === 'qcow2') throw qcow2Error(file);
  return naming(file, () => writeOvmfImage(template, variables));
}

function writeFolder(folder: string, variables: readonly StoredVariable[]): void {
  const files = variables.map(writeEfivarfs); // all names are checked before the first is written
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new OutputError(folder, codeOf(error));
  }
  for (const { file, bytes } of files) write(path.join(folder, file), bytes);
}

function write(file: string, content: string | Uint8Array): void {
  try {
    writeFileSync(file, content);
  } catch (error) {
    throw new OutputError(file, codeOf(error));
  }
}

function naming<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof VariableFormatError)
      throw new VariableFormatError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}
