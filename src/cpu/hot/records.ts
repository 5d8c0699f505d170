/** Reads instruction records back: what the decoder wrote, as shapes with resolved operands. */
import type { ProcessorArtifacts } from '../artifacts.js';
import { Lifter } from '../ir/lifter.js';
import { families } from '../isa/index.js';
import { parseShapeKey, type ParsedShape } from '../isa/shape-key.js';
import * as L from '../state-layout.js';

const definitions = new Map(families.flatMap((family) => Object.entries(family)));

/** One instruction of a block, operands resolved. */
export interface ResolvedInstruction {
  readonly record: number;
  readonly address: bigint; // linear
  readonly nextRip: bigint;
  readonly lifter: Lifter;
  /** State address of operand 0 and 1 where it is a register. */
  readonly operands: readonly [number, number];
  readonly base: number; // state address; ZERO when absent
  readonly index: number;
  readonly scale: number;
  readonly shift: number;
  readonly displacement: number;
  readonly segment: number; // state address of the base, ZERO when flat
  readonly immediate: bigint;
  /** REC_BASE names the record's own next RIP or immediate: the value itself. */
  readonly constantBase: bigint | undefined;
}

/** Where a block leads when it runs to its end. */
export interface BlockBody {
  readonly instructions: readonly ResolvedInstruction[];
  /** The linear address behind the last instruction; undefined when something that is no plain instruction stands there. */
  readonly fallThrough: bigint | undefined;
}

export class RecordReader {
  private readonly view: DataView;
  private readonly shapes = new Map<number, ParsedShape | undefined>();

  constructor(
    memory: WebAssembly.Memory,
    private readonly artifacts: ProcessorArtifacts,
  ) {
    this.view = new DataView(memory.buffer);
  }

  /** The cold handler of a record, also when a hot function starts there. */
  handlerOf(record: number): number {
    const handler = this.view.getUint16(record + L.REC_HANDLER, true);
    return handler === this.artifacts.pseudo.hot ? this.view.getUint16(record + L.REC_COLD_HANDLER, true) : handler;
  }

  /** The instructions from a block's first record up to its end or its first pseudo-record. */
  body(record: number): BlockBody {
    const instructions: ResolvedInstruction[] = [];
    for (let at = record; ; at += L.RECORD_BYTES) {
      const handler = this.handlerOf(at);
      if (handler === this.artifacts.pseudo.end) {
        return { instructions, fallThrough: this.view.getBigUint64(at + L.REC_NEXT_RIP, true) };
      }
      const shape = this.shapeOf(handler);
      if (shape === undefined) return { instructions, fallThrough: undefined };
      instructions.push(this.resolve(at, shape));
    }
  }

  /** undefined for pseudo-records and the firmware gate. */
  private shapeOf(handler: number): ParsedShape | undefined {
    if (!this.shapes.has(handler)) {
      const parsed = parseShapeKey(this.artifacts.names[handler] ?? '');
      this.shapes.set(handler, definitions.has(parsed.name) ? parsed : undefined);
    }
    return this.shapes.get(handler);
  }

  private resolve(record: number, shape: ParsedShape): ResolvedInstruction {
    const { view } = this;
    const lifter = new Lifter(shape.operands, shape.long);
    definitions.get(shape.name)?.(lifter);
    const nextRip = view.getBigUint64(record + L.REC_NEXT_RIP, true);
    const immediate = view.getBigUint64(record + L.REC_IMMEDIATE, true);
    const base = view.getUint32(record + L.REC_BASE, true);
    return {
      record,
      address: BigInt.asUintN(64, nextRip - BigInt(view.getUint8(record + L.REC_LENGTH))),
      nextRip,
      lifter,
      operands: [view.getUint32(record + L.REC_OP0, true), view.getUint32(record + L.REC_OP1, true)],
      base,
      index: view.getUint32(record + L.REC_INDEX, true),
      scale: view.getUint8(record + L.REC_SCALE),
      shift: view.getUint8(record + L.REC_SHIFT),
      displacement: view.getInt32(record + L.REC_DISPLACEMENT, true),
      segment: view.getUint32(record + L.REC_SEGMENT, true),
      immediate,
      constantBase:
        base === record + L.REC_NEXT_RIP ? nextRip : base === record + L.REC_IMMEDIATE ? immediate : undefined,
    };
  }
}
