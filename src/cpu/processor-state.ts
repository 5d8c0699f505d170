/** The processor's state as data: what a snapshot keeps of linear memory, and its digest. Guest RAM: ram-pages.ts. */
import { Hash } from './state-hash.js';
import * as L from './state-layout.js';

interface StateCore {
  materialiseFlags(): void;
  updateMode(): void;
  dropAllWriteTags(): void;
  refreshWatched(): void;
}

const TLB_BYTES = L.TLB_ENTRIES * L.TLB_ENTRY;
const TLBS = [L.TLB_SUPERVISOR, L.TLB_USER, L.TLB_FETCH_SUPERVISOR, L.TLB_FETCH_USER] as const;

/**
 * What is state in linear memory, as [first, behind the last] byte: registers to RESUME_FLAG, the FXSAVE image, what the
 * TLBs know about large pages, the log of non-global fills, the TLBs. A guest can tell what a TLB holds. Translations,
 * their indices and counters are no state: they are made again.
 */
const areas: readonly (readonly [number, number])[] = [
  [L.RAX, L.LEAVE_RECORD],
  [L.FX, L.FX + 512],
  [L.TLB_LARGE_FILTER, L.TLB_LOG_COUNT + 4],
  [L.TLB_LOG, L.TLB_LOG + 4 * L.TLB_LOG_MAX],
  [L.TLB_SUPERVISOR, L.TLB_FETCH_USER + TLB_BYTES],
];

/** MSRs that are a plain u64 of the state. Intel SDM volume 4. FS.base and GS.base stand in the segments. */
const ownMsrs: readonly (readonly [number, number])[] = [
  [0x3b, L.MSR_TSC_ADJUST],
  [0x174, L.MSR_SYSENTER_CS],
  [0x175, L.MSR_SYSENTER_ESP],
  [0x176, L.MSR_SYSENTER_EIP],
  [0x1a0, L.MSR_MISC_ENABLE],
  [0x277, L.MSR_PAT],
  [0xc000_0080, L.EFER],
  [0xc000_0081, L.MSR_STAR],
  [0xc000_0082, L.MSR_LSTAR],
  [0xc000_0083, L.MSR_CSTAR],
  [0xc000_0084, L.MSR_SFMASK],
  [0xc000_0102, L.MSR_KERNEL_GS_BASE],
  [0xc000_0103, L.MSR_TSC_AUX],
];

/** Bytes that save() gives and restore() wants. */
export const processorStateBytes = areas.reduce((sum, [first, end]) => sum + end - first, 0);

/** Who watches memory is no state: takes the mark off the entries of the data TLBs in what save() gives. */
function withoutWatches(bytes: Uint8Array): void {
  const first = processorStateBytes - (L.TLB_FETCH_USER + TLB_BYTES - L.TLB_SUPERVISOR); // the TLBs are the last area
  for (let at = first; at < first + 2 * TLB_BYTES; at += L.TLB_ENTRY) bytes[at + L.TLB_TAG_READ]! &= ~L.TLB_WATCHED;
}

export class ProcessorState {
  private readonly u8: Uint8Array;
  private readonly u32: Uint32Array;
  private readonly view: DataView;

  constructor(
    memory: WebAssembly.Memory,
    private readonly core: StateCore,
  ) {
    this.u8 = new Uint8Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.view = new DataView(memory.buffer);
  }

  /** A copy of all state areas, between two runs. */
  save(): Uint8Array {
    const bytes = new Uint8Array(processorStateBytes);
    let at = 0;
    for (const [first, end] of areas) {
      bytes.set(this.u8.subarray(first, end), at);
      at += end - first;
    }
    withoutWatches(bytes);
    return bytes;
  }

  /** Takes up what save() gave, of a machine with as much RAM and as many TLB entries. */
  restore(bytes: Uint8Array): void {
    const ramBytes = this.view.getUint32(L.RAM_BYTES, true);
    let at = 0;
    for (const [first, end] of areas) {
      this.u8.set(bytes.subarray(at, at + end - first), first);
      at += end - first;
    }
    this.view.setUint32(L.RAM_BYTES, ramBytes, true);
    this.view.setUint32(L.STOP_REQUESTED, 0, true);
    this.core.updateMode();
    this.view.setUint32(L.JUMP_EPOCH, (this.view.getUint32(L.JUMP_EPOCH, true) + 1) >>> 0, true);
    this.core.dropAllWriteTags(); // pages that hold translated code here need not have held it there
    this.core.refreshWatched();
  }

  /** The processor's own MSRs as plain values, by number. Reading them so is no RDMSR: nobody notices. */
  msrs(): ReadonlyMap<number, bigint> {
    return new Map(ownMsrs.map(([index, at]) => [index, this.view.getBigUint64(at, true)]));
  }

  /** The 512 bytes that FXSAVE64 would store, copied. Intel SDM volume 1, 10.5.1. */
  fxsave(): Uint8Array {
    return this.u8.slice(L.FX, L.FX + 512);
  }

  /** Registers of every kind and what decides how the next instruction runs. */
  digest(): Hash {
    const { view } = this;
    const hash = new Hash();
    const area = (first: number, end: number): void => {
      hash.words(this.u32, first / 4, end / 4);
    };
    this.core.materialiseFlags();
    area(L.SCRATCH, L.SCRATCH + 8);
    area(L.RAX, L.ZERO);
    area(L.RIP, L.RIP + 8);
    area(L.SEG_ES, L.SEG_TR + L.SEGMENT_BYTES);
    area(L.GDTR_BASE, L.IDTR_LIMIT + 4);
    area(L.CR0, L.EFER + 8);
    area(L.DR0, L.MSR_TSC_ADJUST + 8);
    area(L.CPL, L.MODE + 4);
    area(L.FX, L.FX + 512);
    hash.word(view.getUint32(L.INTERRUPT_LINE, true));
    const now = view.getFloat64(L.RUN_END, true) - view.getInt32(L.BUDGET, true);
    hash.number(now).word(view.getFloat64(L.SHADOW_TICK, true) === now ? 1 : 0);
    return hash;
  }

  /**
   * What the TLBs hold: pages, frames and rights. Write tags are left out, for they are the dirty log and depend on where
   * code was translated.
   */
  tlbDigest(): Hash {
    const hash = new Hash();
    const entries = this.view.getUint32(L.TLB_MASK, true) + 1;
    const { u32 } = this;
    for (const tlb of TLBS) {
      for (let i = 0; i < entries; i++) {
        const word = (tlb + i * L.TLB_ENTRY) / 4;
        const tag = u32[word] ?? 0;
        if (tag === L.TLB_INVALID) continue;
        hash.word(tlb + i).word(tag & ~L.TLB_WATCHED);
        hash.word(u32[word + L.TLB_TAG_READ / 4 + 1] ?? 0);
        hash.word(u32[word + L.TLB_FLAGS / 4] ?? 0).word(u32[word + L.TLB_PHYSICAL / 4] ?? 0);
      }
    }
    return hash;
  }
}
