import { fromHex, toHex } from '../../firmware-tables/hex.js';
import { VariableAttribute } from '../../firmware-tables/uefi/runtime-services.js';
import { Status } from '../../firmware-tables/uefi/status.js';

/** A variable as plain data. `data` is hexadecimal. */
export interface StoredVariable {
  readonly name: string;
  readonly guid: string; // lower case
  readonly attributes: number; // EFI_VARIABLE_*, never APPEND_WRITE
  readonly data: string;
  /** EFI_TIME of the last authenticated write, 16 bytes in hexadecimal; authenticated variables alone have it. */
  readonly time?: string;
  /** SHA-256 of the certificate that may write a private authenticated variable, hexadecimal; kept for other firmware. */
  readonly digest?: string;
}

/** A change of a non-volatile variable; `variable` is undefined when it is deleted. */
export interface VariableChange {
  readonly guid: string;
  readonly name: string;
  readonly variable: StoredVariable | undefined;
}

/** Makes a change last before SetVariable returns; anything but `stored` leaves the variable as it was. */
export type CommitVariable = (change: VariableChange) => 'stored' | 'no-space' | 'failed';

/** A variable in use. */
export interface Variable {
  readonly name: string;
  readonly guid: string;
  readonly attributes: number;
  readonly data: Uint8Array;
  readonly time?: string; // as StoredVariable
  readonly digest?: string; // as StoredVariable
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
  /** Asked before each change of a non-volatile variable: a store on disk. */
  commit: CommitVariable | undefined;

  constructor(initial: readonly StoredVariable[] = []) {
    this.import(initial);
  }

  get(guid: string, name: string): Variable | undefined {
    return this.variables.find((variable) => variable.guid === guid && variable.name === name);
  }

  all(): readonly Variable[] {
    return this.variables;
  }

  /**
   * Creates or replaces; a replaced variable keeps its place in the order. Answers EFI_SUCCESS, or what the guest gets
   * when the change cannot be made to last; then nothing has changed.
   */
  put(variable: Variable): bigint {
    const status = this.makeLast(variable, plain(variable));
    if (status !== Status.SUCCESS) return status;
    const index = this.variables.findIndex(({ guid, name }) => guid === variable.guid && name === variable.name);
    if (index < 0) this.variables.push(variable);
    else this.variables[index] = variable;
    return status;
  }

  /** Answers as put() does. */
  delete(guid: string, name: string): bigint {
    const variable = this.get(guid, name);
    const status = variable === undefined ? Status.SUCCESS : this.makeLast(variable, undefined);
    if (status === Status.SUCCESS) this.variables = this.variables.filter((other) => other !== variable);
    return status;
  }

  private makeLast({ guid, name, attributes }: Variable, variable: StoredVariable | undefined): bigint {
    if (this.commit === undefined || !(attributes & VariableAttribute.NON_VOLATILE)) return Status.SUCCESS;
    const result = this.commit({ guid, name, variable });
    if (result === 'stored') return Status.SUCCESS;
    return result === 'no-space' ? Status.OUT_OF_RESOURCES : Status.DEVICE_ERROR;
  }

  /** Bytes in use. */
  usedBytes(): number {
    return this.variables.reduce((sum, { name, data }) => sum + variableBytes(name, data.length), 0);
  }

  /** Everything as plain data; with `nonVolatileOnly` what outlives the machine. */
  export(nonVolatileOnly = false): StoredVariable[] {
    return this.variables
      .filter(({ attributes }) => !nonVolatileOnly || attributes & VariableAttribute.NON_VOLATILE)
      .map(plain);
  }

  import(stored: readonly StoredVariable[]): void {
    this.variables = stored.map((variable) => ({
      ...variable,
      guid: variable.guid.toLowerCase(),
      data: fromHex(variable.data),
    }));
  }
}

/** A variable in use as plain data. */
function plain(variable: Variable): StoredVariable {
  return { ...variable, data: toHex(variable.data) };
}
