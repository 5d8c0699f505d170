import type { NodeTable } from './node-table.js';
import { nodeBytes, ownerOf, privilegedDomain, Right, rightsOf, type Permission, type StoreNode } from './nodes.js';
import { childPath, isNodePath, lastName, parentPath } from './paths.js';
import { quotas } from './quotas.js';
import { XenStoreRefusal } from './refusal.js';
import type { Transaction } from './transaction.js';

/** Whoever asks: a domain, and the transaction that it asks in. */
export interface Actor {
  readonly domain: number;
  readonly transaction: Transaction | undefined;
}

export interface TreeHost {
  /** Bytes kept for the domain whose quotas count. */
  bytes(): number;
  /**
   * A node changed or went: watches fire. `node` as it is or was; `exact`: only watches of this very node; `before`:
   * the permissions that it had.
   */
  changed(path: string, node: StoreNode | undefined, exact: boolean, before: readonly Permission[] | undefined): void;
}

/** The operations on nodes, with the permissions and quotas of xenstored. All paths are absolute; all throw XenStoreRefusal. */
export class StoreTree {
  constructor(
    private readonly table: NodeTable,
    private readonly host: TreeHost,
  ) {}

  /** A node that the actor has these rights to; undefined when there is none and the actor may know that. */
  find(actor: Actor, path: string, rights: number): StoreNode | undefined {
    if (!isNodePath(path)) throw new XenStoreRefusal('EINVAL', `${JSON.stringify(path)} is not a path`);
    const node = this.get(actor, path);
    const granted = rightsOf(actor.domain, (node ?? this.nearest(actor, path)).permissions);
    if (node !== undefined ? (granted & rights) === rights : (granted & rights) !== 0) return node;
    throw new XenStoreRefusal('EACCES', path);
  }

  /** As `find`, and ENOENT when there is none. */
  read(actor: Actor, path: string, rights: number): StoreNode {
    const node = this.find(actor, path, rights);
    if (node === undefined) throw new XenStoreRefusal('ENOENT', path);
    return node;
  }

  write(actor: Actor, path: string, value: string): void {
    const node = this.find(actor, path, Right.WRITE);
    if (node === undefined) this.create(actor, path, value);
    else this.put(actor, [[path, { ...node, value }]]);
    this.changed(actor, path, false);
  }

  makeDirectory(actor: Actor, path: string): void {
    if (this.find(actor, path, Right.WRITE) !== undefined) return;
    this.create(actor, path, '');
    this.changed(actor, path, false);
  }

  /** Removes a node and what lies below. One that is not there is fine where there is a node above. */
  remove(actor: Actor, path: string): void {
    const node = this.find(actor, path, Right.WRITE);
    const above = parentPath(path);
    const parent = this.get(actor, above);
    if (parent === undefined) throw new XenStoreRefusal('ENOENT', above);
    if (node === undefined) return;
    if (path === '/') throw new XenStoreRefusal('EINVAL', 'the root cannot be removed');
    this.removeBelow(actor, path, node, path);
    const children = parent.children.filter((name) => name !== lastName(path));
    this.set(actor, above, { ...parent, children });
  }

  setPermissions(actor: Actor, path: string, permissions: readonly Permission[]): void {
    const node = this.read(actor, path, Right.WRITE | Right.OWNER);
    if (isUnprivileged(actor) && permissions[0]?.domain !== ownerOf(node)) {
      throw new XenStoreRefusal('EPERM', `${path}: the owner cannot be changed`);
    }
    this.put(actor, [[path, { ...node, permissions }]]);
    this.changed(actor, path, false, node.permissions);
  }

  /** Ends a transaction with its changes; EAGAIN when a node that it looked at has changed. */
  commit(actor: Actor, transaction: Transaction): void {
    if (transaction.failed) throw new XenStoreRefusal('ENOMEM', 'a write of the transaction failed');
    const limited = transaction.created && isUnprivileged(actor);
    if (limited && this.table.entries + transaction.growth(actor.domain) >= quotas.entries) {
      throw new XenStoreRefusal('ENOSPC', `a domain may have ${String(quotas.entries)} nodes`);
    }
    if (transaction.conflicts) throw new XenStoreRefusal('EAGAIN', 'a node was changed meanwhile');
    for (const { path, exact, before } of transaction.commit()) {
      this.host.changed(path, this.table.get(path), exact, before?.permissions);
    }
  }

