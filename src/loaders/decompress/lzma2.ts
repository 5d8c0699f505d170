import { CodecError } from './codec.js';

/**
 * LZMA2 as it stands in .xz files. The format is described by the LZMA specification (7-zip.org/sdk) for the coding
 * and by "The .xz File Format" section 5.3.1 for the container of chunks.
 */

const states = 12; // what the last symbols were: literals below 7, matches and repetitions above
const firstNonLiteral = 7;

// Where each group of probabilities begins in one array; LZMA specification, "Probability model".
const IS_MATCH = 0; // [state][position]
const IS_REP = IS_MATCH + (states << 4);
const IS_REP_G0 = IS_REP + states;
const IS_REP_G1 = IS_REP_G0 + states;
const IS_REP_G2 = IS_REP_G1 + states;
const IS_REP0_LONG = IS_REP_G2 + states; // [state][position]
const POS_SLOT = IS_REP0_LONG + (states << 4); // [length class][slot tree]
const POS_SPECIAL = POS_SLOT + (4 << 6);
const POS_ALIGN = POS_SPECIAL + 128;
const LENGTH = POS_ALIGN + 16;
const LENGTH_SIZE = 2 + (16 << 3) + (16 << 3) + 256; // choices, low, middle, high
const REP_LENGTH = LENGTH + LENGTH_SIZE;
const LITERAL = REP_LENGTH + LENGTH_SIZE; // [context][0x300]

const endMarkerSlots = 14; // slots from here on have aligned low bits

/** Decodes chunks into one output array, which is also the dictionary. */
class Lzma2Decoder {
  private readonly probabilities = new Uint16Array(LITERAL + (0x300 << 4));
  private range = 0; // u32 kept as i32
  private code = 0;
  private from = 0;
  private chunkEnd = 0;
  private to: number;
  private dictionaryStart: number;
  private state = 0;
  private rep0 = 0;
  private rep1 = 0;
  private rep2 = 0;
  private rep3 = 0;
  private literalContextBits = 0;
  private literalPositionMask = 0;
  private positionMask = 0;

  constructor(
    private readonly input: Uint8Array,
    private readonly output: Uint8Array,
    written: number,
  ) {
    this.to = written;
    this.dictionaryStart = written;
  }

  /** Decodes from `start` up to the end marker; returns where input and output stand. */
  run(start: number): { from: number; to: number } {
    const { input, output } = this;
    let needDictionary = true;
    let needProperties = true;
    let needState = true;
    this.from = start;
    for (;;) {
      const at = this.from;
      const control = this.byte();
      if (control === 0) return { from: this.from, to: this.to };
      const resetsDictionary = control === 1 || control >= 0xe0;
      if ((control < 0x80 && control > 2) || (needDictionary && !resetsDictionary)) {
        throw new CodecError(`LZMA2 chunk has the control byte 0x${control.toString(16)}, which cannot stand here`, at);
      }
      if (resetsDictionary) {
        needDictionary = false;
        this.dictionaryStart = this.to;
      }
      const high = control >= 0x80 ? (control & 0x1f) << 16 : 0;
      const unpacked = high + (this.byte() << 8) + this.byte() + 1;
      if (this.to + unpacked > output.length) {
        throw new CodecError(`it unpacks to more than the ${String(output.length)} bytes announced`, at);
      }
      if (control < 0x80) {
        if (this.from + unpacked > input.length) throw new CodecError('stream ends within an LZMA2 chunk', at);
        output.set(input.subarray(this.from, this.from + unpacked), this.to);
        this.from += unpacked;
        this.to += unpacked;
        continue;
      }
      const packed = (this.byte() << 8) + this.byte() + 1;
      if (control >= 0xc0) {
        this.setProperties(this.byte(), at);
        needProperties = false;
      }
      if (needProperties || (needState && control < 0xa0)) {
        throw new CodecError('LZMA2 chunk uses a state that no chunk has set', at);
      }
      if (control >= 0xa0) {
        this.resetState();
        needState = false;
      }
      this.chunkEnd = this.from + packed;
      if (packed < 5 || this.chunkEnd > input.length) throw new CodecError('stream ends within an LZMA2 chunk', at);
      this.decodeChunk(this.to + unpacked);
      if (this.from !== this.chunkEnd || this.code !== 0)
        throw new CodecError('LZMA2 chunk does not end where it should', at);
    }
  }

  private byte(): number {
    const value = this.input[this.from];
    if (value === undefined) throw new CodecError('stream ends early', this.from);
    this.from++;
    return value;
  }

  private setProperties(value: number, at: number): void {
    const context = value % 9;
    const position = Math.floor(value / 9) % 5;
    const positionBits = Math.floor(value / 45);
    if (positionBits > 4 || context + position > 4) {
      throw new CodecError(`LZMA2 properties 0x${value.toString(16)} are not allowed`, at);
    }
    this.literalContextBits = context;
    this.literalPositionMask = (1 << position) - 1;
    this.positionMask = (1 << positionBits) - 1;
  }

  private resetState(): void {
    this.probabilities.fill(1024);
    this.state = 0;
    this.rep0 = this.rep1 = this.rep2 = this.rep3 = 0;
  }

  private normalize(): void {
    if (this.range >>> 0 < 0x100_0000) {
      this.range = this.range << 8;
      this.code = (this.code << 8) | this.input[this.from++]!;
    }
  }

