import { parseArgs } from 'node:util';
import { UsageError } from './errors.js';

/** An option as --help shows it and parseArgs takes it. */
export interface Option {
  readonly name: string;
  /** What stands for its value in the help; a switch has none. */
  readonly value?: string;
  readonly meaning: string;
  readonly byDefault?: string;
  readonly multiple?: boolean;
  /** Announced, but not built: it is refused with this text. */
  readonly unbuilt?: string;
}

/** A command of efikit. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments as the usage line shows them. */
  readonly operands: string;
  readonly options: readonly Option[];
  readonly examples: readonly [string, string];
  /** Answers the exit status. */
  run(args: Arguments): Promise<number>;
}

/** What the user gave. */
export class Arguments {
  constructor(
    readonly command: string,
    readonly operands: readonly string[],
    private readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>,
  ) {}

  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === 'string' ? value : undefined;
  }

  texts(name: string): readonly string[] {
    const value = this.values[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
  }

  /** Whether it was given at all. */
  has(name: string): boolean {
    const value = this.values[name];
    return Array.isArray(value) ? value.length > 0 : value !== undefined;
  }

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  /** A whole number of at least 1. Throws UsageError. */
  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const plain = text.replaceAll('_', '');
    if (!/^\d+$/.test(plain) || !Number.isSafeInteger(Number(plain)) || Number(plain) < 1) {
      throw new UsageError(`--${name} ${text}: give a whole number of at least 1`);
    }
    return Number(plain);
  }

  /** A number of seconds above 0. Throws UsageError. */
  seconds(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === '' || !(value > 0) || !Number.isFinite(value)) {
      throw new UsageError(`--${name} ${text}: give a number of seconds above 0`);
    }
    return value;
  }

  /** The one operand. Throws UsageError. */
  get image(): string {
    const [image, another] = this.operands;
    if (image === undefined) throw new UsageError(`no IMAGE is named; ${this.hint}`);
    if (another !== undefined) throw new UsageError(`one IMAGE only, "${another}" is too many; ${this.hint}`);
    return image;
  }

  get hint(): string {
    return `efikit ${this.command} --help shows the options`;
  }
}

/** Reads a command's arguments. Throws UsageError. undefined when help was asked for. */
export function parseArguments(command: Command, argv: readonly string[]): Arguments | undefined {
  const known = Object.fromEntries(
    command.options.map(({ name, value, multiple }) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple: multiple === true },
    ]),
  );
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      options: { ...known, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw new UsageError(`${firstSentence(error)}; efikit ${command.name} --help shows the options`);
  }
  const values: Record<string, string | boolean | (string | boolean)[] | undefined> = parsed.values;
  if (values['help'] === true) return undefined;
  for (const { name, unbuilt } of command.options) {
    if (unbuilt !== undefined && values[name] !== undefined)
      throw new UsageError(`--${name} is not built yet: ${unbuilt}`);
  }
  return new Arguments(command.name, parsed.positionals, values);
}

/** `Unknown option '--x'` out of parseArgs' longer advice. */
function firstSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split(/\. |\n/)[0]?.replace(/\.$/, '') ?? message;
}

/** The text of `efikit COMMAND --help`: one line an option, then two examples. */
export function helpText(command: Command): string {
  const heads = command.options.map(({ name, value }) => `--${name}${value === undefined ? '' : ` ${value}`}`);
  const width = Math.max(...heads.map(({ length }) => length), '--help'.length);
  const lines = command.options.map(({ meaning, byDefault, unbuilt }, i) => {
    const suffix =
      unbuilt !== undefined ? ' (not built yet)' : byDefault === undefined ? '' : ` (default: ${byDefault})`;
    return `  ${(heads[i] ?? '').padEnd(width)}  ${meaning}${suffix}`;
  });
  return [
    `efikit ${command.name} ${command.operands}`,
    '',
    `  ${command.summary}`,
    '',
    ...lines,
    `  ${'--help'.padEnd(width)}  this text`,
    '',
    'examples:',
    ...command.examples.map((example) => `  ${example}`),
    '',
  ].join('\n');
}
