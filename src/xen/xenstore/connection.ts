import type { NodeTable } from './node-table.js';
import { absolutePath, domainPath, isNodePath, isWithin } from './paths.js';
import { xenStorePathMax } from '../../../firmware-tables/xen/xenstore-ring.js';
import { quotas } from './quotas.js';
import { XenStoreRefusal } from './refusal.js';
import { Transaction, type TransactionState } from './transaction.js';

interface Watch {
  /** Absolute. */
  readonly path: string;
  readonly token: string;
  /** The domain named it by a relative path, and its events do so, too. */
  readonly relative: boolean;
}

export interface ConnectionState {
  readonly watches: readonly Watch[];
  readonly transactions: readonly TransactionState[];
  readonly nextTransaction: number;
}

/** What the store keeps for the guest's end of the ring: watches and transactions, in the order of their making. */
export class StoreConnection {
  /** A watch fires. The path as the watch named it. */
  onEvent: (path: string, token: string) => void = () => undefined;
  /** Bytes that wait to be written to the ring; they count for the domain's memory. */
  queuedBytes: () => number = () => 0;

  private watches: Watch[] = [];
  private transactions = new Map<number, Transaction>();
  private nextTransaction = 0;

  constructor(
    readonly domain: number,
    private readonly table: NodeTable,
  ) {}

  /** Bytes that xenstored keeps for the domain. */
  get bytes(): number {
    let bytes = this.table.bytes + this.queuedBytes();
    for (const { path, token } of this.watches) bytes += path.length + token.length;
    for (const transaction of this.transactions.values()) bytes += transaction.bytes;
    return bytes;
  }

  /** Adds a watch and gives the function that fires it for the first time. Throws XenStoreRefusal. */
  watch(name: string, token: string): () => void {
    const path = absolutePath(this.domain, name);
    if (path.startsWith('@') ? path.length > xenStorePathMax : !isNodePath(path)) {
      throw new XenStoreRefusal('EINVAL', `${JSON.stringify(name)} is not a path`);
    }
    if (this.watches.some((watch) => watch.path === path && watch.token === token)) {
      throw new XenStoreRefusal('EEXIST', `${path} has a watch with this token`);
    }
    if (this.watches.length > quotas.watches) {
      throw new XenStoreRefusal('E2BIG', `a domain may have ${String(quotas.watches + 1)} watches`);
    }
    if (this.bytes + path.length + token.length >= quotas.memory) {
      throw new XenStoreRefusal('ENOMEM', `a domain may take ${String(quotas.memory)} bytes`);
    }
    const watch = { path, token, relative: path !== name };
    this.watches.push(watch);
    return () => {
      this.onEvent(this.nameFor(watch, path), token);
    };
  }

  unwatch(name: string, token: string): void {
    const path = absolutePath(this.domain, name);
    const found = this.watches.findIndex((watch) => watch.path === path && watch.token === token);
    if (found < 0) throw new XenStoreRefusal('ENOENT', `${path} has no watch with this token`);
    this.watches.splice(found, 1);
  }

  /** A node changed: the watches of it and, unless `exact`, of those above fire. */
  fire(path: string, exact: boolean): void {
    for (const watch of this.watches) {
      if (exact ? watch.path === path : isWithin(path, watch.path)) {
        this.onEvent(this.nameFor(watch, path), watch.token);
      }
    }
  }

  startTransaction(): number {
    if (this.transactions.size > quotas.transactions) {
      throw new XenStoreRefusal('ENOSPC', `a domain may have ${String(quotas.transactions + 1)} transactions`);
    }
    let id = this.nextTransaction;
    while (id === 0 || this.transactions.has(id)) id = (id + 1) >>> 0;
    this.nextTransaction = (id + 1) >>> 0;
    this.transactions.set(id, new Transaction(id, this.table));
    return id;
  }

  /** Id 0 is no transaction. Throws XenStoreRefusal where there is none of that id. */
  transaction(id: number): Transaction | undefined {
    const transaction = this.transactions.get(id);
    if (id !== 0 && transaction === undefined) throw new XenStoreRefusal('ENOENT', `transaction ${String(id)}`);
    return transaction;
  }

  endTransaction(transaction: Transaction): void {
    this.transactions.delete(transaction.id);
  }

  /** Forgets watches and transactions. */
  reset(): void {
    this.watches = [];
    this.transactions.clear();
  }

  save(): ConnectionState {
    const transactions = [...this.transactions.values()].map((transaction) => transaction.save());
    return { watches: [...this.watches], transactions, nextTransaction: this.nextTransaction };
  }

  restore(state: ConnectionState): void {
    this.watches = [...state.watches];
    this.nextTransaction = state.nextTransaction;
    this.transactions = new Map(state.transactions.map((saved) => [saved.id, Transaction.restored(saved, this.table)]));
  }

  private nameFor(watch: Watch, path: string): string {
    return watch.relative ? path.slice(domainPath(this.domain).length + 1) : path;
  }
}