  /** One bit of adaptive probability. LZMA specification, "Range decoder". */
  private bit(index: number): number {
    if (this.range >>> 0 < 0x100_0000) {
      this.range = this.range << 8;
      this.code = (this.code << 8) | this.input[this.from++]!;
    }
    const probability = this.probabilities[index]!;
    const bound = Math.imul(this.range >>> 11, probability);
    if (this.code >>> 0 < bound >>> 0) {
      this.range = bound;
      this.probabilities[index] = probability + ((2048 - probability) >> 5);
      return 0;
    }
    this.range = (this.range - bound) | 0;
    this.code = (this.code - bound) | 0;
    this.probabilities[index] = probability - (probability >> 5);
    return 1;
  }

  private direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.normalize();
      this.range = this.range >>> 1;
      let one = 0;
      if (this.code >>> 0 >= this.range >>> 0) {
        this.code = (this.code - this.range) | 0;
        one = 1;
      }
      value = ((value << 1) | one) >>> 0;
    }
    return value;
  }

  private tree(base: number, bits: number): number {
    let node = 1;
    for (let i = 0; i < bits; i++) node = (node << 1) | this.bit(base + node);
    return node - (1 << bits);
  }

  private reverseTree(base: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const one = this.bit(base + node);
      node = (node << 1) | one;
      value |= one << i;
    }
    return value;
  }

  private length(base: number, position: number): number {
    if (this.bit(base) === 0) return 2 + this.tree(base + 2 + (position << 3), 3);
    if (this.bit(base + 1) === 0) return 10 + this.tree(base + 2 + 128 + (position << 3), 3);
    return 18 + this.tree(base + 2 + 256, 8);
  }

  private decodeChunk(end: number): void {
    const { output } = this;
    this.range = -1;
    this.code = 0;
    this.from++; // always 0
    for (let i = 0; i < 4; i++) this.code = (this.code << 8) | this.byte();
    while (this.to < end) {
      if (this.from > this.chunkEnd) throw new CodecError('LZMA2 chunk is shorter than its symbols', this.from);
      const position = (this.to - this.dictionaryStart) & this.positionMask;
      if (this.bit(IS_MATCH + (this.state << 4) + position) === 0) {
        this.literal();
        continue;
      }
      const length = this.matchLength(position);
      if (length === 0) {
        const byte = this.to - this.rep0 - 1;
        if (byte < this.dictionaryStart) throw new CodecError('repeated byte lies before the dictionary', this.from);
        output[this.to++] = output[byte]!;
        continue;
      }
      let source = this.to - this.rep0 - 1;
      if (source < this.dictionaryStart || this.to + length > end) {
        throw new CodecError(
          `match of ${String(length)} bytes at distance ${String(this.rep0 + 1)} does not fit`,
          this.from,
        );
      }
      let to = this.to;
      for (const stop = to + length; to < stop;) output[to++] = output[source++]!;
      this.to = to;
    }
    this.normalize();
  }

  private literal(): void {
    const { output } = this;
    const offset = this.to - this.dictionaryStart;
    const previous = offset === 0 ? 0 : output[this.to - 1]!;
    const context =
      ((offset & this.literalPositionMask) << this.literalContextBits) + (previous >> (8 - this.literalContextBits));
    const base = LITERAL + 0x300 * context;
    let symbol = 1;
    if (this.state >= firstNonLiteral) {
      // Behind a match the byte at the last distance predicts, bit by bit, until it is wrong once.
      let predicted = output[this.to - this.rep0 - 1] ?? 0;
      do {
        const expected = (predicted >> 7) & 1;
        predicted <<= 1;
        const one = this.bit(base + ((1 + expected) << 8) + symbol);
        symbol = (symbol << 1) | one;
        if (one !== expected) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.bit(base + symbol);
    output[this.to++] = symbol & 0xff;
    this.state = this.state < 4 ? 0 : this.state < 10 ? this.state - 3 : this.state - 6;
  }

  /** Settles rep0 and the state and returns the length; 0 means a single byte at rep0. */
  private matchLength(position: number): number {
    const { state } = this;
    const afterLiteral = state < firstNonLiteral;
    if (this.bit(IS_REP + state) === 0) {
      this.rep3 = this.rep2;
      this.rep2 = this.rep1;
      this.rep1 = this.rep0;
      const length = this.length(LENGTH, position);
      this.state = afterLiteral ? 7 : 10;
      this.rep0 = this.distance(Math.min(length - 2, 3));
      return length;
    }
    if (this.bit(IS_REP_G0 + state) === 0) {
      if (this.bit(IS_REP0_LONG + (state << 4) + position) === 0) {
        this.state = afterLiteral ? 9 : 11;
        return 0;
      }
    } else {
      let distance: number;
      if (this.bit(IS_REP_G1 + state) === 0) {
        distance = this.rep1;
      } else {
        if (this.bit(IS_REP_G2 + state) === 0) {
          distance = this.rep2;
        } else {
          distance = this.rep3;
          this.rep3 = this.rep2;
        }
        this.rep2 = this.rep1;
      }
      this.rep1 = this.rep0;
      this.rep0 = distance;
    }
    this.state = afterLiteral ? 8 : 11;
    return this.length(REP_LENGTH, position);
  }

  private distance(lengthClass: number): number {
    const slot = this.tree(POS_SLOT + (lengthClass << 6), 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = ((2 | (slot & 1)) << bits) >>> 0;
    if (slot < endMarkerSlots) return base + this.reverseTree(POS_SPECIAL + base - slot, bits);
    return base + this.direct(bits - 4) * 16 + this.reverseTree(POS_ALIGN, 4);
  }
}

/** Unpacks an LZMA2 stream that starts at `start` behind `written` bytes of output. Throws CodecError. */
export function unpackLzma2(
  input: Uint8Array,
  start: number,
  output: Uint8Array,
  written: number,
): { from: number; to: number } {
  return new Lzma2Decoder(input, output, written).run(start);
}
