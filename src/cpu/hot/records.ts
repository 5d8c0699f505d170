/** Reads instruction records back: what the decoder wrote, as shapes with resolved operands. */
import type { ProcessorArtifacts } from '../artifacts.js';
import { Lifter, type Statement } from '../ir/lifter.js';
import { families } from '../isa/index.js';
import { parseShapeKey } from '../isa/shape-key.js';
import * as L from '../state-layout.js';
import { registerBit } from './register-locals.js';

const definitions = new Map(families.flatMap((family) => Object.entries(family)));

/** How an instruction transfers control: `branch` and `jump` and `call` have one target, known when decoded. */
export type Transfer = 'none' | 'branch' | 'jump' | 'call' | 'return' | 'indirectJump' | 'indirectCall';

/** What a shape does with the arithmetic flags. */
export interface FlagUse {
  /** It looks at them for more than to make new ones. */
  readonly reads: boolean;
  /** New ones follow from old ones. */
  readonly updates: boolean;
  readonly writes: boolean;
  /** It writes all of them, whatever happens. */
  readonly replaces: boolean;
}

/** What all instructions of one shape have in common. */
export interface LiftedShape {
  readonly statements: readonly Statement[];
  /** The core performs it: what it does to the state is not known here. */
  readonly byHelper: boolean;
  /** General registers that the definition names, as bits by number. */
  readonly registers: number;
  /** Those of them that it writes. */
  readonly written: number;
  /** Operands that it writes: bit 0 and bit 1. */
  readonly writtenOperands: number;
  readonly flags: FlagUse;
  /** Hot code may leave in front of it after all: it touches memory or may fault. Nothing is written before that. */
  readonly mayLeave: boolean;
  /** It loads or stores by itself, not by a helper. */
  readonly accessesMemory: boolean;
  readonly transfer: Transfer;
}

/** One instruction of a block, operands resolved. */
export interface ResolvedInstruction {
  readonly record: number;
  readonly shape: LiftedShape;
  readonly address: bigint; // linear
  readonly nextRip: bigint;
  /** A branch whose taken count is in its record. */
  readonly linkable: boolean;
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
  private readonly shapes = new Map<number, LiftedShape | undefined>();

  constructor(
    memory: WebAssembly.Memory,
    private readonly artifacts: ProcessorArtifacts,
  ) {
    this.view = new DataView(memory.buffer);
  }

