/**
 * Records of instructions that were decoded before, found by the bytes that decide how the rest is read. The same few
 * thousand patterns of prefixes, opcode, ModRM and SIB make up a whole kernel; what follows them, the displacement and
 * the immediate, is read from the instruction at hand. Intel SDM volume 2, 2.1.
 */
import * as L from './state-layout.js';

/** How an immediate becomes the record's 64-bit field: bytes and extension. */
export const ImmediateKind = {
  constant: 0, // as in the template
  u8: 1,
  i8to16: 2,
  i8to32: 3,
  i8to64: 4,
  u16: 5,
  u32: 6,
  i32to64: 7,
  u64: 8,
  relative8: 9, // from the next instruction
  relative32: 10,
} as const;
export type ImmediateKind = (typeof ImmediateKind)[keyof typeof ImmediateKind];

/**
 * What of an instruction its leading bytes do not decide, in one number: where displacement and immediate lie (offsets
 * and sizes in bytes, size 0 when absent) and how the immediate is read. A displacement has 1 or 4 bytes.
 */
export function shapeOf(
  displacementOffset: number,
  displacementSize: number,
  immediateOffset: number,
  immediateKind: ImmediateKind,
): number {
  return (
    (displacementOffset << SHIFT_DISPLACEMENT) |
    (displacementSize << SHIFT_DISPLACEMENT_SIZE) |
    (immediateOffset << SHIFT_IMMEDIATE) |
    (immediateKind << SHIFT_KIND)
  );
}

const WORDS = L.RECORD_BYTES / 4;
const STRIDE = WORDS + 1; // a record and its shape
const LONGEST = 15; // bytes
const CHILDREN = 256;
const SHIFT_DISPLACEMENT = 4;
const SHIFT_DISPLACEMENT_SIZE = 8;
const SHIFT_IMMEDIATE = 11;
const SHIFT_KIND = 15;
/** Added to a shape: the instruction ends its block. */
export const ENDS_BLOCK = 1 << 19;
/** Added to a shape: a direct near branch, linked when it stays within its page. */
export const LINKABLE = 1 << 20;
/** Added to a shape: the base is the record's own next RIP. */
export const RIP_RELATIVE = 1 << 21;
const MOST_NODES = 8192; // 8 MiB; a kernel's boot makes 3,200, and 18,000 templates
const MOST_TEMPLATES = 65_536;
const UNSIGNED = 2 ** 32;

export class DecodeTemplates {
  private readonly view: DataView;
  private readonly u8: Uint8Array;
  private readonly u32: Uint32Array;
  /** A tree by byte: 0 nothing known, above 0 the next node, below 0 a template. */
  private nodes = new Int32Array(512 * CHILDREN);
  private nodeCount = 0;
  private templates = new Uint32Array(4096 * STRIDE);
  private templateCount = 0;
  private readonly roots = new Map<number, number>();

  constructor(memory: WebAssembly.Memory) {
    this.view = new DataView(memory.buffer);
    this.u8 = new Uint8Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
  }

  /** The tree for a way of decoding: equal numbers decode equal bytes alike. */
  root(way: number): number {
    let root = this.roots.get(way);
    if (root === undefined) {
      root = this.addNode();
      this.roots.set(way, root);
    }
    return root;
  }

  /**
   * The template of the instruction at an address of the linear memory, or 0 when it is not known or does not end
   * before `limit`.
   */
  find(root: number, at: number, limit: number): number {
    const { nodes, u8 } = this;
    let node = root;
    for (let from = at; from < limit; from++) {
      node = nodes[node * CHILDREN + u8[from]!]!;
      if (node > 0) continue;
      return node < 0 && at + this.length(-node) <= limit ? -node : 0;
    }
    return 0;
  }

  /** Bytes of the whole instruction. */
  length(template: number): number {
    return this.shape(template) & 15;
  }

  endsBlock(template: number): boolean {
    return (this.shape(template) & ENDS_BLOCK) !== 0;
  }

  private shape(template: number): number {
    return this.templates[template * STRIDE + WORDS]!;
  }

