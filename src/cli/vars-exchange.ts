import { mkdirSync, readdirSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import type { StoredVariable } from '../firmware/index.js';
import { codeOf, OutputError } from '../host/console-output.js';
import { InputError, readInput } from '../host/files.js';
import { replaceFile } from '../host/replace-file.js';
import { ExitStatus } from '../report/result.js';
import { isEfivarfsName, readEfivarfs, writeEfivarfsFiles } from '../variables/efivarfs.js';
import { VariableFormatError } from '../variables/errors.js';
import { readOvmfImage, writeOvmfImage } from '../variables/ovmf-image.js';
import { readQemuJson, writeQemuJson } from '../variables/qemu-json.js';
import { qcow2Error, recognise } from '../variables/recognise.js';
import { decodeStore } from '../variables/store-format.js';
import { UsageError } from './errors.js';
import type { Arguments } from './options.js';
import { shown } from './vars-text.js';

type Print = (content: string | Uint8Array) => Promise<void>;

/** Reads variables in any format that is known. Throws InputError or VariableFormatError. */
export function readForeign(file: string): StoredVariable[] {
  const variables = statusOf(file)?.isDirectory() === true ? readFolder(file) : readFile(file);
  const names = new Set<string>();
  for (const { guid, name } of variables) {
    if (names.has(`${guid} ${name}`)) {
      throw new VariableFormatError(`${file}: ${shown(name)} of ${guid} is in it twice: take one of them out`);
    }
    names.add(`${guid} ${name}`);
  }
  return variables;
}

function readFile(file: string): StoredVariable[] {
  const bytes = readInput(file, 'the file to import');
  const name = path.basename(file);
  const format = recognise(bytes);
  if (format === 'store') return naming(file, () => decodeStore(bytes).variables.all());
  if (isEfivarfsName(name)) return [readEfivarfs({ file: name, bytes })];
  switch (format?.kind) {
    case 'qcow2':
      throw qcow2Error(file);
    case 'ovmf':
      return naming(file, () => readOvmfImage(bytes));
    case 'json':
      return naming(file, () => readQemuJson(bytes));
    case undefined:
      throw new VariableFormatError(
        `${file}: neither a JSON variable store, nor an OVMF_VARS image, nor a file of efivarfs (NAME-GUID), nor a store`,
      );
  }
}

function readFolder(folder: string): StoredVariable[] {
  let names;
  try {
    names = readdirSync(folder).filter(isEfivarfsName).sort();
  } catch (error) {
    throw new InputError(`the folder ${folder} cannot be read: ${codeOf(error)}`);
  }
  if (names.length === 0) {
    throw new VariableFormatError(
      `${folder}: no files of efivarfs in it (NAME-GUID); give /sys/firmware/efi/efivars or a copy`,
    );
  }
  const odd = names.find((name) => name.includes('\ufffd') && statusOf(path.join(folder, name)) === undefined);
  if (odd !== undefined) {
    throw new VariableFormatError(`${folder}: the name ${shown(odd)} is no UTF-8; leave the file out, or take JSON`);
  }
  return names.map((name) => readEfivarfs({ file: name, bytes: readInput(path.join(folder, name), 'the variable') }));
}

/** What a name leads to; undefined when nothing does, or nobody may know: reading says why. */
function statusOf(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}

function isSameFile(a: string, b: string): boolean {
  const [one, other] = [statusOf(a), statusOf(b)];
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}

/** Writes variables as --format, --template and --data say. Throws UsageError, OutputError or VariableFormatError. */
export async function exportVariables(
  variables: readonly StoredVariable[],
  args: Arguments,
  print: Print,
  complain: (line: string) => Promise<void>,
): Promise<number> {
  const to = args.text('data');
  const template = args.text('template');
  if (to !== undefined && isSameFile(to, args.text('vars') ?? '')) {
    throw new UsageError(`--data ${to} is the store itself: give another file`);
  }
  const format = args.text('format') ?? (template === undefined ? 'json' : 'ovmf');
  if ((format === 'ovmf') !== (template !== undefined)) {
    throw new UsageError(`--template FILE and --format ovmf go together; ${args.hint}`);
  }
  if (format === 'efivarfs') {
    if (to === undefined) throw new UsageError(`export to efivarfs wants --data FOLDER; ${args.hint}`);
    writeFolder(to, variables);
    await complainOfLoss(variables, ({ time, digest }) => time ?? digest, 'time and digest', complain);
    return ExitStatus.success;
  }
  if (format !== 'json' && format !== 'ovmf') throw new UsageError(`--format ${format}: give json, ovmf or efivarfs`);
  const content = template === undefined ? writeQemuJson(variables) : fillTemplate(template, variables);
  if (to === undefined) await print(content);
  else write(to, content);
  if (template !== undefined) await complainOfLoss(variables, ({ digest }) => digest, 'digest', complain);
  return ExitStatus.success;
}

/** Says how many variables have what the format has no place for. */
async function complainOfLoss(
  variables: readonly StoredVariable[],
  field: (variable: StoredVariable) => string | undefined,
  what: string,
  complain: (line: string) => Promise<void>,
): Promise<void> {
  const count = variables.filter((variable) => field(variable) !== undefined).length;
  if (count === 0) return;
  const of = count === 1 ? '1 authenticated variable' : `${String(count)} authenticated variables`;
  await complain(`left out, because the format has no place for it: ${what} of ${of}; JSON keeps it`);
}

function fillTemplate(file: string, variables: readonly StoredVariable[]): Uint8Array {
  const template = readInput(file, 'the template');
  const format = recognise(template);
  if (typeof format === 'object' && format.kind === 'qcow2') throw qcow2Error(file);
  return naming(file, () => writeOvmfImage(template, variables));
}

function writeFolder(folder: string, variables: readonly StoredVariable[]): void {
  const files = writeEfivarfsFiles(variables); // all names are checked before the first is written
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new OutputError(folder, codeOf(error));
  }
  for (const { file, bytes } of files) write(path.join(folder, file), bytes);
}

function write(file: string, content: string | Uint8Array): void {
  replaceFile(file, typeof content === 'string' ? new TextEncoder().encode(content) : content);
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
