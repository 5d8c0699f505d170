import { VariableAttribute } from '../../firmware-tables/uefi/runtime-services.js';

/** A variable as plain data. `data` is hexadecimal. */
export interface StoredVariable {
  readonly name: string;
  readonly guid: string; // lower case
  readonly attributes: number; // EFI_VARIABLE_*, never APPEND_WRITE
  readonly data: string;
}

/** A variable in use. */
export interface Variable {
  readonly name: string;
  readonly guid: string;
  readonly attributes: number;
  readonly data: Uint8Array;
}

/** Bytes of all variables together (names, data and a header each), and of the largest one. */
export const storageBytes = 256 * 1024;
export const largestVariableBytes = 64 * 1024;
const headerBytes = 32;

/** Bytes that a variable takes of the storage. */
export const variableBytes = (name: string, dataBytes: number): number =>
  headerBytes + (name.length + 1) * 2 + dataBytes;

/** All variables, in the order in which they were created; the order that GetNextVariableName shows. */
export class VariableStore {
  private variables: Variable[] = [];
  /** Called after each change, so that a store on disk can follow. */
  onChange: (() => void) | undefined;

  constructor(initial: readonly StoredVariable[] = []) {
    this.import(initial);
  }

  get(guid: string, name: string): Variable | undefined {
    return this.variables.find((variable) => variable.guid === guid && variable.name === name);
  }

  all(): readonly Variable[] {
    return this.variables;
  }

  /** Creates or replaces; a replaced variable keeps its place in the order. */
  put(variable: Variable): void {
    const index = this.variables.findIndex(({ guid, name }) => guid === variable.guid && name === variable.name);
    if (index < 0) this.variables.push(variable);
    else this.variables[index] = variable;
    this.onChange?.();
  }

  delete(guid: string, name: string): void {
    this.variables = this.variables.filter((variable) => variable.guid !== guid || variable.name !== name);
    this.onChange?.();
  }

  /** Bytes in use. */
  usedBytes(): number {
    return this.variables.reduce((sum, { name, data }) => sum + variableBytes(name, data.length), 0);
  }

  /** Everything as plain data; with `nonVolatileOnly` what outlives the machine. */
  export(nonVolatileOnly = false): StoredVariable[] {
    return this.variables
      .filter(({ attributes }) => !nonVolatileOnly || attributes & VariableAttribute.NON_VOLATILE)
      .map(({ name, guid, attributes, data }) => ({ name, guid, attributes, data: toHex(data) }));
  }

  import(stored: readonly StoredVariable[]): void {
    this.variables = stored.map(({ name, guid, attributes, data }) => ({
      name,
      guid: guid.toLowerCase(),
      attributes,
      data: fromHex(data),
    }));
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length >> 1 }, (_, i) => Number.parseInt(text.slice(i * 2, i * 2 + 2), 16));
}
