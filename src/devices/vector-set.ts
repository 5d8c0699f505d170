/** 256 interrupt vectors, one bit each, as the local APIC's IRR, ISR and TMR hold them. Intel SDM volume 3, 11.8.4. */
export class VectorSet {
  private readonly words = new Uint32Array(8);

  has(vector: number): boolean {
    return ((this.words[vector >>> 5] ?? 0) & (1 << (vector & 31))) !== 0;
  }

  set(vector: number, value: boolean): void {
    const word = vector >>> 5;
    const bit = 1 << (vector & 31);
    this.words[word] = value ? (this.words[word] ?? 0) | bit : (this.words[word] ?? 0) & ~bit;
  }

  /** The highest vector, -1 when the set is empty. */
  highest(): number {
    for (let word = 7; word >= 0; word--) {
      const bits = this.words[word] ?? 0;
      if (bits !== 0) return word * 32 + 31 - Math.clz32(bits);
    }
    return -1;
  }

  /** Vectors 32 * index to 32 * index + 31, as one register shows them. */
  word(index: number): number {
    return this.words[index] ?? 0;
  }

  clear(): void {
    this.words.fill(0);
  }

  save(): number[] {
    return [...this.words];
  }

  restore(words: readonly number[]): void {
    this.words.set(words);
  }
}
