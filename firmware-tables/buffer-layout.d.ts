/** What we use of the npm package buffer-layout, which has no types. Its buffers are `LayoutBuffer` here. */
declare module 'buffer-layout' {
  /** The two methods that the package's integer layouts call; a Node Buffer has them, a Uint8Array has not. */
  export interface LayoutBuffer {
    readonly length: number;
    readUIntLE(offset: number, bytes: number): number;
    writeUIntLE(value: number, offset: number, bytes: number): void;
  }
  export class Layout<Value> {
    constructor(span: number, property?: string);
    readonly span: number;
    readonly property: string | undefined;
    decode(buffer: LayoutBuffer, offset?: number): Value;
    encode(value: Value, buffer: LayoutBuffer, offset?: number): number;
    getSpan(buffer?: LayoutBuffer, offset?: number): number;
    replicate(property: string): this;
  }
  export class UInt extends Layout<number> {}
  export class Sequence<Value> extends Layout<Value[]> {
    constructor(element: Layout<Value>, count: number, property?: string);
  }
  export class Structure extends Layout<Record<string, unknown>> {
    constructor(fields: readonly Layout<never>[], property?: string);
    readonly fields: readonly Layout<never>[];
    offsetOf(property: string): number | undefined;
  }
}
