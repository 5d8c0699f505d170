import { expect } from 'chai';
import type { Block } from '../../../src/cpu/blocks.js';
import type { BranchCounts } from '../../../src/cpu/hot/branch-counts.js';
import type { BlockBody, ResolvedInstruction, Transfer } from '../../../src/cpu/hot/records.js';
import { RegionFormer, type Region, type RegionLimits } from '../../../src/cpu/hot/region.js';
import { instructionBytes, madeUpBlock, madeUpInstruction } from './made-up-region.js';

/** One instruction: what it does to control, and where it leads. `helper`: a function of the core performs it. */
type Line = readonly [transfer: Transfer | 'helper', target?: bigint];

/** Blocks as the decoder would have found them, and how often they ran. */
class Code {
  private readonly blocks: Block[] = [];
  private readonly bodies = new Map<Block, BlockBody>();
  private readonly arrived = new Map<Block, number>();
  private readonly taken = new Map<bigint, number>();
  limits: RegionLimits = { instructions: 300, depth: 1, rare: 1 };

  add(linear: bigint, lines: readonly Line[], more: Partial<Block> = {}): Block {
    const block = madeUpBlock(linear, { bytes: instructionBytes * lines.length, ...more });
    const instructions = lines.map(([what, target = 0n], index) => {
      const address = linear + BigInt(instructionBytes * index);
      return what === 'helper'
        ? madeUpInstruction(address, [], { byHelper: true })
        : madeUpInstruction(address, [], { transfer: what, target });
    });
    this.blocks.push(block);
    this.bodies.set(block, { instructions, fallThrough: linear + BigInt(block.bytes) });
    return block;
  }

  /** The cold tier came so often to a block. */
  ran(block: Block, times: number): void {
    this.arrived.set(block, times);
  }

  /** So often the conditional branch at an address was taken. */
  branched(address: bigint, times: number): void {
    this.taken.set(address, times);
  }

  form(head: Block, wanted: readonly Block[] = []): Region {
    const region = this.tryForm(head, wanted);
    if (region === undefined) throw new Error('no region');
    return region;
  }

  tryForm(head: Block, wanted: readonly Block[] = []): Region | undefined {
    const counts: Pick<BranchCounts, 'arrivals' | 'taken'> = {
      arrivals: (block) => this.arrived.get(block) ?? 1000,
      taken: ({ address }: ResolvedInstruction) => this.taken.get(address) ?? 500,
    };
    const find = (linear: bigint, mode: number, page?: number): Block | undefined =>
      this.blocks.findLast(
        (block) =>
          block.linear === linear &&
          block.mode === mode &&
          (page === undefined || block.physical >>> 12 === page >>> 12),
      );
    const bodyOf = (block: Block): BlockBody => this.bodies.get(block) ?? { instructions: [], fallThrough: undefined };
    return new RegionFormer(find, bodyOf, counts as BranchCounts, this.limits).form(head, new Set(wanted));
  }
}

const positionOf = (region: Region, block: Block): number => region.blocks.findIndex((one) => one.block === block);
const blocksOf = (region: Region): Block[] => region.blocks.map(({ block }) => block);

