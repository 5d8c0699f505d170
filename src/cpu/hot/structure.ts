/**
 * Structured control flow of a region: blocks in topological order, loops as WebAssembly loops. A loop that is entered at
 * several blocks has several headers; whoever goes to one of them says which (region-emitter.ts: the ENTRY local).
 */
export type Part =
  | { readonly kind: 'block'; readonly block: number }
  | { readonly kind: 'loop'; readonly headers: readonly number[]; readonly body: readonly Part[] };

/** `successors[i]`: blocks that block i may go to. `entries`: blocks that the region is entered at. */
export function structure(successors: readonly (readonly number[])[], entries: readonly number[]): Part[] {
  const all = successors.map((_, block) => block);
  return parts(
    all,
    successors.map((list) => [...list]),
    new Set(entries),
  );
}

/** Orders `blocks`; edges between them are those of `edges`, which loses the back edges to the headers of loops. */
function parts(blocks: readonly number[], edges: number[][], entered: ReadonlySet<number>): Part[] {
  const components = stronglyConnected(blocks, edges);
  const componentOf = new Map<number, number>();
  components.forEach((members, index) => {
    for (const block of members) componentOf.set(block, index);
  });
  const headersOf = components.map(() => new Set<number>());
  for (const block of blocks) {
    const own = componentOf.get(block);
    if (own !== undefined && entered.has(block)) headersOf[own]?.add(block);
    for (const next of edges[block] ?? []) {
      const target = componentOf.get(next);
      if (target !== undefined && target !== own) headersOf[target]?.add(next);
    }
  }
  // Tarjan's algorithm gives a component after all that it leads to.
  return components
    .map((members, index): Part => {
      const [only] = members;
      if (only === undefined) throw new Error('an empty component');
      if (members.length === 1 && !(edges[only] ?? []).includes(only)) return { kind: 'block', block: only };
      const headers = headersOf[index] ?? new Set<number>();
      if (headers.size === 0) headers.add(only);
      const inside = new Set(members);
      const within = edges.slice();
      for (const block of members) {
        within[block] = (edges[block] ?? []).filter((next) => inside.has(next) && !headers.has(next));
      }
      return { kind: 'loop', headers: [...headers], body: parts(members, within, headers) };
    })
    .reverse();
}

/** Strongly connected components, each after those that it leads to (Tarjan 1972). */
function stronglyConnected(blocks: readonly number[], edges: readonly (readonly number[])[]): number[][] {
  const within = new Set(blocks);
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const open: number[] = [];
  const isOpen = new Set<number>();
  const components: number[][] = [];
  const visit = (block: number): void => {
    const number = order.size;
    order.set(block, number);
    let lowest = number;
    open.push(block);
    isOpen.add(block);
    for (const next of edges[block] ?? []) {
      if (!within.has(next)) continue;
      if (!order.has(next)) {
        visit(next);
        lowest = Math.min(lowest, low.get(next) ?? lowest);
      } else if (isOpen.has(next)) lowest = Math.min(lowest, order.get(next) ?? lowest);
    }
    low.set(block, lowest);
    if (lowest !== number) return;
    const members: number[] = [];
    for (;;) {
      const member = open.pop();
      if (member === undefined) break;
      isOpen.delete(member);
      members.push(member);
      if (member === block) break;
    }
    components.push(members);
  };
  for (const block of blocks) if (!order.has(block)) visit(block);
  return components;
}
