/** Handles and the protocols installed on them. A handle's value is the address of a few bytes that belong to it alone. */
export class HandleDatabase {
  private handles = new Map<bigint, Map<string, bigint>>();

  add(handle: bigint): void {
    this.handles.set(handle, new Map());
  }

  has(handle: bigint): boolean {
    return this.handles.has(handle);
  }

  /** Puts an interface (guest address, 0 allowed) on a handle, or replaces it. */
  install(handle: bigint, protocol: string, address: bigint): void {
    const protocols = this.handles.get(handle);
    if (protocols) protocols.set(protocol, address);
    else this.handles.set(handle, new Map([[protocol, address]]));
  }

  /** Takes a protocol off; a handle without protocols ceases to exist. */
  uninstall(handle: bigint, protocol: string): void {
    const protocols = this.handles.get(handle);
    protocols?.delete(protocol);
    if (protocols?.size === 0) this.handles.delete(handle);
  }

  interfaceOf(handle: bigint, protocol: string): bigint | undefined {
    return this.handles.get(handle)?.get(protocol);
  }

  /** GUIDs of what is installed on a handle. */
  protocolsOf(handle: bigint): string[] {
    return [...(this.handles.get(handle)?.keys() ?? [])];
  }

  /** Handles in the order in which they came, those with `protocol` when given. */
  list(protocol?: string): bigint[] {
    const all = [...this.handles];
    return all.filter(([, protocols]) => protocol === undefined || protocols.has(protocol)).map(([handle]) => handle);
  }

  save(): HandleState {
    return [...this.handles].map(([handle, protocols]) => ({
      handle: `0x${handle.toString(16)}`,
      protocols: [...protocols].map(([guid, address]) => [guid, `0x${address.toString(16)}`] as const),
    }));
  }

  restore(state: HandleState): void {
    this.handles = new Map(
      state.map(({ handle, protocols }) => [
        BigInt(handle),
        new Map(protocols.map(([guid, address]) => [guid, BigInt(address)])),
      ]),
    );
  }
}

export type HandleState = readonly {
  readonly handle: string;
  readonly protocols: readonly (readonly [string, string])[];
}[];
