import fc from 'fast-check';
import { expect } from 'chai';
import { compileRegions } from '../../../src/cpu/hot/hot-module.js';
import type { Region, RegionBlock } from '../../../src/cpu/hot/region.js';
import { structure, type Part } from '../../../src/cpu/hot/structure.js';
import { op, type Node } from '../../../src/cpu/ir/nodes.js';
import * as L from '../../../src/cpu/state-layout.js';
import { instructionBytes, madeUpBlock, madeUpInstruction } from './made-up-region.js';

/** `edges[i]`: where block i may go, the last of them when nothing else is taken; `out`: that one leads out instead. */
interface Graph {
  readonly edges: readonly (readonly number[])[];
  readonly out: readonly boolean[];
  readonly entries: readonly number[];
}

const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 1, max: 12 }).chain((size) => {
  const block = fc.nat({ max: size - 1 });
  return fc.record({
    edges: fc.array(fc.array(block, { minLength: 1, maxLength: 3 }), { minLength: size, maxLength: size }),
    out: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
    entries: fc.uniqueArray(block, { minLength: 1, maxLength: size }),
  });
});

const successorsOf = ({ edges, out }: Graph): number[][] =>
  edges.map((list, i) => (out[i] === true ? list.slice(0, -1) : [...list]));

const blocksOf = (part: Part): number[] => (part.kind === 'block' ? [part.block] : part.body.flatMap(blocksOf));
/** Blocks that a part can be entered at from in front. */
const doorsOf = (part: Part): readonly number[] => (part.kind === 'block' ? [part.block] : part.headers);

/** Fails unless every edge from a block within `list` leads forward to a door, or to a header of a loop around it. */
function checkEdges(list: readonly Part[], successors: readonly number[][], again: ReadonlySet<number>): void {
  list.forEach((part, index) => {
    const ahead = new Set(list.slice(index + 1).flatMap(doorsOf));
    const reachable = new Set([...again, ...ahead]);
    if (part.kind === 'loop') {
      const body = part.body.flatMap(doorsOf);
      for (const header of part.headers) expect(body, 'doors of the body').to.include(header);
      checkEdges(part.body, successors, new Set([...reachable, ...part.headers]));
      return;
    }
    for (const next of successors[part.block] ?? []) {
      expect(reachable.has(next), `edge from ${String(part.block)} to ${String(next)}`).to.equal(true);
    }
  });
}

const linearOf = (block: number): bigint => BigInt(0x1000 + 0x100 * block);
const outside = 0x1ff0n; // in the same page
const R8 = 8;
const seed = 0x0123_4567_89ab_cdefn;
const multiplier = 6364136223846793005n;

/** What a block does: R8 becomes R8 * multiplier + its number + 1, then bit 40 + k decides on its branch k. */
const mixed = (value: bigint, block: number): bigint => BigInt.asUintN(64, value * multiplier + BigInt(block + 1));
const takes = (value: bigint, branch: number): boolean => ((value >> BigInt(40 + branch)) & 1n) === 1n;

function regionOf(graph: Graph): Region {
  const register: Node = { type: 'i64', source: { kind: 'register', register: R8, bits: 64 } };
  const target: Node = { type: 'i64', source: { kind: 'immediate' } };
  let instructions = 0;
  const blocks = graph.edges.map((list, position): RegionBlock => {
    const start = linearOf(position);
    const value = op.add(op.mul(register, multiplier), position + 1);
    const code = [
      madeUpInstruction(start, [{ kind: 'setRegister', register: R8, bits: 64, value }], {
        registers: 1 << R8,
        written: 1 << R8,
      }),
      ...list.slice(0, -1).map((next, branch) => {
        const condition = op.ne(op.and(op.shr(register, 40 + branch), 1), 0);
        return madeUpInstruction(
          start + BigInt(instructionBytes * (branch + 1)),
          [{ kind: 'jumpIf', condition, target }],
          { transfer: 'branch', target: linearOf(next), registers: 1 << R8 },
        );
      }),
    ];
    instructions += code.length;
    const isOut = graph.out[position] === true;
    const last = list.at(-1) ?? 0;
    return {
      block: madeUpBlock(start),
      instructions: code,
      end: { kind: 'through', address: isOut ? outside : linearOf(last) },
      targets: new Map(list.slice(0, -1).map((next, branch) => [branch + 1, next])),
      through: isOut ? undefined : last,
      returnTo: undefined,
    };
  });
  return { blocks, entries: graph.entries, mode: L.MODE_LONG, instructions };
}

