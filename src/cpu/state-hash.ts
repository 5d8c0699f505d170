/**
 * A fast 64-bit hash for comparing states of a machine, in two lanes of 32 bits because integers of JavaScript have no
 * more. Not for secrets: two states that differ give the same value with a chance of about 2^-64, not against intent.
 */
const A = 0x9e37_79b1;
const B = 0x85eb_ca77;

export class Hash {
  private a = 0x243f_6a88;
  private b = 0x85a3_08d3;

  word(value: number): this {
    const a = Math.imul(this.a ^ value, A);
    this.a = a ^ (a >>> 15);
    const b = Math.imul((this.b + value) | 0, B);
    this.b = (b << 13) | (b >>> 19);
    return this;
  }

  /** Words `from` to `to` - 1 of an array. */
  words(array: Uint32Array, from: number, to: number): this {
    let { a, b } = this;
    for (let i = from; i < to; i++) {
      const value = array[i] ?? 0;
      a = Math.imul(a ^ value, A);
      a ^= a >>> 15;
      b = Math.imul((b + value) | 0, B);
      b = (b << 13) | (b >>> 19);
    }
    this.a = a;
    this.b = b;
    return this;
  }

  /** A number of any kind, such as a tick. */
  number(value: number): this {
    float[0] = value;
    return this.word(floatWords[0] ?? 0).word(floatWords[1] ?? 0);
  }

  text(value: string): this {
    for (let i = 0; i < value.length; i++) this.word(value.charCodeAt(i));
    return this.word(value.length);
  }

  get high(): number {
    return finish(this.a ^ Math.imul(this.b, A));
  }

  get low(): number {
    return finish(this.b ^ Math.imul(this.a, B));
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return hex32(this.high) + hex32(this.low);
  }
}

const float = new Float64Array(1);
const floatWords = new Uint32Array(float.buffer);

function finish(value: number): number {
  const mixed = Math.imul(value ^ (value >>> 16), 0x7feb_352d);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

export const hex32 = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
