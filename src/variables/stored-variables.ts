import type { StoredVariable, VariableChange } from '../firmware/index.js';

const keyOf = ({ guid, name }: { guid: string; name: string }): string => `${guid} ${name}`;

/** Variables by vendor GUID and name, each where it was last written: the order that the firmware keeps. */
export class StoredVariables {
  private readonly variables = new Map<string, StoredVariable>();

  constructor(initial: readonly StoredVariable[] = []) {
    for (const variable of initial) this.variables.set(keyOf(variable), variable);
  }

  get(guid: string, name: string): StoredVariable | undefined {
    return this.variables.get(keyOf({ guid, name }));
  }

  apply(change: VariableChange): void {
    this.variables.delete(keyOf(change));
    if (change.variable !== undefined) this.variables.set(keyOf(change), change.variable);
  }

  all(): StoredVariable[] {
    return [...this.variables.values()];
  }
}
