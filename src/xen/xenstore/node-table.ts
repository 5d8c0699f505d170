import { nodeBytes, ownerOf, type StoreNode } from './nodes.js';

/** All nodes by path, and how many nodes and bytes of them belong to one domain, whose quotas count. */
export class NodeTable {
  private readonly nodes = new Map<string, StoreNode>();
  private lastGeneration = 0;
  private ownedNodes = 0;
  private ownedBytes = 0;

  constructor(private readonly domain: number) {}

  /** Nodes of the domain whose quotas count. */
  get entries(): number {
    return this.ownedNodes;
  }

  /** Bytes of its nodes and their paths. */
  get bytes(): number {
    return this.ownedBytes;
  }

  nextGeneration(): number {
    return ++this.lastGeneration;
  }

  get(path: string): StoreNode | undefined {
    return this.nodes.get(path);
  }

  /** Replaces a node, or removes it. */
  set(path: string, node: StoreNode | undefined): void {
    this.count(path, this.nodes.get(path), -1);
    this.count(path, node, 1);
    if (node === undefined) this.nodes.delete(path);
    else this.nodes.set(path, node);
  }

  save(): { readonly generation: number; readonly nodes: readonly (readonly [string, StoreNode])[] } {
    return { generation: this.lastGeneration, nodes: [...this.nodes] };
  }

  restore(state: ReturnType<NodeTable['save']>): void {
    this.nodes.clear();
    this.ownedNodes = this.ownedBytes = 0;
    for (const [path, node] of state.nodes) this.set(path, node);
    this.lastGeneration = state.generation;
  }

  private count(path: string, node: StoreNode | undefined, sign: 1 | -1): void {
    if (node === undefined || ownerOf(node) !== this.domain) return;
    this.ownedNodes += sign;
    this.ownedBytes += sign * (nodeBytes(node) + path.length);
  }
}
