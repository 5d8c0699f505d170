/**
 * Byte layouts as declarations: `struct(name, size, fields)`. Everything is little endian and packed; gaps are
 * declared as fields. A layout whose fields do not add up to its size throws when it loads.
 */
import { Layout, Sequence, Structure, UInt, type LayoutBuffer } from 'buffer-layout';
import { guidBytes, guidText } from './guid.js';

export { guidBytes, guidText };

/** A layout was declared wrongly, or a value does not fit its field. */
export class LayoutError extends Error {
  override readonly name = 'LayoutError';
  readonly code = 'LAYOUT';
}

/** One named field. `Value` is what decode gives, `Input` what encode takes. */
export interface Field<Name extends string, Value, Input = Value> {
  readonly name: Name;
  readonly size: number; // bytes
  readonly kind: string; // 'u32', 'guid' ...
  /** The structure that it holds, or of which it is an array. */
  readonly inner?: LayoutFields;
  /** For the field as it stands in a struct. The package's own type, kept out of the public signatures. */
  readonly layout: unknown;
  /** Carries the types; never set. */
  readonly types?: { readonly value: Value; readonly input: Input };
}

type AnyField = Field<string, unknown, unknown>;
type Simplify<T> = { [K in keyof T]: T[K] };
export type Values<Fields extends readonly AnyField[]> = Simplify<{
  -readonly [F in Fields[number] as F['name']]: F extends Field<string, infer Value, unknown> ? Value : never;
}>;
export type Inputs<Fields extends readonly AnyField[]> = Simplify<{
  readonly [F in Fields[number] as F['name']]?: F extends Field<string, unknown, infer Input> ? Input : never;
}>;

/** What a layout says of itself. Sizes and offsets are bytes. */
export interface LayoutFields {
  readonly name: string;
  readonly size: number;
  readonly fields: readonly DeclaredField[];
}

export interface DeclaredField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly kind: string;
  /** The structure that it holds; as many as fit into its size, one behind the other. */
  readonly inner?: LayoutFields;
}

/** A declared layout. */
export interface Struct<V, I> extends LayoutFields {
  /** The bytes of a structure; fields left out are 0. Throws LayoutError when a value does not fit. */
  encode(values?: I): Uint8Array;
  /** Reads a structure at `offset`. Throws LayoutError when the bytes end before it does. */
  decode(bytes: Uint8Array, offset?: number): V;
  offsetOf(field: keyof V & string): number;
}

/** Gives plain bytes the methods of a Node Buffer that the package calls, so that it runs in browsers too. */
class ByteView implements LayoutBuffer {
  constructor(readonly bytes: Uint8Array) {}
  get length(): number {
    return this.bytes.length;
  }
  readUIntLE(offset: number, count: number): number {
    let value = 0;
    for (let i = count - 1; i >= 0; i--) value = value * 256 + (this.bytes[offset + i] ?? 0);
    return value;
  }
  writeUIntLE(value: number, offset: number, count: number): void {
    if (!Number.isInteger(value) || value < 0 || value >= 256 ** count) {
      throw new LayoutError(`${String(value)} does not fit ${String(count)} unsigned bytes`);
    }
    for (let i = 0, rest = value; i < count; i++, rest = Math.floor(rest / 256)) this.bytes[offset + i] = rest % 256;
  }
}

function bytesOf(buffer: LayoutBuffer): Uint8Array {
  if (buffer instanceof ByteView) return buffer.bytes;
  throw new LayoutError('layouts work on the bytes that encode and decode were given');
}

class BigUInt extends Layout<bigint | number> {
  constructor(property?: string) {
    super(8, property);
  }
  override decode(buffer: LayoutBuffer, offset = 0): bigint {
    return BigInt(buffer.readUIntLE(offset, 4)) | (BigInt(buffer.readUIntLE(offset + 4, 4)) << 32n);
  }
  override encode(source: bigint | number, buffer: LayoutBuffer, offset = 0): number {
    const value = BigInt(source);
    if (value !== BigInt.asUintN(64, value)) throw new LayoutError(`${String(value)} does not fit 8 unsigned bytes`);
    buffer.writeUIntLE(Number(value & 0xffff_ffffn), offset, 4);
    buffer.writeUIntLE(Number(value >> 32n), offset + 4, 4);
    return 8;
  }
}

class RawBytes extends Layout<Uint8Array> {
  override decode(buffer: LayoutBuffer, offset = 0): Uint8Array {
    return bytesOf(buffer).slice(offset, offset + this.span);
  }
  override encode(source: Uint8Array, buffer: LayoutBuffer, offset = 0): number {
    if (source.length > this.span) {
      throw new LayoutError(`${String(source.length)} bytes do not fit a field of ${String(this.span)}`);
    }
    bytesOf(buffer).set(source, offset);
    return this.span;
  }
}

class GuidLayout extends Layout<string> {
  constructor(property?: string) {
    super(16, property);
  }
  override decode(buffer: LayoutBuffer, offset = 0): string {
    return guidText(bytesOf(buffer), offset);
  }
  override encode(source: string, buffer: LayoutBuffer, offset = 0): number {
    bytesOf(buffer).set(guidBytes(source), offset);
    return 16;
  }
}

