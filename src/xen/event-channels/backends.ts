/** One end of an event channel in domain 0, with the backend behind it. */
export interface Backend {
  /** The port that the toolstack made for it in the guest's domain: its name. */
  readonly port: number;
  /** Its own port, in domain 0. */
  readonly remotePort: number;
  /** The guest's port that it is bound to; 0 while it waits for the guest to bind again. */
  local: number;
  /** The guest sent an event. */
  onSend: () => void;
}

export interface BackendState {
  readonly port: number;
  readonly remotePort: number;
  readonly local: number;
}

/** Domain 0's ends. An end whose guest port was closed stays, unbound, and the guest may bind a port to it again. */
export class Backends {
  readonly #all: Backend[] = [];

  add(backend: Backend): void {
    this.#all.push(backend);
  }

  /** By the guest's port that the toolstack made. */
  named(port: number): Backend | undefined {
    return this.#all.find((backend) => backend.port === port);
  }

  /** By domain 0's port. */
  at(remotePort: number): Backend | undefined {
    return this.#all.find((backend) => backend.remotePort === remotePort);
  }

  save(): readonly BackendState[] {
    return this.#all.map(({ port, remotePort, local }) => ({ port, remotePort, local }));
  }

  /** Backends that are connected keep what they do; others do nothing until they are. */
  restore(state: readonly BackendState[]): void {
    const connected = new Map(this.#all.map((backend) => [backend.port, backend.onSend]));
    this.#all.length = 0;
    for (const backend of state)
      this.#all.push({ ...backend, onSend: connected.get(backend.port) ?? (() => undefined) });
  }
}
