/** The blocks that are decoded: found by (physical, linear, mode), dropped when their bytes change. */
import { Chains } from './chains.js';
import type { DecodedBlock } from './decoder.js';
import * as L from './state-layout.js';

export interface Block {
  readonly linear: bigint;
  readonly physical: number;
  readonly mode: number;
  readonly record: number;
  readonly records: number;
  readonly bytes: number;
  readonly secondPage: number | undefined;
  valid: boolean;
}

/** A block with its number, by which the chains know it. */
interface NumberedBlock extends Block {
  readonly id: number;
}

const PAGE_SHIFT = 12;
const HASH_SIZE = 32_768; // chains; a boot has about 100,000 blocks
const NOWHERE = 0xffff_fff0; // no guest-physical address of a block
const PAGE_HASH_SIZE = 4096;
const RECORD_COUNT = (L.RECORDS_END - L.RECORDS) / L.RECORD_BYTES;

const hashOfPhysical = (physical: number): number => physical ^ (physical >>> 15);
const hashOfLinear = (linear: bigint): number => {
  const low = Number(linear & 0xffff_ffffn);
  return low ^ (low >>> 15);
};
const recordIndex = (record: number): number => (record - L.RECORDS) / L.RECORD_BYTES;

export class BlockStore {
  private readonly view: DataView;
  private readonly u8: Uint8Array;
  private readonly byId: (NumberedBlock | undefined)[] = [undefined];
  private readonly freeIds: number[] = [];
  /** By guest-physical start, because a physical block may be mapped at several linear addresses. */
  private readonly byPhysical = new Chains(HASH_SIZE);
  private readonly byLinear = new Chains(HASH_SIZE);
  /** Blocks by the page that they start in, and the few that run on into another page by that page. */
  private readonly byPage = new Chains(PAGE_HASH_SIZE);
  private readonly bySecondPage = new Map<number, Set<NumberedBlock>>();
  /** The number of the block that starts at a record, by the record's index. */
  private readonly byRecord = new Int32Array(RECORD_COUNT);
  /** Pages that have held a block. */
  private readonly pages = new Set<number>();
  private isEmpty = true;

  constructor(
    memory: WebAssembly.Memory,
    private readonly staleHandler: number,
    private readonly dropWriteTags: (physicalPage: number) => void,
    private readonly onDrop: (block: Block) => void,
  ) {
    this.view = new DataView(memory.buffer);
    this.u8 = new Uint8Array(memory.buffer);
    this.closeFirstEntry();
  }

  find(linear: bigint, physical: number, mode: number): Block | undefined {
    const { byPhysical } = this;
    for (let id = byPhysical.first(hashOfPhysical(physical)); id !== 0; id = byPhysical.after(id)) {
      const block = this.block(id);
      if (block.physical === physical && block.mode === mode && block.linear === linear) return block;
    }
    return undefined;
  }

  /**
   * The newest block at a linear address; on a guest-physical page when one is given. Whoever follows it must check the
   * mapping.
   */
  findLinear(linear: bigint, mode: number, page?: number): Block | undefined {
    const { byLinear } = this;
    for (let id = byLinear.first(hashOfLinear(linear)); id !== 0; id = byLinear.after(id)) {
      const block = this.block(id);
      if (block.mode !== mode || block.linear !== linear) continue;
      if (page === undefined || block.physical >>> PAGE_SHIFT === page >>> PAGE_SHIFT) return block;
    }
    return undefined;
  }

  /**
   * A new block that starts within another one, whose records it shares; undefined when the address is not the start of
   * one of another block's instructions.
   */
  addWithin(linear: bigint, physical: number, mode: number): Block | undefined {
    const { byPage } = this;
    const page = physical >>> PAGE_SHIFT;
    for (let id = byPage.first(page); id !== 0; id = byPage.after(id)) {
      const outer = this.block(id);
      const into = physical - outer.physical;
      if (into <= 0 || into >= outer.bytes || outer.mode !== mode || outer.secondPage !== undefined) continue;
      if (linear - outer.linear !== BigInt(into)) continue;
      const before = this.recordsBefore(outer, Number(linear & 0xffff_ffffn));
      if (before === undefined) continue;
      return this.add(linear, physical, mode, {
        record: outer.record + before * L.RECORD_BYTES,
        records: outer.records - before,
        bytes: outer.bytes - into,
        secondPage: undefined,
      });
    }
    return undefined;
  }