  /** Writes a record for the instruction at `at`, whose linear address is given in two halves. */
  write(template: number, record: number, at: number, low: number, high: number, long: boolean): void {
    const { templates, u32, view } = this;
    let from = template * STRIDE;
    const shape = templates[from + WORDS]!;
    const first = record >>> 2;
    for (let word = first; word < first + WORDS; word++) u32[word] = templates[from++]!;
    let nextLow = low + (shape & 15);
    let nextHigh = high;
    if (nextLow >= UNSIGNED) {
      nextLow -= UNSIGNED;
      nextHigh = long ? (nextHigh + 1) >>> 0 : 0;
    }
    view.setUint32(record + L.REC_NEXT_RIP, nextLow, true);
    view.setUint32(record + L.REC_NEXT_RIP + 4, nextHigh, true);
    if ((shape & RIP_RELATIVE) !== 0) view.setUint32(record + L.REC_BASE, record + L.REC_NEXT_RIP, true);
    const displacementSize = (shape >>> SHIFT_DISPLACEMENT_SIZE) & 7;
    if (displacementSize !== 0) {
      const source = at + ((shape >>> SHIFT_DISPLACEMENT) & 15);
      const value = displacementSize === 1 ? view.getInt8(source) : view.getInt32(source, true);
      view.setInt32(record + L.REC_DISPLACEMENT, value, true);
    }
    const kind = (shape >>> SHIFT_KIND) & 15;
    if (kind === ImmediateKind.constant) return;
    const source = at + ((shape >>> SHIFT_IMMEDIATE) & 15);
    if (kind < ImmediateKind.relative8) this.writeImmediate(kind, record, source);
    else {
      const relative = kind === ImmediateKind.relative8 ? view.getInt8(source) : view.getInt32(source, true);
      let targetLow = nextLow + relative;
      let targetHigh = nextHigh;
      if (targetLow < 0) {
        targetLow += UNSIGNED;
        targetHigh = long ? (targetHigh - 1) >>> 0 : 0;
      } else if (targetLow >= UNSIGNED) {
        targetLow -= UNSIGNED;
        targetHigh = long ? (targetHigh + 1) >>> 0 : 0;
      }
      view.setUint32(record + L.REC_IMMEDIATE, targetLow, true);
      view.setUint32(record + L.REC_IMMEDIATE + 4, targetHigh, true);
      if ((shape & LINKABLE) !== 0 && targetLow >>> 12 === low >>> 12) {
        const flags = record + L.REC_FLAGS;
        this.u8[flags] = this.u8[flags]! | L.REC_LINKABLE;
      }
    }
  }

  private writeImmediate(kind: number, record: number, source: number): void {
    const { view } = this;
    let low: number;
    let high = 0;
    switch (kind) {
      case ImmediateKind.u8:
        low = view.getUint8(source);
        break;
      case ImmediateKind.i8to16:
        low = view.getInt8(source) & 0xffff;
        break;
      case ImmediateKind.i8to32:
        low = view.getInt8(source);
        break;
      case ImmediateKind.i8to64:
        low = view.getInt8(source);
        high = low >> 31;
        break;
      case ImmediateKind.u16:
        low = view.getUint16(source, true);
        break;
      case ImmediateKind.i32to64:
        low = view.getInt32(source, true);
        high = low >> 31;
        break;
      case ImmediateKind.u64:
        high = view.getUint32(source + 4, true);
        low = view.getUint32(source, true);
        break;
      default:
        low = view.getUint32(source, true);
    }
    view.setInt32(record + L.REC_IMMEDIATE, low, true);
    view.setInt32(record + L.REC_IMMEDIATE + 4, high, true);
  }

  /** Keeps what the decoder made of the instruction at `at`: its record, which no guest has executed yet. */
  learn(root: number, at: number, record: number, length: number, shape: number): void {
    if (this.nodeCount + LONGEST > MOST_NODES || this.templateCount + 1 >= MOST_TEMPLATES) return;
    const displacementAt = (shape >>> SHIFT_DISPLACEMENT_SIZE) & 7 ? (shape >>> SHIFT_DISPLACEMENT) & 15 : length;
    const immediateAt = (shape >>> SHIFT_KIND) & 15 ? (shape >>> SHIFT_IMMEDIATE) & 15 : length;
    const deciding = Math.min(displacementAt, immediateAt);
    let node = root;
    for (let i = 0; i < deciding - 1; i++) {
      const slot = node * CHILDREN + this.u8[at + i]!;
      if (this.nodes[slot]! < 0) return; // a shorter pattern is known: never so where decoding is sound
      if (this.nodes[slot] === 0) {
        const child = this.addNode();
        this.nodes[slot] = child;
      }
      node = this.nodes[slot]!;
    }
    const leaf = node * CHILDREN + this.u8[at + deciding - 1]!;
    if (this.nodes[leaf] !== 0) return;
    this.nodes[leaf] = -this.addTemplate(record, shape | length);
  }

  private addNode(): number {
    const node = ++this.nodeCount;
    if ((node + 1) * CHILDREN > this.nodes.length) {
      const larger = new Int32Array(this.nodes.length * 2);
      larger.set(this.nodes);
      this.nodes = larger;
    }
    return node;
  }

  private addTemplate(record: number, shape: number): number {
    const template = ++this.templateCount;
    if ((template + 1) * STRIDE > this.templates.length) {
      const larger = new Uint32Array(this.templates.length * 2);
      larger.set(this.templates);
      this.templates = larger;
    }
    const to = template * STRIDE;
    const { u8, u32 } = this;
    const flags = record + L.REC_FLAGS;
    const kept = u8[flags]!;
    u8[flags] = kept & ~L.REC_LINKABLE; // depends on where the branch stands
    for (let word = 0; word < WORDS; word++) this.templates[to + word] = u32[(record >>> 2) + word]!;
    u8[flags] = kept;
    this.templates[to + WORDS] = shape;
    return template;
  }
}