describe('a region', () => {
  it('begins with the block that became hot and follows its branches, the likelier first', () => {
    const code = new Code();
    const head = code.add(0x1000n, [['none'], ['branch', 0x1100n], ['branch', 0x1200n], ['jump', 0x1300n]]);
    const [rare, often, rest] = [0x1100n, 0x1200n, 0x1300n].map((address) => code.add(address, [['indirectJump']]));
    code.branched(0x1004n, 50);
    code.branched(0x1008n, 900);
    const region = code.form(head);
    expect(blocksOf(region)).to.deep.equal([head, often, rest, rare]);
    expect([...(region.blocks[0]?.targets ?? [])]).to.deep.equal([
      [1, 3],
      [2, 1],
      [3, 2],
    ]);
    expect(region.entries).to.deep.equal([0]);
    expect(region.instructions).to.equal(7);
  });

  it('leaves a branch that is rarely taken to the cold tier', () => {
    const code = new Code();
    code.limits = { ...code.limits, rare: 10 };
    const head = code.add(0x1000n, [['branch', 0x1100n], ['indirectJump']]);
    code.add(0x1100n, [['indirectJump']]);
    code.branched(0x1000n, 9);
    const region = code.form(head);
    expect(blocksOf(region)).to.deep.equal([head]);
    expect(region.blocks[0]?.targets.size).to.equal(0);
  });

  it('takes no more blocks when it has its instructions', () => {
    const code = new Code();
    code.limits = { ...code.limits, instructions: 4 };
    const head = code.add(0x1000n, [['none'], ['jump', 0x1100n]]);
    const next = code.add(0x1100n, [['none'], ['jump', 0x1200n]]);
    code.add(0x1200n, [['none'], ['jump', 0x1000n]]);
    expect(blocksOf(code.form(head))).to.deep.equal([head, next]);
  });

  it('takes a linear page for mapped at one guest-physical page', () => {
    const code = new Code();
    const head = code.add(0x1000n, [['branch', 0x2000n], ['branch', 0x2100n], ['branch', 0x2200n], ['indirectJump']]);
    const first = code.add(0x2000n, [['indirectJump']], { physical: 0x5000 });
    code.add(0x2100n, [['indirectJump']], { physical: 0x6100 });
    const other = code.add(0x2200n, [['indirectJump']], { physical: 0x5200 });
    code.add(0x1000n, [['none'], ['indirectJump']], { physical: 0x7000 }); // newer, elsewhere
    code.branched(0x1000n, 900);
    code.branched(0x1004n, 600);
    const region = code.form(head);
    expect(blocksOf(region)).to.deep.equal([head, first, other]);
    expect(region.blocks[0]?.targets.get(1)).to.equal(undefined);
  });

  it('looks for a block on the page that it has taken, not for the newest', () => {
    const code = new Code();
    const head = code.add(0x1000n, [['jump', 0x1100n]], { physical: 0x5000 });
    const right = code.add(0x1100n, [['indirectJump']], { physical: 0x5100 });
    code.add(0x1100n, [['indirectJump']], { physical: 0x6100 });
    expect(blocksOf(code.form(head))).to.deep.equal([head, right]);
  });

  it('takes no block whose last instruction lies on two pages', () => {
    const code = new Code();
    const head = code.add(0x1000n, [['jump', 0x1ff8n]]);
    const straddling = code.add(0x1ff8n, [['none'], ['indirectJump']], { secondPage: 0x2000 });
    expect(blocksOf(code.form(head))).to.deep.equal([head]);
    expect(code.tryForm(straddling)).to.equal(undefined);
  });

  it('ends a block where it runs into the beginning of another', () => {
    const code = new Code();
    const head = code.add(0x1000n, [['none'], ['none'], ['none'], ['branch', 0x1008n], ['indirectJump']]);
    const tail = code.add(0x1008n, [['none'], ['branch', 0x1008n], ['indirectJump']]);
    const region = code.form(head);
    const [first, second] = region.blocks;
    expect(blocksOf(region)).to.deep.equal([head, tail]);
    expect(first?.instructions.map(({ address }) => address)).to.deep.equal([0x1000n, 0x1004n]);
    expect(first?.end).to.deep.equal({ kind: 'through', address: 0x1008n });
    expect(first?.through).to.equal(1);
    expect(first?.targets.size).to.equal(0);
    expect(second?.targets.get(1)).to.equal(1);
    expect(region.instructions).to.equal(5);
  });

  it('follows a call, and the return leads back behind it', () => {
    const code = new Code();
    const head = code.add(0x1000n, [['none'], ['call', 0x1800n]]);
    const behind = code.add(0x1008n, [['jump', 0x1000n]]);
    const callee = code.add(0x1800n, [['none'], ['return']]);
    const region = code.form(head);
    expect(blocksOf(region)).to.have.members([head, behind, callee]);
    expect(region.blocks[0]?.targets.get(1)).to.equal(positionOf(region, callee));
    expect(region.blocks[positionOf(region, callee)]?.returnTo).to.deep.equal({
      address: 0x1008n,
      position: positionOf(region, behind),
    });
    expect(region.blocks[positionOf(region, behind)]?.targets.get(0)).to.equal(0);
  });

  it('has a copy of the callee for each call of it, each with its own return', () => {
    const code = new Code();
    const head = code.add(0x1000n, [['call', 0x1800n]]);
    const second = code.add(0x1004n, [['call', 0x1800n]]);
    const last = code.add(0x1008n, [['jump', 0x1000n]]);
    const callee = code.add(0x1800n, [['return']]);
    const region = code.form(head);
    const copies = region.blocks.filter(({ block }) => block === callee);
    expect(copies.map(({ returnTo }) => returnTo)).to.have.deep.members([
      { address: 0x1004n, position: positionOf(region, second) },
      { address: 0x1008n, position: positionOf(region, last) },
    ]);
    const calls = [head, second].map((block) => region.blocks[positionOf(region, block)]?.targets.get(0));
    expect(calls.map((position) => region.blocks[position ?? -1]?.returnTo?.address)).to.deep.equal([0x1004n, 0x1008n]);
  });

  it('does not know where the code that it was entered at returns to', () => {
    const code = new Code();
    const head = code.add(0x1000n, [['none'], ['return']]);
    expect(code.form(head).blocks[0]?.returnTo).to.equal(undefined);
  });

  it('does not follow a call into what it is in already, nor deeper than it may', () => {
    const code = new Code();
    const recursive = code.add(0x1000n, [['call', 0x1000n]]);
    expect(code.form(recursive).blocks[0]?.targets.size).to.equal(0);

    const head = code.add(0x3000n, [['call', 0x3100n]]);
    const outer = code.add(0x3100n, [['call', 0x3200n]]);
    const inner = code.add(0x3200n, [['return']]);
    expect(blocksOf(code.form(head))).to.deep.equal([head, outer]);
    code.limits = { ...code.limits, depth: 2 };
    expect(blocksOf(code.form(head))).to.deep.equal([head, outer, inner]);
  });

  it('is entered behind its calls, too', () => {
    const code = new Code();
    const head = code.add(0x1000n, [['indirectCall']]);
    const behind = code.add(0x1004n, [['jump', 0x1000n]]);
    const region = code.form(head);
    expect(region.entries).to.deep.equal([0, positionOf(region, behind)]);
  });

  it('is entered at blocks that are wanted for themselves, but not at copies of them in a callee', () => {
    const code = new Code();
    const head = code.add(0x1000n, [
      ['branch', 0x1100n],
      ['call', 0x1800n],
    ]);
    const wanted = code.add(0x1100n, [['indirectJump']]);
    const callee = code.add(0x1800n, [['return']]);
    const elsewhere = code.add(0x1900n, [['return']]);
    const region = code.form(head, [wanted, callee, elsewhere]);
    expect(blocksOf(region)).to.have.members([head, wanted, callee]);
    expect(region.entries).to.deep.equal([0, positionOf(region, wanted)]);
  });

  it('leaves the last instruction of a block to the cold tier when the core performs it', () => {
    const code = new Code();
    const head = code.add(0x1000n, [['none'], ['helper'], ['none'], ['helper']]);
    const behind = code.add(0x1010n, [['none']]);
    const region = code.form(head);
    expect(blocksOf(region)).to.deep.equal([head]);
    expect(region.blocks[0]?.instructions.length).to.equal(3);
    expect(region.blocks[0]?.end).to.deep.equal({ kind: 'cold', address: 0x100cn });
    expect(positionOf(region, behind)).to.equal(-1);
  });

  it('does not begin where the first instruction is the cold tier’s', () => {
    const code = new Code();
    expect(code.tryForm(code.add(0x1000n, [['helper']]))).to.equal(undefined);
    expect(code.tryForm(code.add(0x1100n, []))).to.equal(undefined);
  });
});
