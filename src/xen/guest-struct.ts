/**
 * Structures that a guest hands to a hypercall, in the layouts of its two ABIs: 64-bit (natural alignment) and 32-bit
 * (pointers and longs of 4 bytes, 64-bit integers aligned to 4). xen/include/public; xen/include/xen/compat.h.
 */
interface FieldTypes {
  u8: number;
  u16: number;
  u32: number;
  s32: number;
  u64: bigint;
  /** uint64_aligned_t: aligned to 8 in both ABIs. */
  u64aligned: bigint;
  /** unsigned long, xen_ulong_t, xen_pfn_t. */
  ulong: bigint;
  /** A guest handle: a guest-linear address. */
  pointer: bigint;
}
export type FieldType = keyof FieldTypes;
export type Fields = Readonly<Record<string, FieldType>>;
export type Values<F extends Fields> = { [Name in keyof F]: FieldTypes[F[Name]] };
/** The values of any structure. */
export type AnyValues = Record<string, number | bigint>;

interface Place {
  readonly name: string;
  readonly type: FieldType;
  readonly offset: number;
  readonly bytes: number;
}

const wideBytes: Readonly<Record<FieldType, number>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  s32: 4,
  u64: 8,
  u64aligned: 8,
  ulong: 8,
  pointer: 8,
};

/** A structure in both layouts. `wide` is the 64-bit ABI. */
export class GuestStruct<F extends Fields = Fields> {
  private readonly wide: { readonly places: readonly Place[]; readonly size: number };
  private readonly narrow: { readonly places: readonly Place[]; readonly size: number };

  constructor(
    readonly name: string,
    fields: F,
  ) {
    this.wide = layOut(fields, true);
    this.narrow = layOut(fields, false);
  }

  size(wide: boolean): number {
    return (wide ? this.wide : this.narrow).size;
  }

  decode(bytes: Uint8Array, wide: boolean): Values<F> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const values: AnyValues = {};
    for (const place of (wide ? this.wide : this.narrow).places) values[place.name] = readField(view, place);
    return values as Values<F>;
  }

  /** Stores the fields into bytes of the structure; what no field covers stays as it is. */
  encodeInto(bytes: Uint8Array, values: Values<F>, wide: boolean): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const place of (wide ? this.wide : this.narrow).places) writeField(view, place, values[place.name] ?? 0);
  }
}

function layOut(fields: Fields, wide: boolean): { places: Place[]; size: number } {
  let [at, largest] = [0, 1];
  const places = Object.entries(fields).map(([name, type]): Place => {
    const bytes = !wide && (type === 'ulong' || type === 'pointer') ? 4 : wideBytes[type];
    const alignment = !wide && type === 'u64' ? 4 : bytes;
    largest = Math.max(largest, alignment);
    const offset = alignUp(at, alignment);
    at = offset + bytes;
    return { name, type, offset, bytes };
  });
  return { places, size: alignUp(at, largest) };
}

const alignUp = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;

function readField(view: DataView, { type, offset, bytes }: Place): number | bigint {
  switch (type) {
    case 'u8':
      return view.getUint8(offset);
    case 'u16':
      return view.getUint16(offset, true);
    case 'u32':
      return view.getUint32(offset, true);
    case 's32':
      return view.getInt32(offset, true);
    default:
      return bytes === 4 ? BigInt(view.getUint32(offset, true)) : view.getBigUint64(offset, true);
  }
}

function writeField(view: DataView, { offset, bytes }: Place, value: number | bigint): void {
  const raw = BigInt.asUintN(64, BigInt(value));
  if (bytes === 8) view.setBigUint64(offset, raw, true);
  else if (bytes === 4) view.setUint32(offset, Number(raw & 0xffff_ffffn), true);
  else if (bytes === 2) view.setUint16(offset, Number(raw & 0xffffn), true);
  else view.setUint8(offset, Number(raw & 0xffn));
}