  private get({ transaction }: Actor, path: string): StoreNode | undefined {
    return (transaction ?? this.table).get(path);
  }

  private set({ transaction }: Actor, path: string, node: StoreNode | undefined): void {
    const generation = this.table.nextGeneration();
    (transaction ?? this.table).set(path, node && { ...node, generation });
  }

  /** The next node above that exists. */
  private nearest(actor: Actor, path: string): StoreNode {
    for (let above = parentPath(path); ; above = parentPath(above)) {
      const node = this.get(actor, above);
      if (node !== undefined) return node;
      if (above === '/') return noRoot;
    }
  }

  /** Writes nodes within the quotas of whoever writes: all of them or none. */
  private put(actor: Actor, nodes: readonly (readonly [string, StoreNode])[]): void {
    const { domain, transaction } = actor;
    let growth = 0;
    for (const [path, node] of nodes) {
      if (isUnprivileged(actor) && nodeBytes(node) >= quotas.entryBytes) {
        if (transaction !== undefined) transaction.failed = true;
        throw new XenStoreRefusal('ENOSPC', `${path} would take ${String(nodeBytes(node))} bytes`);
      }
      const old = this.get(actor, path);
      growth += nodeBytes(node) + path.length - (old === undefined ? 0 : nodeBytes(old) + path.length);
    }
    if (isUnprivileged(actor) && growth > 0 && this.host.bytes() + growth >= quotas.memory) {
      if (transaction !== undefined) transaction.failed = true;
      throw new XenStoreRefusal('EIO', `domain ${String(domain)} would take more than ${String(quotas.memory)} bytes`);
    }
    for (const [path, node] of nodes) this.set(actor, path, node);
  }

  /** A new node and those above it that are missing. Permissions are inherited; an unprivileged domain owns what it makes. */
  private create(actor: Actor, path: string, value: string): void {
    const missing: string[] = [];
    let above = path;
    let parent: StoreNode | undefined;
    while (parent === undefined) {
      missing.push(above);
      above = parentPath(above);
      parent = this.get(actor, above) ?? (above === '/' ? noRoot : undefined);
    }
    const unprivileged = isUnprivileged(actor);
    const already = this.table.entries + (actor.transaction === undefined ? missing.length - 1 : 0);
    if (unprivileged && already >= quotas.entries) {
      throw new XenStoreRefusal('ENOSPC', `a domain may have ${String(quotas.entries)} nodes`);
    }
    if (actor.transaction !== undefined) actor.transaction.created = true;
    const permissions = parent.permissions.map((permission, i) =>
      i === 0 && unprivileged ? { ...permission, domain: actor.domain } : permission,
    );
    const nodes = missing.map((name, i): [string, StoreNode] => {
      const below = missing[i - 1];
      const children = below === undefined ? [] : [lastName(below)];
      return [name, { value: i === 0 ? value : '', permissions, children, generation: 0 }];
    });
    const child = lastName(missing.at(-1) ?? path);
    this.put(actor, [...nodes, [above, { ...parent, children: [...parent.children, child] }]]);
  }

  /** Children first; the watches of a node below `top` fire only when they are its own. */
  private removeBelow(actor: Actor, path: string, node: StoreNode, top: string): void {
    for (const name of node.children) {
      const below = childPath(path, name);
      const child = this.get(actor, below);
      if (child !== undefined) this.removeBelow(actor, below, child, top);
    }
    if (actor.transaction !== undefined) actor.transaction.fireLater(path, path !== top);
    this.set(actor, path, undefined);
    if (actor.transaction === undefined) this.host.changed(path, node, path !== top, undefined);
  }

  private changed(actor: Actor, path: string, exact: boolean, before?: readonly Permission[]): void {
    if (actor.transaction !== undefined) actor.transaction.fireLater(path, exact);
    else this.host.changed(path, this.table.get(path), exact, before);
  }
}

/** In place of a root that is not there: nobody may see it. */
const noRoot: StoreNode = { value: '', permissions: [], children: [], generation: 0 };

const isUnprivileged = ({ domain }: Actor): boolean => domain !== privilegedDomain;