interface End {
  readonly status: number;
  readonly rip: bigint;
  readonly value: bigint;
  readonly budget: number;
}

/** The same without WebAssembly. */
function walk(graph: Graph, entry: number, budget: number): End {
  let [at, value, left] = [entry, seed, budget];
  for (;;) {
    const list = graph.edges[at] ?? [];
    if (left < list.length) return { status: L.STATUS_COLD, rip: linearOf(at), value, budget: left };
    value = mixed(value, at);
    const taken = list.slice(0, -1).findIndex((_, branch) => takes(value, branch));
    left -= taken < 0 ? list.length : taken + 2;
    if (taken < 0 && graph.out[at] === true) return { status: L.STATUS_JUMP, rip: outside, value, budget: left };
    at = list.at(taken) ?? 0;
  }
}

describe('structured control flow of a region', () => {
  it('has every block once, and every edge leads forward or to a header of a loop around it', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const successors = successorsOf(graph);
        const parts = structure(successors, graph.entries);
        expect(parts.flatMap(blocksOf).sort((a, b) => a - b)).to.deep.equal(graph.edges.map((_, i) => i));
        const doors = parts.flatMap(doorsOf);
        for (const entry of graph.entries) expect(doors, 'doors of the region').to.include(entry);
        checkEdges(parts, successors, new Set());
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it('puts a loop within a loop', () => {
    const parts = structure([[1], [2], [2, 1, 3], []], [0]);
    expect(parts).to.deep.equal([
      { kind: 'block', block: 0 },
      {
        kind: 'loop',
        headers: [1],
        body: [
          { kind: 'block', block: 1 },
          { kind: 'loop', headers: [2], body: [{ kind: 'block', block: 2 }] },
        ],
      },
      { kind: 'block', block: 3 },
    ]);
  });

  it('gives a loop that is entered at two blocks two headers', () => {
    const [first, loop] = structure([[1, 2], [2], [1]], [0]);
    expect(first).to.deep.equal({ kind: 'block', block: 0 });
    expect(loop?.kind === 'loop' && [...loop.headers].sort()).to.deep.equal([1, 2]);
  });

  it('makes no loop of code without one', () => {
    const parts = structure([[1, 2], [3], [3], []], [0, 2]);
    expect(parts.map(({ kind }) => kind)).to.deep.equal(['block', 'block', 'block', 'block']);
  });

  it('compiled, goes the way of its graph from each entry, for any budget', () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const view = new DataView(memory.buffer);
    fc.assert(
      fc.property(graphs, fc.nat({ max: 200 }), (graph, budget) => {
        const host = { memory, functions: { storeFlags: () => undefined }, tlbMask: 1023, counters: undefined };
        const { functions } = compileRegions([regionOf(graph)], host);
        const run = functions[0] as (way: number) => number;
        graph.entries.forEach((entry, way) => {
          view.setBigUint64(L.RAX + 8 * R8, seed, true);
          view.setInt32(L.BUDGET, budget, true);
          const status = run(way);
          const end: End = {
            status,
            rip: view.getBigUint64(L.RIP, true),
            value: view.getBigUint64(L.RAX + 8 * R8, true),
            budget: view.getInt32(L.BUDGET, true),
          };
          expect(end, `entered at ${String(entry)}`).to.deep.equal(walk(graph, entry, budget));
        });
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});
