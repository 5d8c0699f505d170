import type { StoredVariable, VariableChange } from '../firmware/index.js';

const keyOf = ({ guid, name }: { guid: string; name: string }): string => `${guid} ${name}`;

/** Variables by vendor GUID and name, in the order in which they were created, as the firmware keeps them. */
export class StoredVariables {
  private readonly variables = new Map<string, StoredVariable>();

  constructor(initial: readonly StoredVariable[] = []) {
    for (const variable of initial) this.variables.set(keyOf(variable), variable);
  }

  get(guid: string, name: string): StoredVariable | undefined {
    return this.variables.get(keyOf({ guid, name }));
  }

  /** A variable that is replaced keeps its place. */
  apply(change: VariableChange): void {
    if (change.variable === undefined) this.variables.delete(keyOf(change));
    else this.variables.set(keyOf(change), change.variable);
  }

  all(): StoredVariable[] {
    return [...this.variables.values()];
  }
}