class NestedLayout extends Layout<unknown> {
  constructor(
    private readonly inner: Struct<unknown, unknown>,
    property?: string,
  ) {
    super(inner.size, property);
  }
  override decode(buffer: LayoutBuffer, offset = 0): unknown {
    return this.inner.decode(bytesOf(buffer), offset);
  }
  override encode(source: unknown, buffer: LayoutBuffer, offset = 0): number {
    bytesOf(buffer).set(this.inner.encode(source), offset);
    return this.span;
  }
}

function field<Name extends string, Value, Input = Value>(
  name: Name,
  kind: string,
  layout: unknown,
  inner?: LayoutFields,
): Field<Name, Value, Input> {
  return { name, kind, size: (layout as Layout<unknown>).span, layout, ...(inner && { inner }) };
}

export const u8 = <N extends string>(name: N): Field<N, number> => field(name, 'u8', new UInt(1, name));
export const u16 = <N extends string>(name: N): Field<N, number> => field(name, 'u16', new UInt(2, name));
export const u32 = <N extends string>(name: N): Field<N, number> => field(name, 'u32', new UInt(4, name));
/** 64 bits: always a bigint when read; encode takes a number as well. */
export const u64 = <N extends string>(name: N): Field<N, bigint, bigint | number> =>
  field(name, 'u64', new BigUInt(name));
/** `count` bytes as they are; shorter input is followed by zeros. */
export const bytes = <N extends string>(name: N, count: number): Field<N, Uint8Array> =>
  field(name, `bytes[${String(count)}]`, new RawBytes(count, name));
/** EFI_GUID as text in lower case. */
export const guid = <N extends string>(name: N): Field<N, string> => field(name, 'guid', new GuidLayout(name));
/** A structure inside another. */
export const nested = <N extends string, V, I>(name: N, inner: Struct<V, I>): Field<N, V, I> =>
  field(name, inner.name, new NestedLayout(inner as unknown as Struct<unknown, unknown>, name), inner);
/** `count` scalars or structures: `array('LineTo', u8, 4)`, `array('Entries', MemmapEntry, 2)`. */
export function array<N extends string, V, I>(
  name: N,
  element: ((name: string) => Field<string, V, I>) | Struct<V, I>,
  count: number,
): Field<N, V[], readonly I[]> {
  const one = typeof element === 'function' ? element('') : nested('', element);
  const layout = new PaddedSequence(one.layout as Layout<unknown>, count, name);
  return field(name, `${one.kind}[${String(count)}]`, layout, one.inner);
}

class PaddedSequence extends Layout<unknown[]> {
  private readonly sequence: Sequence<unknown>;
  constructor(
    element: Layout<unknown>,
    private readonly count: number,
    property: string,
  ) {
    super(element.span * count, property);
    this.sequence = new Sequence(element, count);
  }
  override decode(buffer: LayoutBuffer, offset = 0): unknown[] {
    return this.sequence.decode(buffer, offset);
  }
  override encode(source: unknown[], buffer: LayoutBuffer, offset = 0): number {
    if (source.length > this.count) {
      throw new LayoutError(`${String(source.length)} elements do not fit an array of ${String(this.count)}`);
    }
    this.sequence.encode(source, buffer, offset);
    return this.span;
  }
}

/** Declares a layout of `size` bytes. Throws LayoutError when the fields do not add up to it or a name is taken twice. */
export function struct<const Fields extends readonly AnyField[]>(
  name: string,
  size: number,
  fields: Fields,
): Struct<Values<Fields>, Inputs<Fields>> {
  const structure = new Structure(
    fields.map((f) => f.layout as Layout<never>),
    name,
  );
  const declared: DeclaredField[] = [];
  const names = new Map<string, number>();
  let end = 0;
  for (const f of fields) {
    if (names.has(f.name)) throw new LayoutError(`${name}: the field ${f.name} is declared twice`);
    names.set(f.name, end);
    declared.push({ name: f.name, offset: end, size: f.size, kind: f.kind, ...(f.inner && { inner: f.inner }) });
    end += f.size;
  }
  if (end !== size) {
    throw new LayoutError(
      `${name}: the fields take ${String(end)} bytes, ${String(size)} are declared: correct one of them`,
    );
  }
  return {
    name,
    size,
    fields: declared,
    encode(values) {
      const result = new Uint8Array(size);
      const present = Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== undefined));
      try {
        structure.encode(present, new ByteView(result));
      } catch (error) {
        if (error instanceof LayoutError || error instanceof RangeError)
          throw new LayoutError(`${name}: ${error.message}`);
        throw error;
      }
      return result;
    },
    decode(source, offset = 0) {
      if (offset < 0 || offset + size > source.length) {
        throw new LayoutError(
          `${name}: ${String(size)} bytes at offset ${String(offset)} do not lie within ${String(source.length)}`,
        );
      }
      return structure.decode(new ByteView(source), offset) as Values<Fields>;
    },
    offsetOf(wanted) {
      const offset = names.get(wanted);
      if (offset === undefined) throw new LayoutError(`${name} has no field ${wanted}`);
      return offset;
    },
  };
}
