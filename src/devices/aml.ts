/**
 * ACPI Machine Language, as much as a DSDT without methods needs: each function gives the encoding of one term.
 * ACPI 6.5 section 20.2; resource descriptors section 6.4.
 */
export type Aml = readonly number[];

/** NameSeg: four characters, short ones padded with underscores; a leading backslash is the root. */
function name(path: string): Aml {
  const root = path.startsWith('\\');
  const segment = (root ? path.slice(1) : path).padEnd(4, '_');
  if (!/^[A-Z_][A-Z0-9_]{3}$/.test(segment)) throw new RangeError(`"${path}" is no AML name of one segment`);
  return [...(root ? [0x5c] : []), ...ascii(segment)];
}

/** PkgLength, which counts itself, and the bytes behind it. Section 20.2.4. */
function sized(body: Aml): Aml {
  if (body.length + 1 <= 0x3f) return [body.length + 1, ...body];
  const length = body.length + 2;
  if (length > 0xfff) throw new RangeError(`an AML package of ${String(body.length)} bytes needs a longer PkgLength`);
  return [0x40 | (length & 0xf), length >> 4, ...body];
}

export const scope = (path: string, ...terms: Aml[]): Aml => [0x10, ...sized([...name(path), ...terms.flat()])];

export const device = (id: string, ...terms: Aml[]): Aml => [0x5b, 0x82, ...sized([...name(id), ...terms.flat()])];

/** What a Processor object says: its ID in the MADT, its register block in I/O space. */
export interface ProcessorBlock {
  readonly id: number;
  readonly block: number;
  readonly blockBytes: number;
}

/** DefProcessor. Section 20.2.5.2 of ACPI 6.3, the last that has it. */
export const processor = (segment: string, { id, block, blockBytes }: ProcessorBlock, ...terms: Aml[]): Aml => [
  0x5b,
  0x83,
  ...sized([...name(segment), id, ...little(block, 4), blockBytes, ...terms.flat()]),
];

export const named = (id: string, value: Aml): Aml => [0x08, ...name(id), ...value];

export const packageOf = (...elements: Aml[]): Aml => [0x12, ...sized([elements.length, ...elements.flat()])];

/** ZeroOp, OneOp, or the shortest of Byte-, Word- and DWordConst. Section 20.2.3. */
export function integer(value: number): Aml {
  if (value === 0 || value === 1) return [value];
  if (value <= 0xff) return [0x0a, value];
  return value <= 0xffff ? [0x0b, ...little(value, 2)] : [0x0c, ...little(value, 4)];
}

/** EISAID("PNP0501"): three letters of five bits, four digits, most significant byte first. Section 19.3.4. */
export function eisaId(id: string): Aml {
  if (!/^[A-Z]{3}[0-9A-F]{4}$/.test(id)) throw new RangeError(`"${id}" is no EISA identifier such as PNP0501`);
  const [a = 0, b = 0, c = 0] = ascii(id).map((code) => code - 0x40);
  const product = Number.parseInt(id.slice(3), 16);
  const letters = (a << 10) | (b << 5) | c;
  return [0x0c, letters >> 8, letters & 0xff, product >> 8, product & 0xff];
}

/** A string constant: ASCII and a NUL. Section 20.2.3. */
export const text = (value: string): Aml => [0x0d, ...ascii(value), 0];

/** DefBuffer. Section 20.2.5.4. */
export const buffer = (bytes: Aml): Aml => [0x11, ...sized([...integer(bytes.length), ...bytes])];

/** A buffer of resource descriptors with its end tag (checksum 0: not given). Section 6.4.2.9. */
export function resources(...descriptors: Aml[]): Aml {
  return buffer([...descriptors.flat(), 0x79, 0]);
}

/** I/O Port Descriptor at a fixed place, 16-bit decode. Section 6.4.2.5. */
export const ioPorts = (first: number, count: number): Aml => [
  0x47,
  0x01,
  ...little(first, 2),
  ...little(first, 2),
  1,
  count,
];

/** Extended Interrupt Descriptor: consumer, edge-triggered, active high, exclusive. Section 6.4.3.6. */
export const edgeInterrupt = (globalSystemInterrupt: number): Aml => [
  0x89,
  ...little(6, 2),
  0b0011,
  1,
  ...little(globalSystemInterrupt, 4),
];

function little(value: number, count: number): Aml {
  return Array.from({ length: count }, (_, index) => (value >>> (8 * index)) & 0xff);
}

function ascii(text: string): Aml {
  return Array.from(text, (character) => character.charCodeAt(0));
}
