/**
 * A small WebAssembly binary encoder: function bodies as byte buffers, and modules of imports, functions, one table,
 * globals and exports. WebAssembly core specification 2.0, chapter 5.
 */
export const ValueType = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof ValueType;
const blockVoid = 0x40;

/** A growing byte buffer with LEB128 writers. */
export class ByteWriter {
  bytes = new Uint8Array(256);
  length = 0;

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = value;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  unsigned(value: number): void {
    while (value >= 0x80) {
      this.byte((value & 0x7f) | 0x80);
      value = Math.floor(value / 128);
    }
    this.byte(value);
  }

  signed32(value: number): void {
    for (;;) {
      const low = value & 0x7f;
      value >>= 7;
      if ((value === 0 && (low & 0x40) === 0) || (value === -1 && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  signed64(value: bigint): void {
    if (value >= -0x4000_0000n && value < 0x4000_0000n) {
      this.signed32(Number(value));
      return;
    }
    for (;;) {
      const low = Number(value & 0x7fn);
      value >>= 7n;
      if ((value === 0n && (low & 0x40) === 0) || (value === -1n && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  text(value: string): void {
    const bytes = Uint8Array.from(value, (character) => character.charCodeAt(0));
    this.unsigned(bytes.length);
    this.append(bytes);
  }

  take(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** One function body under construction: locals by type, instructions, and the depth of open blocks. */
export class FunctionWriter extends ByteWriter {
  /** Open blocks, loops and ifs: the branch depth of a block is `depth - depthWhenOpened`. */
  depth = 0;
  private readonly localTypes: ValueType[] = [];
  private readonly hints: { readonly at: number; readonly taken: boolean }[] = [];

  constructor(private readonly parameterCount: number) {
    super();
  }

  local(type: ValueType): number {
    this.localTypes.push(type);
    return this.parameterCount + this.localTypes.length - 1;
  }

  op(...bytes: number[]): void {
    for (const byte of bytes) this.byte(byte);
  }
  get(local: number): void {
    this.byte(0x20);
    this.unsigned(local);
  }
  set(local: number): void {
    this.byte(0x21);
    this.unsigned(local);
  }
  tee(local: number): void {
    this.byte(0x22);
    this.unsigned(local);
  }
  globalGet(index: number): void {
    this.byte(0x23);
    this.unsigned(index);
  }
  globalSet(index: number): void {
    this.byte(0x24);
    this.unsigned(index);
  }
  i32(value: number): void {
    this.byte(0x41);
    this.signed32(value | 0);
  }
  i64(value: bigint): void {
    this.byte(0x42);
    this.signed64(BigInt.asIntN(64, value));
  }
  call(index: number): void {
    this.byte(0x10);
    this.unsigned(index);
  }
  callIndirect(type: number): void {
    this.op(0x11);
    this.unsigned(type);
    this.byte(0);
  }
  /** Load or store: opcode, then alignment hint 0 and the constant offset. */
  memory(opcode: number, offset: number): void {
    if (opcode >= 0xfd00) {
      this.byte(0xfd);
      this.unsigned(opcode & 0xff);
    } else this.byte(opcode);
    this.byte(0);
    this.unsigned(offset);
  }
  block(): number {
    this.op(0x02, blockVoid);
    return ++this.depth;
  }
  loop(): number {
    this.op(0x03, blockVoid);
    return ++this.depth;
  }
  if(result?: ValueType): number {
    this.op(0x04, result === undefined ? blockVoid : ValueType[result]);
    return ++this.depth;
  }
  else(): void {
    this.byte(0x05);
  }
  end(): void {
    this.byte(0x0b);
    this.depth--;
  }
  /** Branch to a label returned by block(), loop() or if(). */
  br(label: number): void {
    this.byte(0x0c);
    this.unsigned(this.depth - label);
  }
  brIf(label: number): void {
    this.byte(0x0d);
    this.unsigned(this.depth - label);
  }
  /** The br_if or if that follows is taken nearly always, or nearly never: the slow way moves out of the fast one's way. */
  hint(taken: boolean): void {
    this.hints.push({ at: this.length, taken });
  }
  brTable(labels: readonly number[], fallback: number): void {
    this.byte(0x0e);
    this.unsigned(labels.length);
    for (const label of labels) this.unsigned(this.depth - label);
    this.unsigned(this.depth - fallback);
  }
  return(): void {
    this.byte(0x0f);
  }

  /** The encoded body with its local declarations and the final end. */
  body(): FunctionBody {
    const out = new ByteWriter();
    const groups: [ValueType, number][] = [];
    for (const type of this.localTypes) {
      const last = groups.at(-1);
      if (last?.[0] === type) last[1]++;
      else groups.push([type, 1]);
    }
    out.unsigned(groups.length);
    for (const [type, count] of groups) {
      out.unsigned(count);
      out.byte(ValueType[type]);
    }
    const start = out.length;
    out.append(this.bytes.subarray(0, this.length));
    out.byte(0x0b);
    return { bytes: out.take(), hints: this.hints.map(({ at, taken }) => ({ at: at + start, taken })) };
  }
}

export interface FunctionBody {
  readonly bytes: Uint8Array;
  /** Branches by their offset in the bytes, in ascending order. */
  readonly hints: readonly { readonly at: number; readonly taken: boolean }[];
}

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Collects the parts of a module. Imported functions must be added before the module's own. */
export class ModuleWriter {
  private readonly types: string[] = [];
  private readonly typeBodies: Signature[] = [];
  private readonly imports: { module: string; name: string; type: number }[] = [];
  private readonly functions: { type: number; body: FunctionBody | undefined }[] = [];
  private readonly exports: { name: string; index: number }[] = [];
  private readonly globals: { type: ValueType; initial: number }[] = [];
  private elements: number[] = [];
  private tableSize = 0;

  type(signature: Signature): number {
    const key = `${signature.parameters.join()}>${signature.results.join()}`;
    const known = this.types.indexOf(key);
    if (known >= 0) return known;
    this.types.push(key);
    this.typeBodies.push(signature);
    return this.types.length - 1;
  }

  import(module: string, name: string, signature: Signature): number {
    if (this.functions.length > 0) throw new Error('imports come before functions');
    this.imports.push({ module, name, type: this.type(signature) });
    return this.imports.length - 1;
  }

  /** Declares a function; its body may follow later. Returns its index. */
  declare(signature: Signature): number {
    this.functions.push({ type: this.type(signature), body: undefined });
    return this.imports.length + this.functions.length - 1;
  }

  define(index: number, body: FunctionBody): void {
    const target = this.functions[index - this.imports.length];
    if (target === undefined) throw new Error(`function ${String(index)} was not declared`);
    target.body = body;
  }

  export(name: string, index: number): void {
    this.exports.push({ name, index });
  }

  global(type: 'i32', initial: number): number {
    this.globals.push({ type, initial });
    return this.globals.length - 1;
  }

  /** Fills table 0 from index 0 with these functions; `spare` empty places follow. It is exported as `table`. */
  table(elements: readonly number[], spare: number): void {
    this.elements = [...elements];
    this.tableSize = elements.length + spare;
  }

  /** The custom section of the branch hinting proposal; who does not know it ignores it. */
  private readonly branchHints = (writer: ByteWriter): void => {
    const hinted = this.functions.flatMap(({ body }, i) =>
      body === undefined || body.hints.length === 0 ? [] : [{ index: this.imports.length + i, hints: body.hints }],
    );
    writer.text('metadata.code.branch_hint');
    writer.unsigned(hinted.length);
    for (const { index, hints } of hinted) {
      writer.unsigned(index);
      writer.unsigned(hints.length);
      for (const { at, taken } of hints) {
        writer.unsigned(at);
        writer.unsigned(1); // bytes of the hint
        writer.byte(taken ? 1 : 0);
      }
    }
  };

  /** The module's bytes; it imports its memory as env.memory. */
  encode(memoryPages: number): Uint8Array {
    const out = new ByteWriter();
    out.append(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    const section = (id: number, fill: (writer: ByteWriter) => void): void => {
      const body = new ByteWriter();
      fill(body);
      out.byte(id);
      out.unsigned(body.length);
      out.append(body.take());
    };
    section(1, (writer) => {
      writer.unsigned(this.typeBodies.length);
      for (const { parameters, results } of this.typeBodies) {
        writer.byte(0x60);
        writer.unsigned(parameters.length);
        for (const type of parameters) writer.byte(ValueType[type]);
        writer.unsigned(results.length);
        for (const type of results) writer.byte(ValueType[type]);
      }
    });
    section(2, (writer) => {
      writer.unsigned(this.imports.length + 1);
      writer.text('env');
      writer.text('memory');
      writer.byte(2);
      writer.byte(0);
      writer.unsigned(memoryPages);
      for (const { module, name, type } of this.imports) {
        writer.text(module);
        writer.text(name);
        writer.byte(0);
        writer.unsigned(type);
      }
    });
    section(3, (writer) => {
      writer.unsigned(this.functions.length);
      for (const { type } of this.functions) writer.unsigned(type);
    });
    if (this.elements.length > 0) {
      section(4, (writer) => {
        writer.unsigned(1);
        writer.byte(0x70);
        writer.byte(0);
        writer.unsigned(this.tableSize);
      });
    }
    if (this.globals.length > 0) {
      section(6, (writer) => {
        writer.unsigned(this.globals.length);
        for (const { type, initial } of this.globals) {
          writer.byte(ValueType[type]);
          writer.byte(1);
          writer.byte(0x41);
          writer.signed32(initial);
          writer.byte(0x0b);
        }
      });
    }
    section(7, (writer) => {
      writer.unsigned(this.exports.length + (this.tableSize > 0 ? 1 : 0));
      if (this.tableSize > 0) {
        writer.text('table');
        writer.byte(1);
        writer.unsigned(0);
      }
      for (const { name, index } of this.exports) {
        writer.text(name);
        writer.byte(0);
        writer.unsigned(index);
      }
    });
    if (this.elements.length > 0) {
      section(9, (writer) => {
        writer.unsigned(1);
        writer.byte(0);
        writer.byte(0x41);
        writer.signed32(0);
        writer.byte(0x0b);
        writer.unsigned(this.elements.length);
        for (const index of this.elements) writer.unsigned(index);
      });
    }
    if (this.functions.some(({ body }) => body !== undefined && body.hints.length > 0)) section(0, this.branchHints);
    section(10, (writer) => {
      writer.unsigned(this.functions.length);
      for (const { body } of this.functions) {
        if (body === undefined) throw new Error('a declared function has no body');
        writer.unsigned(body.bytes.length);
        writer.append(body.bytes);
      }
    });
    return out.take();
  }
}
