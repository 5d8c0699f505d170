/** The blocks that are decoded: found by (physical, linear, mode), dropped when their bytes change. */
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

const PAGE_SHIFT = 12;

export class BlockStore {
  private readonly view: DataView;
  private readonly u8: Uint8Array;
  /** By guest-physical start, because a physical block may be mapped at several linear addresses. */
  private readonly byPhysical = new Map<number, Block[]>();
  private readonly byLinear = new Map<bigint, Block[]>();
  private readonly byRecord = new Map<number, Block>();
  private readonly byPage = new Map<number, Set<Block>>();

  constructor(
    memory: WebAssembly.Memory,
    private readonly staleHandler: number,
    private readonly dropWriteTags: (physicalPage: number) => void,
    private readonly onDrop: (block: Block) => void,
  ) {
    this.view = new DataView(memory.buffer);
    this.u8 = new Uint8Array(memory.buffer);
  }

  find(linear: bigint, physical: number, mode: number): Block | undefined {
    return this.byPhysical.get(physical)?.find((block) => block.linear === linear && block.mode === mode);
  }

  /**
   * The newest block at a linear address; on a guest-physical page when one is given. Whoever follows it must check the
   * mapping.
   */
  findLinear(linear: bigint, mode: number, page?: number): Block | undefined {
    return this.byLinear
      .get(linear)
      ?.findLast(
        (block) => block.mode === mode && (page === undefined || block.physical >>> PAGE_SHIFT === page >>> PAGE_SHIFT),
      );
  }

  /** Keeps a decoded block, marks its bytes as translated and makes later stores to them visible. */
  add(linear: bigint, physical: number, mode: number, decoded: DecodedBlock): Block {
    const { record, records, bytes, secondPage } = decoded;
    const block: Block = { linear, physical, mode, record, records, bytes, secondPage, valid: true };
    this.byRecord.set(record, block);
    const list = this.byPhysical.get(physical);
    if (list === undefined) this.byPhysical.set(physical, [block]);
    else list.push(block);
    const same = this.byLinear.get(linear);
    if (same === undefined) this.byLinear.set(linear, [block]);
    else same.push(block);
    const inFirst = Math.min(bytes, 4096 - (physical & 0xfff));
    this.mark(block, physical, inFirst);
    if (secondPage !== undefined) this.mark(block, secondPage, bytes - inFirst);
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
  }

  private mark(block: Block, physical: number, bytes: number): void {
    const page = physical >>> PAGE_SHIFT;
    const set = this.byPage.get(page);
    if (set === undefined) {
      this.byPage.set(page, new Set([block]));
      this.u8[L.CODE_PAGES + page] = 1;
      this.dropWriteTags((page << PAGE_SHIFT) >>> 0);
    } else set.add(block);
    for (
      let granule = physical >>> L.CODE_GRANULE_SHIFT;
      granule <= (physical + bytes - 1) >>> L.CODE_GRANULE_SHIFT;
      granule++
    ) {
      const at = L.CODE_BITMAP + (granule >>> 3);
      this.u8[at] = (this.u8[at] ?? 0) | (1 << (granule & 7));
    }
  }

  /** Bytes of RAM changed: every block that overlaps them is dropped. */
  invalidate(physical: number, bytes: number): void {
    const end = physical + bytes;
    for (let page = physical >>> PAGE_SHIFT; page <= (end - 1) >>> PAGE_SHIFT; page++) {
      const set = this.byPage.get(page);
      if (set === undefined) continue;
      let dropped = false;
      for (const block of set) {
        if (!overlaps(block, physical, end)) continue;
        this.drop(block);
        dropped = true;
      }
      if (dropped) this.remark(page);
    }
  }

  /** Drops one block; its records send whoever stands in them back to look RIP up. */
  drop(block: Block): void {
    this.onDrop(block);
    block.valid = false;
    remove(this.byPhysical, block.physical, block);
    remove(this.byLinear, block.linear, block);
    this.byRecord.delete(block.record);
    for (let i = 0; i < block.records; i++) {
      this.view.setUint32(block.record + i * L.RECORD_BYTES + L.REC_HANDLER, this.staleHandler, true); // and no cold handler
    }
    this.byPage.get(block.physical >>> PAGE_SHIFT)?.delete(block);
    if (block.secondPage !== undefined) this.byPage.get(block.secondPage >>> PAGE_SHIFT)?.delete(block);
    const entry =
      L.BLOCK_INDEX + (((block.physical ^ (block.physical >>> 15)) & (L.BLOCK_ENTRIES - 1)) << L.BLOCK_ENTRY_SHIFT);
    if (this.view.getUint32(entry + L.BLOCK_RECORD, true) === block.record) {
      this.view.setUint32(entry + L.BLOCK_PHYSICAL, 0xffff_fff0, true);
    }
  }

  /** Rebuilds the bitmap of one page from the blocks that are left in it. */
  private remark(page: number): void {
    const first = L.CODE_BITMAP + (page << (PAGE_SHIFT - L.CODE_GRANULE_SHIFT - 3));
    this.u8.fill(0, first, first + 4096 / 32 / 8);
    for (const block of this.byPage.get(page) ?? []) {
      const inFirst = Math.min(block.bytes, 4096 - (block.physical & 0xfff));
      if (block.physical >>> PAGE_SHIFT === page) this.mark(block, block.physical, inFirst);
      else if (block.secondPage !== undefined) this.mark(block, block.secondPage, block.bytes - inFirst);
    }
  }

  /** The block whose first record this is. */
  startingAt(record: number): Block | undefined {
    return this.byRecord.get(record);
  }

  blockOfRecord(record: number): Block | undefined {
    for (const list of this.byPhysical.values()) {
      for (const block of list) {
        if (record >= block.record && record < block.record + block.records * L.RECORD_BYTES) return block;
      }
    }
    return undefined;
  }

  /** Forgets everything: the records' memory is free again. */
  clear(): void {
    for (const page of this.byPage.keys()) {
      this.u8[L.CODE_PAGES + page] = 0;
      const first = L.CODE_BITMAP + (page << (PAGE_SHIFT - L.CODE_GRANULE_SHIFT - 3));
      this.u8.fill(0, first, first + 4096 / 32 / 8);
    }
    this.byPhysical.clear();
    this.byLinear.clear();
    this.byRecord.clear();
    this.byPage.clear();
    this.u8.fill(0xff, L.BLOCK_INDEX, L.BLOCK_INDEX + L.BLOCK_ENTRIES * L.BLOCK_ENTRY);
  }
}

function remove<Key>(map: Map<Key, Block[]>, key: Key, block: Block): void {
  const rest = (map.get(key) ?? []).filter((other) => other !== block);
  if (rest.length === 0) map.delete(key);
  else map.set(key, rest);
}

function overlaps(block: Block, start: number, end: number): boolean {
  const inFirst = Math.min(block.bytes, 4096 - (block.physical & 0xfff));
  if (block.physical < end && block.physical + inFirst > start) return true;
  const { secondPage } = block;
  return secondPage !== undefined && secondPage < end && secondPage + block.bytes - inFirst > start;
}
