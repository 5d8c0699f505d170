/** Numbers (above 0) in chains by hash, in plain arrays: a Map of arrays for 100,000 blocks would be tens of MiB of small objects. */
export class Chains {
  private readonly heads: Int32Array;
  private next = new Int32Array(16_384);

  /** `size` chains, a power of two. */
  constructor(private readonly size: number) {
    this.heads = new Int32Array(size);
  }

  /** The last number added to the chain of a hash; 0 when there is none. */
  first(hash: number): number {
    return this.heads[hash & (this.size - 1)]!;
  }

  /** The number added before another one; 0 behind the end. */
  after(id: number): number {
    return this.next[id]!;
  }

  add(hash: number, id: number): void {
    if (id >= this.next.length) {
      const larger = new Int32Array(Math.max(this.next.length * 2, id + 1));
      larger.set(this.next);
      this.next = larger;
    }
    const slot = hash & (this.size - 1);
    this.next[id] = this.heads[slot]!;
    this.heads[slot] = id;
  }

  remove(hash: number, id: number): void {
    const slot = hash & (this.size - 1);
    const behind = this.next[id]!;
    let at = this.heads[slot]!;
    if (at === id) this.heads[slot] = behind;
    else {
      while (at !== 0 && this.next[at] !== id) at = this.next[at]!;
      if (at !== 0) this.next[at] = behind;
    }
    this.next[id] = 0;
  }

  clear(): void {
    this.heads.fill(0);
    this.next.fill(0);
  }
}
