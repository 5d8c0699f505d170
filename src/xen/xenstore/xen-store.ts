import { xenStorePayloadMax, XsdType } from '../../../firmware-tables/xen/xenstore-ring.js';
import type { Stateful } from '../../devices/device.js';
import { StoreConnection, type ConnectionState } from './connection.js';
import { writeDomainTree, type DomainDescription } from './domain-tree.js';
import { NodeTable } from './node-table.js';
import { privilegedDomain, Right, rightsOf, type Permission, type StoreNode } from './nodes.js';
import { operations } from './operations.js';
import { isWithin, parentPath } from './paths.js';
import { XenStoreRefusal } from './refusal.js';
import { StoreTree } from './tree.js';

export interface XenStoreState {
  readonly table: ReturnType<NodeTable['save']>;
  readonly connection: ConnectionState;
}

/** What the store answers to a message: the reply's type and payload, one character a byte, and what follows the reply. */
export interface StoreReply {
  readonly type: number;
  readonly payload: string;
  readonly then?: () => void;
}

const toolstack = { domain: privilegedDomain, transaction: undefined };

/**
 * The store of one guest as xenstored 4.17 keeps it: the tree that xl writes for a PVH domU, the guest's end with its
 * watches and transactions, and the toolstack's (dom0's) by the methods here. Xen docs/misc/xenstore.txt.
 */
export class XenStore implements Stateful<XenStoreState> {
  /** The guest's end. */
  readonly connection: StoreConnection;

  private readonly table: NodeTable;
  private readonly tree: StoreTree;
  private readonly listeners = new Set<{ path: string; onChange: (path: string) => void }>();

  constructor(description: DomainDescription) {
    const domid = description.domid ?? 1;
    this.table = new NodeTable(domid);
    this.connection = new StoreConnection(domid, this.table);
    this.tree = new StoreTree(this.table, {
      bytes: () => this.connection.bytes,
      changed: (...change) => {
        this.changed(...change);
      },
    });
    const permissions = [{ domain: privilegedDomain, rights: Right.NONE }];
    this.table.set('/', { value: '', permissions, children: [], generation: this.table.nextGeneration() });
    writeDomainTree(this.tree, description);
  }

  /** Serves a request of the guest. Never throws for what the guest sent. */
  request(type: number, transactionId: number, payload: string): StoreReply {
    try {
      const operation = operations.get(type);
      if (operation === undefined) throw new XenStoreRefusal('ENOSYS', `message type ${String(type)}`);
      const { connection, tree } = this;
      const { domain } = connection;
      const transaction = operation.outsideTransactions === true ? undefined : connection.transaction(transactionId);
      const answer = operation.run({ tree, connection, domain, transaction, payload });
      if (answer.payload.length > xenStorePayloadMax) throw new XenStoreRefusal('E2BIG', 'the reply is too long');
      return { type, ...answer };
    } catch (error) {
      if (!(error instanceof XenStoreRefusal)) throw error;
      return { type: XsdType.ERROR, payload: `${error.code}\0` };
    }
  }

  /** The value of a node, one character a byte; undefined where there is none. Throws XenStoreRefusal for what is no path. */
  read(path: string): string | undefined {
    return this.tree.find(toolstack, path, Right.READ)?.value;
  }

  /** Names of the nodes below; undefined where there is no such node. */
  directory(path: string): readonly string[] | undefined {
    return this.tree.find(toolstack, path, Right.READ)?.children;
  }

  /**
   * Writes a node as dom0; the guest's watches fire. `write('/local/domain/1/control/shutdown', 'poweroff')` is what
   * `xl shutdown` does; the guest acknowledges by writing an empty value there.
   */
  write(path: string, value: string): void {
    this.tree.write(toolstack, path, value);
  }

  /** Removes a node and what lies below as dom0. */
  remove(path: string): void {
    this.tree.remove(toolstack, path);
  }

  /**
   * Calls `onChange` with the path whenever this node or one below changes, in the middle of the request that changes
   * it: it may read but must not write. Gives the function that ends it. Not part of a saved state.
   */
  watch(path: string, onChange: (path: string) => void): () => void {
    const listener = { path, onChange };
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  save(): XenStoreState {
    return { table: this.table.save(), connection: this.connection.save() };
  }

  restore(state: XenStoreState): void {
    this.table.restore(state.table);
    this.connection.restore(state.connection);
  }

  private changed(
    path: string,
    node: StoreNode | undefined,
    exact: boolean,
    before: readonly Permission[] | undefined,
  ): void {
    if (this.guestMaySee(path, node, before)) this.connection.fire(path, exact);
    for (const listener of this.listeners) {
      if (exact ? path === listener.path : isWithin(path, listener.path)) listener.onChange(path);
    }
  }

  /** An event is sent to who may read the node, could read it before, or may read the one above. */
  private guestMaySee(path: string, node: StoreNode | undefined, before: readonly Permission[] | undefined): boolean {
    const mayRead = (permissions: readonly Permission[] | undefined) =>
      permissions !== undefined && (rightsOf(this.connection.domain, permissions) & Right.READ) !== 0;
    if (mayRead(before)) return true;
    if (node === undefined) return false;
    return mayRead(node.permissions) || mayRead(this.table.get(parentPath(path))?.permissions);
  }
}