  /** How many records of a block stand before the instruction whose linear address has these low 32 bits. */
  private recordsBefore({ record, records }: Block, low: number): number | undefined {
    for (let before = 1; before < records - 1; before++) {
      const at = record + before * L.RECORD_BYTES;
      if (this.view.getUint32(at - L.RECORD_BYTES + L.REC_NEXT_RIP, true) !== low) continue;
      return this.view.getUint16(at + L.REC_HANDLER, true) === this.staleHandler ? undefined : before;
    }
    return undefined;
  }

  private block(id: number): NumberedBlock {
    const block = this.byId[id];
    if (block === undefined) throw new Error(`no block has the number ${String(id)}`);
    return block;
  }

  /** Keeps a decoded block, marks its bytes as translated and makes later stores to them visible. */
  add(linear: bigint, physical: number, mode: number, decoded: Omit<DecodedBlock, 'faultsBehind'>): Block {
    const { record, records, bytes, secondPage } = decoded;
    this.isEmpty = false;
    const id = this.freeIds.pop() ?? this.byId.length;
    const block = { id, linear, physical, mode, record, records, bytes, secondPage, valid: true };
    this.byId[id] = block;
    this.byRecord[recordIndex(record)] = id;
    this.byPhysical.add(hashOfPhysical(physical), id);
    this.byLinear.add(hashOfLinear(linear), id);
    this.byPage.add(physical >>> PAGE_SHIFT, id);
    const inFirst = bytesInFirstPage(block);
    this.markPage(physical >>> PAGE_SHIFT);
    this.mark(physical, inFirst);
    if (secondPage !== undefined) {
      const page = secondPage >>> PAGE_SHIFT;
      const straddling = this.bySecondPage.get(page);
      if (straddling === undefined) this.bySecondPage.set(page, new Set([block]));
      else straddling.add(block);
      this.markPage(page);
      this.mark(secondPage, bytes - inFirst);
    }
    return block;
  }

  /** Puts a block where the dispatch loop looks first. */
  index(block: Block): void {
    const { physical } = block;
    const entry = L.BLOCK_INDEX + (((physical ^ (physical >>> 15)) & (L.BLOCK_ENTRIES - 1)) << L.BLOCK_ENTRY_SHIFT);
    this.view.setBigUint64(entry + L.BLOCK_LINEAR, BigInt.asUintN(64, block.linear), true);
    this.view.setUint32(entry + L.BLOCK_PHYSICAL, physical, true);
    this.view.setUint32(entry + L.BLOCK_MODE, block.mode, true);
    this.view.setUint32(entry + L.BLOCK_RECORD, block.record, true);
    this.view.setUint32(entry + L.BLOCK_COUNT, 0, true);
    this.view.setUint32(entry + L.BLOCK_HOT, 0, true);
  }

  /** The first block of a page: stores to it are looked at from now on. */
  private markPage(page: number): void {
    if (this.pages.has(page)) return;
    this.pages.add(page);
    this.u8[L.CODE_PAGES + page]! |= L.PAGE_HAS_CODE;
    this.dropWriteTags((page << PAGE_SHIFT) >>> 0);
  }

  private mark(physical: number, bytes: number): void {
    const last = (physical + bytes - 1) >>> L.CODE_GRANULE_SHIFT;
    for (let granule = physical >>> L.CODE_GRANULE_SHIFT; granule <= last; granule++) {
      const at = L.CODE_BITMAP + (granule >>> 3);
      this.u8[at] = this.u8[at]! | (1 << (granule & 7));
    }
  }

  /** Bytes of RAM changed: every block that overlaps them is dropped. */
  invalidate(physical: number, bytes: number): void {
    const end = physical + bytes;
    for (let page = physical >>> PAGE_SHIFT; page <= (end - 1) >>> PAGE_SHIFT; page++) {
      if (!this.pages.has(page)) continue;
      const hit = this.inPage(page).filter((block) => overlaps(block, physical, end));
      for (const block of hit) this.drop(block);
      if (hit.length > 0) this.remark(page);
    }
  }

  /** Every block with bytes in a page. */
  private inPage(page: number): NumberedBlock[] {
    const { byPage } = this;
    const blocks: NumberedBlock[] = [];
    for (let id = byPage.first(page); id !== 0; id = byPage.after(id)) {
      const block = this.block(id);
      if (block.physical >>> PAGE_SHIFT === page) blocks.push(block);
    }
    blocks.push(...(this.bySecondPage.get(page) ?? []));
    return blocks;
  }

