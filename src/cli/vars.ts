import { toHex } from '../../firmware-tables/hex.js';
import { storageBytes, variableBytes, variableLimits, type StoredVariable } from '../firmware/index.js';
import { ConsoleOutput } from '../host/console-output.js';
import { readInput } from '../host/files.js';
import { StoreError, VariableFile, type CommitResult } from '../host/variable-file.js';
import { ExitStatus } from '../report/result.js';
import { StoredVariables } from '../variables/stored-variables.js';
import { UnusableInputError, UsageError } from './errors.js';
import type { Arguments, Command } from './options.js';
import { exportVariables, readForeign } from './vars-exchange.js';
import {
  attributesText,
  describeVariable,
  isAuthenticated,
  lasts,
  listLines,
  parseAttributes,
  parseGuid,
  parseName,
  shown,
  vendorOf,
} from './vars-text.js';

const actions = { list, get, set, delete: remove, import: importAll, export: exportAll } as const;

export const vars: Command = {
  name: 'vars',
  summary: 'Lists, gets, sets, deletes, imports and exports variables of a store (boot --vars keeps it).',
  operands: 'list|get|set|delete|import|export --vars FILE [OPTIONS]',
  options: [
    { name: 'vars', value: 'FILE', meaning: 'the store; set and import create it' },
    { name: 'name', value: 'NAME', meaning: 'the variable; in quotes as list shows it where it does' },
    { name: 'guid', value: 'GUID', meaning: 'its vendor GUID', byDefault: 'the one variable of that name' },
    { name: 'value', value: 'TEXT', meaning: 'set: its new data, as UTF-8 without a NUL' },
    {
      name: 'data',
      value: 'FILE',
      meaning: 'set: its new data; import: JSON, OVMF_VARS, a file or folder of efivarfs; export: where to',
    },
    {
      name: 'attributes',
      value: 'LIST',
      meaning: 'set: nv and bs, with rt when the running system may use it',
      byDefault: 'as it was, else nv,bs,rt',
    },
    { name: 'raw', meaning: 'get: the bytes alone' },
    {
      name: 'format',
      value: 'NAME',
      meaning: "export: json (QEMU's), ovmf or efivarfs (a folder)",
      byDefault: 'json; ovmf with --template',
    },
    { name: 'template', value: 'FILE', meaning: 'export: the OVMF_VARS image to fill; a copy is written' },
  ],
  examples: [
    'efikit vars list --vars my.vars',
    'efikit vars set --vars my.vars --name Greeting --guid 7a9ab5e3-02b6-4d6f-9d1c-55c0f8a1d2e4 --value hello',
  ],
  async run(args) {
    const [action, another] = args.operands;
    const known = Object.keys(actions).join(', ');
    if (action === undefined) throw new UsageError(`say what to do: ${known}; ${args.hint}`);
    if (another !== undefined) throw new UsageError(`"${another}" is too many; ${args.hint}`);
    if (!Object.hasOwn(actions, action)) throw new UsageError(`"${action}" is none of ${known}; ${args.hint}`);
    return actions[action as keyof typeof actions](args);
  },
};

async function list(args: Arguments): Promise<number> {
  allow(args, 'list', []);
  await print(listLines(await read(storeOf(args))).join(''));
  return ExitStatus.success;
}

async function get(args: Arguments): Promise<number> {
  allow(args, 'get', ['name', 'guid', 'raw']);
  const file = storeOf(args);
  const wanted = wantedOf(args);
  const found = find(await read(file), wanted);
  if (found === undefined) return missing(file, wanted);
  await print(args.flag('raw') ? Buffer.from(found.data, 'hex') : describeVariable(found));
  return ExitStatus.success;
}

async function set(args: Arguments): Promise<number> {
  allow(args, 'set', ['name', 'guid', 'value', 'data', 'attributes']);
  const file = storeOf(args);
  const wanted = wantedOf(args);
  const given = args.text('attributes');
  const attributes = given === undefined ? undefined : parseAttributes(given);
  const data = dataOf(args);
  await change(file, (store) => {
    const existing = find(store.all(), wanted);
    const guid = existing?.guid ?? wanted.guid ?? vendorOf(wanted.name);
    if (guid === undefined) {
      throw new UsageError(
        `--guid is missing: ${file} has no ${shown(wanted.name)} yet, and UEFI defines none of this name`,
      );
    }
    refuseAuthenticated(existing);
    const variable = {
      name: wanted.name,
      guid,
      attributes: attributes ?? existing?.attributes ?? parseAttributes('nv,bs,rt'),
      data: toHex(data),
    };
    const after = new StoredVariables(store.all());
    after.apply({ guid, name: wanted.name, variable });
    refuseTooMuch([variable], after.all());
    return store.commit({ guid, name: wanted.name, variable });
  });
  return ExitStatus.success;
}

async function remove(args: Arguments): Promise<number> {
  allow(args, 'delete', ['name', 'guid']);
  const file = storeOf(args);
  const wanted = wantedOf(args);
  if (find(await read(file), wanted) === undefined) return missing(file, wanted);
  return change(file, (store) => {
    const existing = find(store.all(), wanted);
    if (existing === undefined) return missing(file, wanted);
    refuseAuthenticated(existing);
    return store.commit({ guid: existing.guid, name: existing.name, variable: undefined });
  });
}

