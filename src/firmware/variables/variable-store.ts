import { fromHex, toHex } from '../../../firmware-tables/hex.js';
import { VariableAttribute } from '../../../firmware-tables/uefi/runtime-services.js';
import { Status } from '../../../firmware-tables/uefi/status.js';

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

/** As OVMF's build of 4 MiB has them; each store begins with a header that holds no variables. */
const nonVolatile = { storage: 0x40000 - 72 - 28, largest: 0x8400 };
const volatile = { storage: 0x80000 - 28, largest: 0x40000 };
/** AUTHENTICATED_VARIABLE_HEADER of EDK II, in front of each name and data. */
export const variableHeaderBytes = 60;

/** Bytes of all non-volatile variables together: headers, names and data. */
export const storageBytes = nonVolatile.storage;

/**
 * Bytes of the storage where variables of these attributes are, and of the largest variable, name and data together.
 * UEFI 2.10 section 8.2.4.
 */
export function variableLimits(attributes: number): { readonly storage: number; readonly largest: number } {
  const { storage, largest } = attributes & VariableAttribute.NON_VOLATILE ? nonVolatile : volatile;
  return { storage, largest: largest - variableHeaderBytes };
}

/** Bytes that a variable takes of the storage. */
export const variableBytes = (name: string, dataBytes: number): number =>
  (variableHeaderBytes + (name.length + 1) * 2 + dataBytes + 3) & ~3;

/** All variables, each where it was last written: the order that GetNextVariableName shows, volatile ones first. */
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
    const lasts = ({ attributes }: Variable): boolean => (attributes & VariableAttribute.NON_VOLATILE) !== 0;
    return [...this.variables.filter((variable) => !lasts(variable)), ...this.variables.filter(lasts)];
  }

  /**
   * Creates or replaces, and puts the variable behind all others. Answers EFI_SUCCESS, or what the guest gets when the
   * change cannot be made to last; then nothing has changed.
   */
  put(variable: Variable): bigint {
    const status = this.makeLast(variable, plain(variable));
    if (status !== Status.SUCCESS) return status;
    const old = this.get(variable.guid, variable.name);
    this.variables = [...this.variables.filter((other) => other !== old), variable];
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

  /** Bytes in use where variables of these attributes are. */
  usedBytes(attributes: number): number {
    return this.variables
      .filter((variable) => ((variable.attributes ^ attributes) & VariableAttribute.NON_VOLATILE) === 0)
      .reduce((sum, { name, data }) => sum + variableBytes(name, data.length), 0);
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