  /** The cold handler of a record, also when a hot function starts there. */
  private handlerOf(record: number): number {
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
  private shapeOf(handler: number): LiftedShape | undefined {
    const known = this.shapes.get(handler);
    if (known !== undefined || this.shapes.has(handler)) return known;
    const { name, operands, long } = parseShapeKey(this.artifacts.names[handler] ?? '');
    const definition = definitions.get(name);
    let lifted: LiftedShape | undefined;
    if (definition !== undefined) {
      const lifter = new Lifter(operands, long);
      definition(lifter);
      const { statements } = lifter;
      lifted = {
        statements,
        byHelper: some(statements, ({ kind }) => kind === 'helper'),
        registers: registersIn(statements),
        ...writtenBy(statements),
        flags: flagUseOf(statements),
        mayLeave: some(statements, mayLeave),
        accessesMemory: some(statements, ({ kind }) => kind === 'load' || kind === 'store'),
        transfer: transferOf(statements),
      };
    }
    this.shapes.set(handler, lifted);
    return lifted;
  }

  private resolve(record: number, shape: LiftedShape): ResolvedInstruction {
    const { view } = this;
    const nextRip = view.getBigUint64(record + L.REC_NEXT_RIP, true);
    const immediate = view.getBigUint64(record + L.REC_IMMEDIATE, true);
    const base = view.getUint32(record + L.REC_BASE, true);
    return {
      record,
      shape,
      address: BigInt.asUintN(64, nextRip - BigInt(view.getUint8(record + L.REC_LENGTH))),
      nextRip,
      linkable: (view.getUint8(record + L.REC_FLAGS) & L.REC_LINKABLE) !== 0,
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

function some(statements: readonly Statement[], test: (statement: Statement) => boolean): boolean {
  return statements.some(
    (statement) =>
      test(statement) || (statement.kind === 'if' && (some(statement.then, test) || some(statement.else, test))),
  );
}

const mayLeave = (s: Statement): boolean =>
  s.kind === 'load' ||
  (s.kind === 'store' && s.host === undefined) ||
  s.kind === 'raise' ||
  s.kind === 'helper' ||
  s.kind === 'rareHelper';

function transferOf(statements: readonly Statement[]): Transfer {
  const stores = some(statements, ({ kind }) => kind === 'store');
  const loads = some(statements, ({ kind }) => kind === 'load');
  for (const statement of statements) {
    if (statement.kind === 'jumpIf') return 'branch';
    if (statement.kind !== 'jump') continue;
    if (statement.target.source.kind === 'immediate') return stores ? 'call' : 'jump';
    if (stores) return 'indirectCall';
    return loads && popsTarget(statements) ? 'return' : 'indirectJump';
  }
  return 'none';
}

/** A near return moves the stack pointer; an indirect jump does not. */
const popsTarget = (statements: readonly Statement[]): boolean =>
  some(statements, (s) => s.kind === 'setRegister' && s.register === 4);

/** General registers that statements name themselves, as bits by number; operands are each instruction's own. */
function registersIn(statements: readonly Statement[]): number {
  let bits = 0;
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { kind, register, address } = value as { kind?: string; register?: number; address?: unknown };
    if ((kind === 'register' || kind === 'setRegister') && register !== undefined) bits |= 1 << register;
    if ((kind === 'state' || kind === 'setState') && typeof address === 'number') bits |= registerBit(address);
    Object.values(value).forEach(visit);
  };
  statements.forEach(visit);
  return bits;
}

/** What statements write of the registers. */
function writtenBy(statements: readonly Statement[]): Pick<LiftedShape, 'written' | 'writtenOperands'> {
  let written = 0;
  let writtenOperands = 0;
  for (const s of statements) {
    if (s.kind === 'setRegister') written |= 1 << s.register;
    else if (s.kind === 'setOperand' || s.kind === 'setVector') writtenOperands |= 1 << s.operand;
    else if (s.kind === 'setState') written |= registerBit(s.address);
    else if (s.kind === 'if') {
      const parts = writtenBy([...s.then, ...s.else]);
      written |= parts.written;
      writtenOperands |= parts.writtenOperands;
    }
  }
  return { written, writtenOperands };
}

const flagSources = new Set(['condition', 'carry', 'flagsResult', 'flagsAux']);

/** Whether a value contains a node that looks at the flags. */
function looksAtFlags(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { source } = value as { source?: { kind: string } };
  return (source !== undefined && flagSources.has(source.kind)) || Object.values(value).some(looksAtFlags);
}

function flagUseOf(statements: readonly Statement[]): FlagUse {
  const setsFlags = ({ kind }: Statement): boolean => kind === 'flags';
  const reads = some(statements, (s) => {
    if (s.kind === 'flags') return false;
    return looksAtFlags(s.kind === 'if' ? s.condition : s);
  });
  const updates = some(statements, (s) => s.kind === 'flags' && looksAtFlags(s.form));
  return { reads, updates, writes: some(statements, setsFlags), replaces: !updates && statements.some(setsFlags) };
}

/**
 * Which instructions of a block make flags that nobody sees: they are replaced before anything looks at them, and before
 * hot code may leave.
 */
export function unseenFlags(instructions: readonly ResolvedInstruction[]): boolean[] {
  const unseen = new Array<boolean>(instructions.length).fill(false);
  let needed = true;
  for (let i = instructions.length - 1; i >= 0; i--) {
    const shape = instructions[i]?.shape;
    if (shape === undefined) continue;
    const { flags, mayLeave, transfer, byHelper } = shape;
    unseen[i] = flags.writes && !needed;
    if (mayLeave || byHelper || transfer !== 'none' || flags.reads) needed = true;
    else if (flags.replaces) needed = false;
    else if (flags.updates && !unseen[i]) needed = true;
  }
  return unseen;
}