async function importAll(args: Arguments): Promise<number> {
  allow(args, 'import', ['data']);
  const file = storeOf(args);
  const from = args.text('data');
  if (from === undefined) throw new UsageError(`import wants --data FILE; ${args.hint}`);
  const read = readForeign(from);
  const lasting = read.filter(lasts);
  await change(file, (store) => {
    const after = new StoredVariables(store.all());
    for (const variable of lasting) after.apply({ guid: variable.guid, name: variable.name, variable });
    refuseTooMuch(lasting, after.all());
    return store.replace(after.all());
  });
  const left = read.length - lasting.length;
  const leftOut = left === 0 ? '' : `, ${String(left)} left out: volatile`;
  await print(`${String(lasting.length)} ${lasting.length === 1 ? 'variable' : 'variables'} imported${leftOut}\n`);
  return ExitStatus.success;
}

async function exportAll(args: Arguments): Promise<number> {
  allow(args, 'export', ['data', 'format', 'template']);
  return exportVariables(await read(storeOf(args)), args, print, complain);
}

/** Takes the store, changes it and gives it back. A number is the exit status. Throws StoreError. */
async function change(file: string, action: (store: VariableFile) => CommitResult | Promise<number>): Promise<number> {
  const store = VariableFile.open(file, { createLater: true });
  try {
    if (store.notice !== undefined) await complain(`${file}: ${store.notice}`);
    const result = action(store);
    if (typeof result !== 'string') return await result;
    if (result === 'stored') return ExitStatus.success;
    throw new StoreError(`${file} is as it was, the change is not stored: ${store.failure ?? 'unknown'}`);
  } finally {
    store.close();
  }
}

/** The variables of a store, and a line about what else is in its file. Throws StoreError. */
async function read(file: string): Promise<StoredVariable[]> {
  let notice: string | undefined;
  const variables = VariableFile.read(file, (text) => (notice = text));
  if (notice !== undefined) await complain(`${file}: ${notice}`);
  return variables;
}

interface Wanted {
  readonly name: string;
  readonly guid: string | undefined;
}

function storeOf(args: Arguments): string {
  const file = args.text('vars');
  if (file === undefined || file === '') throw new UsageError(`no store is named: give --vars FILE; ${args.hint}`);
  return file;
}

function wantedOf(args: Arguments): Wanted {
  const given = args.text('name');
  if (given === undefined || given === '') throw new UsageError(`no variable is named: give --name NAME; ${args.hint}`);
  const name = parseName(given);
  const guid = args.text('guid');
  return { name, guid: guid === undefined ? undefined : parseGuid(guid) };
}

/** The variable that is meant. Throws UsageError when a name alone fits several. */
function find(variables: readonly StoredVariable[], { name, guid }: Wanted): StoredVariable | undefined {
  const found = variables.filter((variable) => variable.name === name && (guid ?? variable.guid) === variable.guid);
  if (found.length > 1) {
    throw new UsageError(
      `${shown(name)} is there ${String(found.length)} times: give --guid ${found.map((v) => v.guid).join(' or ')}`,
    );
  }
  return found[0];
}

async function missing(file: string, { name, guid }: Wanted): Promise<number> {
  await complain(`${file} has no variable ${shown(name)}${guid === undefined ? '' : ` of ${guid}`}`);
  return ExitStatus.guestFailed;
}

/** A line on standard error. */
async function complain(line: string): Promise<void> {
  const messages = new ConsoleOutput(process.stderr, 'messages');
  messages.writeText(`efikit: ${line}\n`);
  await messages.finish();
}

function dataOf(args: Arguments): Uint8Array {
  const value = args.text('value');
  const from = args.text('data');
  if ((value === undefined) === (from === undefined)) {
    throw new UsageError(`set wants one of --value TEXT and --data FILE; ${args.hint}`);
  }
  const data = from === undefined ? new TextEncoder().encode(value) : readInput(from, 'the data');
  if (data.length === 0) throw new UsageError('a variable without data does not exist: efikit vars delete removes it');
  return data;
}

function refuseAuthenticated(variable: StoredVariable | undefined): void {
  if (variable === undefined || !isAuthenticated(variable)) return;
  throw new UnusableInputError(
    `${shown(variable.name)} is authenticated (${attributesText(variable.attributes)}): only the owner of its key can change it; export, change it there and import again`,
  );
}

/** What the firmware could not hold is refused. Throws UnusableInputError. */
function refuseTooMuch(changed: readonly StoredVariable[], all: readonly StoredVariable[]): void {
  for (const { name, attributes, data } of changed) {
    const bytes = (name.length + 1) * 2 + data.length / 2;
    const { largest } = variableLimits(attributes);
    if (bytes <= largest) continue;
    throw new UnusableInputError(
      `${shown(name)} has ${String(bytes)} bytes, name and data together, the firmware takes ${String(largest)}: the store is as it was`,
    );
  }
  const used = all.reduce((sum, { name, data }) => sum + variableBytes(name, data.length / 2), 0);
  if (used <= storageBytes) return;
  throw new UnusableInputError(
    `the store would hold ${String(used)} bytes of variables, the firmware takes ${String(storageBytes)}: it is as it was; delete some`,
  );
}

/** Options of other actions are refused, never ignored. Throws UsageError. */
function allow(args: Arguments, action: string, names: readonly string[]): void {
  const others = vars.options.map(({ name }) => name).filter((name) => name !== 'vars' && !names.includes(name));
  const wrong = others.find((name) => args.text(name) !== undefined || args.flag(name));
  if (wrong !== undefined) throw new UsageError(`--${wrong} says nothing to vars ${action}; ${args.hint}`);
}

async function print(content: string | Uint8Array): Promise<void> {
  const output = new ConsoleOutput(process.stdout, 'the text');
  if (typeof content === 'string') output.writeText(content);
  else for (const byte of content) output.write(byte);
  await output.finish();
}
