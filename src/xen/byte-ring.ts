/** Where a ring lies in its page, bytes. `size` is a power of two. */
export interface ByteRingPlace {
  readonly data: number;
  readonly size: number;
  readonly cons: number;
  readonly prod: number;
}

/**
 * A ring of bytes in a page that the guest writes as well. The indices run freely modulo 2^32 and are read once in each
 * call: the guest may have set them to anything.
 */
export class ByteRing {
  private readonly view: DataView;

  constructor(
    private readonly page: Uint8Array,
    private readonly place: ByteRingPlace,
  ) {
    this.view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  }

  /** Bytes that wait in the ring; undefined where the indices lie further apart than the ring is long. */
  get used(): number | undefined {
    const used = (this.index(this.place.prod) - this.index(this.place.cons)) >>> 0;
    return used <= this.place.size ? used : undefined;
  }

  /** Room for bytes; undefined as for `used`. */
  get free(): number | undefined {
    const { used } = this;
    return used === undefined ? undefined : this.place.size - used;
  }

  /** Takes at most `limit` bytes out; none where the indices are wrong. */
  take(limit: number = this.place.size): Uint8Array {
    const taken = new Uint8Array(Math.min(this.used ?? 0, limit));
    const { data, size, cons } = this.place;
    const first = this.index(cons);
    taken.forEach((_, i) => {
      taken[i] = this.page[data + ((first + i) & (size - 1))] ?? 0;
    });
    if (taken.length > 0) this.view.setUint32(cons, first + taken.length, true);
    return taken;
  }

  /** Puts in what there is room for, and says how many bytes that was; none where the indices are wrong. */
  put(bytes: Uint8Array): number {
    const { data, size, prod } = this.place;
    const first = this.index(prod);
    const put = bytes.subarray(0, this.free ?? 0);
    put.forEach((byte, i) => {
      this.page[data + ((first + i) & (size - 1))] = byte;
    });
    if (put.length > 0) this.view.setUint32(prod, first + put.length, true);
    return put.length;
  }

  /** Empties the ring: both indices 0. */
  reset(): void {
    this.view.setUint32(this.place.cons, 0, true);
    this.view.setUint32(this.place.prod, 0, true);
  }

  private index(offset: number): number {
    return this.view.getUint32(offset, true);
  }
}