  /**
   * Drops one block, and those that share records with it from further on; the records send whoever stands in them back to
   * look RIP up.
   */
  drop(block: Block): void {
    const { record, physical, secondPage } = block;
    const id = this.byRecord[recordIndex(record)]!;
    const known = this.byId[id];
    if (known !== block) return; // it went before
    this.onDrop(block);
    block.valid = false;
    this.byPhysical.remove(hashOfPhysical(physical), id);
    this.byLinear.remove(hashOfLinear(block.linear), id);
    this.byPage.remove(physical >>> PAGE_SHIFT, id);
    if (secondPage !== undefined) this.bySecondPage.get(secondPage >>> PAGE_SHIFT)?.delete(known);
    this.byRecord[recordIndex(record)] = 0;
    this.byId[id] = undefined;
    this.freeIds.push(id);
    for (let i = 0; i < block.records; i++) {
      const at = record + i * L.RECORD_BYTES;
      const within = this.startingAt(at);
      if (within !== undefined) this.drop(within);
      this.view.setUint32(at + L.REC_HANDLER, this.staleHandler, true); // and no cold handler
    }
    const entry = L.BLOCK_INDEX + (((physical ^ (physical >>> 15)) & (L.BLOCK_ENTRIES - 1)) << L.BLOCK_ENTRY_SHIFT);
    if (this.view.getUint32(entry + L.BLOCK_RECORD, true) === record) {
      this.view.setUint32(entry + L.BLOCK_PHYSICAL, NOWHERE, true);
    }
  }

  /** Rebuilds the bitmap of one page from the blocks that are left in it; without any its stores are plain again. */
  private remark(page: number): void {
    this.unmark(page);
    const blocks = this.inPage(page);
    if (blocks.length === 0) {
      this.u8[L.CODE_PAGES + page]! &= ~L.PAGE_HAS_CODE;
      this.pages.delete(page);
    }
    for (const block of blocks) {
      const inFirst = bytesInFirstPage(block);
      if (block.physical >>> PAGE_SHIFT === page) this.mark(block.physical, inFirst);
      if (block.secondPage !== undefined && block.secondPage >>> PAGE_SHIFT === page)
        this.mark(block.secondPage, block.bytes - inFirst);
    }
  }

  private unmark(page: number): void {
    const first = L.CODE_BITMAP + (page << (PAGE_SHIFT - L.CODE_GRANULE_SHIFT - 3));
    this.u8.fill(0, first, first + 4096 / 32 / 8);
  }

  /** The block whose first record this is. */
  startingAt(record: number): Block | undefined {
    return this.byId[this.byRecord[recordIndex(record)] ?? 0];
  }

  blockOfRecord(record: number): Block | undefined {
    for (let index = recordIndex(record); index >= 0; index--) {
      const block = this.byId[this.byRecord[index]!];
      if (block !== undefined) return record < block.record + block.records * L.RECORD_BYTES ? block : undefined;
    }
    return undefined;
  }

  /** Forgets everything: the records' memory is free again. */
  clear(): void {
    for (const page of this.pages) {
      this.u8[L.CODE_PAGES + page]! &= ~L.PAGE_HAS_CODE;
      this.unmark(page);
    }
    this.byId.length = 1;
    this.freeIds.length = 0;
    this.byPhysical.clear();
    this.byLinear.clear();
    this.byPage.clear();
    this.bySecondPage.clear();
    this.pages.clear();
    if (this.isEmpty) return;
    this.isEmpty = true;
    this.byRecord.fill(0);
    this.u8.fill(0, L.BLOCK_INDEX, L.BLOCK_INDEX + L.BLOCK_ENTRIES * L.BLOCK_ENTRY);
    this.closeFirstEntry();
  }

  /** An empty index entry says physical address 0, which is looked for in the first one alone: that says another. */
  private closeFirstEntry(): void {
    this.view.setUint32(L.BLOCK_INDEX + L.BLOCK_PHYSICAL, NOWHERE, true);
  }
}

function bytesInFirstPage({ physical, bytes }: Block): number {
  return Math.min(bytes, 4096 - (physical & 0xfff));
}

function overlaps(block: Block, start: number, end: number): boolean {
  const inFirst = bytesInFirstPage(block);
  if (block.physical < end && block.physical + inFirst > start) return true;
  const { secondPage } = block;
  return secondPage !== undefined && secondPage < end && secondPage + block.bytes - inFirst > start;
}
