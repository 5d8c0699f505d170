import type { NodeTable } from './node-table.js';
import { nodeBytes, ownerOf, type StoreNode } from './nodes.js';
import { quotas } from './quotas.js';
import { XenStoreRefusal } from './refusal.js';

/** A node that a transaction has looked at: as it was then, and as it is inside. */
interface Accessed {
  readonly before: StoreNode | undefined;
  now: StoreNode | undefined;
  modified: boolean;
  /** Watches to fire at the end: those of this very node, or those above it as well. */
  fire: 'exact' | 'within' | undefined;
}

export interface TransactionState {
  readonly id: number;
  readonly failed: boolean;
  readonly created: boolean;
  readonly accessed: readonly (readonly [string, Accessed])[];
}

/** What changed, for the watches. */
export interface NodeChange {
  readonly path: string;
  readonly exact: boolean;
  readonly before: StoreNode | undefined;
}

/**
 * The store as one transaction of the guest sees it. A node is what it was when the transaction first looked at it; the
 * transaction ends with EAGAIN when one of them was changed from outside meanwhile. Xen docs/misc/xenstore.txt.
 */
export class Transaction {
  /** Something could not be written: the end will be refused. */
  failed = false;
  /** A node was created: the quota of nodes is looked at again at the end. */
  created = false;
  private readonly accessed = new Map<string, Accessed>();
  private copied = 0;

  constructor(
    readonly id: number,
    private readonly table: NodeTable,
  ) {}

  /** Bytes of the transaction's copies. */
  get bytes(): number {
    return this.copied;
  }

  /** Throws XenStoreRefusal when the transaction has looked at too many nodes. */
  get(path: string): StoreNode | undefined {
    return this.access(path).now;
  }

  set(path: string, node: StoreNode | undefined): void {
    const entry = this.access(path);
    this.copied += sizeOf(path, node) - sizeOf(path, entry.now);
    entry.now = node;
    entry.modified = true;
  }

  /** The watches of a node that the transaction changed are to fire when it ends. */
  fireLater(path: string, exact: boolean): void {
    const entry = this.access(path);
    if (entry.fire !== 'within') entry.fire = exact ? 'exact' : 'within';
  }

  /** Whether a node is no longer what it was when the transaction looked at it. */
  get conflicts(): boolean {
    for (const [path, { before }] of this.accessed) {
      if (this.table.get(path)?.generation !== before?.generation) return true;
    }
    return false;
  }

  /** By how many nodes of `domain` the store would grow. */
  growth(domain: number): number {
    const owned = (node: StoreNode | undefined) => (node !== undefined && ownerOf(node) === domain ? 1 : 0);
    let growth = 0;
    for (const [path, { now, modified }] of this.accessed) {
      if (modified) growth += owned(now) - owned(this.table.get(path));
    }
    return growth;
  }

  /** Writes what was changed, node by node, and yields each when the store has it. */
  *commit(): Generator<NodeChange> {
    for (const [path, { before, now, modified, fire }] of this.accessed) {
      if (!modified) continue;
      this.table.set(path, now && { ...now, generation: this.table.nextGeneration() });
      if (fire !== undefined) yield { path, exact: fire === 'exact', before };
    }
  }

  save(): TransactionState {
    const accessed = [...this.accessed].map(([path, entry]) => [path, { ...entry }] as const);
    return { id: this.id, failed: this.failed, created: this.created, accessed };
  }

  static restored(state: TransactionState, table: NodeTable): Transaction {
    const transaction = new Transaction(state.id, table);
    transaction.failed = state.failed;
    transaction.created = state.created;
    for (const [path, { before, now, modified, fire }] of state.accessed) {
      transaction.accessed.set(path, { before, now, modified, fire });
      transaction.copied += sizeOf(path, now);
    }
    return transaction;
  }

  private access(path: string): Accessed {
    const known = this.accessed.get(path);
    if (known !== undefined) return known;
    if (this.accessed.size >= quotas.transactionNodes) {
      this.failed = true;
      throw new XenStoreRefusal('ENOSPC', `the transaction looked at ${String(quotas.transactionNodes)} nodes already`);
    }
    const before = this.table.get(path);
    const entry: Accessed = { before, now: before, modified: false, fire: undefined };
    this.accessed.set(path, entry);
    this.copied += sizeOf(path, before);
    return entry;
  }
}

const sizeOf = (path: string, node: StoreNode | undefined): number =>
  node === undefined ? 0 : nodeBytes(node) + path.length;
