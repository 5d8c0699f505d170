/** Random programs: routines of pieces, where they lie, and what they begin with. */
import fc from 'fast-check';
import { aliasOf, encode, patchedOffset, type Surroundings } from './random-encoding.js';
import { bytesOf, counterOf, pointers } from './random-operation.js';
import { pieceOf, place, pointer, type Emphasis, type Piece, type Place } from './random-piece.js';
import { places } from './random-places.js';

/** How the run that is compared with the cold one goes. */
export interface Variant {
  /** Entries of a block after which it is compiled. */
  readonly after: number;
  readonly tlbEntries: number;
  /** Longest slice in ticks; 0: one run. */
  readonly slice: number;
  readonly seed: number;
  /** Between slices the state is now and then saved and restored, or hashed. */
  readonly looks: boolean;
}

export interface Program {
  readonly bits: 32 | 64;
  /** At CPL 0, with the page tables, interrupts and ports at hand. */
  readonly kernel: boolean;
  /** In the uppermost 2 GiB. */
  readonly high: boolean;
  /** The first is the program; it is run `times` times. The others end in RET. */
  readonly routines: readonly (readonly Piece[])[];
  readonly times: number;
  /** By number, offsets from the base in pointers. */
  readonly registers: readonly bigint[];
  readonly flags: number;
  readonly mxcsr: number;
  /** Halves of the XMM registers, the low one first. */
  readonly vectors: readonly bigint[];
  /** Bytes of the program and of the straddling routine that lie before a page boundary. */
  readonly before: number;
  readonly straddle: number;
  /** Ticks at which the timer's interrupt is raised. */
  readonly interrupts: readonly number[];
  /** Pieces at which the host wants to be called. */
  readonly breakpoints: readonly Place[];
  readonly variant: Variant;
}

const value = fc.oneof(
  fc.constantFrom(0n, 1n, 0x7fn, 0x80n, 0xffffn, 0x8000n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, (1n << 63n) - 1n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(1n << 63n, (1n << 64n) - 1n, (1n << 64n) - 2n),
);
/** Often a number of ordinary size: a double, or two singles. */
const vectorHalf = fc.oneof(
  fc
    .double({ min: -1e6, max: 1e6, noNaN: true })
    .map((number) => new BigUint64Array(Float64Array.of(number).buffer)[0] ?? 0n),
  fc
    .tuple(fc.float({ min: -1000, max: 1000, noNaN: true }), fc.float({ min: -1000, max: 1000, noNaN: true }))
    .map((numbers) => new BigUint64Array(Float32Array.from(numbers).buffer)[0] ?? 0n),
  value,
);
const USUAL_MXCSR = 0x1fa0; // every exception masked, PE set
const mxcsr = fc.oneof(
  { weight: 4, arbitrary: fc.constant(USUAL_MXCSR) },
  { weight: 1, arbitrary: fc.nat({ max: 15 }).map((bit) => USUAL_MXCSR ^ (1 << bit)) },
);
const stackPointer = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0x80, max: 0x3c0 }).map((n) => places.data + 8 * n) },
  { weight: 1, arbitrary: fc.integer({ min: places.data + 0xfe0, max: places.data + 0x1040 }) },
  { weight: 1, arbitrary: pointer },
);
const variant: fc.Arbitrary<Variant> = fc.record({
  after: fc.constantFrom(1, 2, 3, 7, 20, 60),
  tlbEntries: fc.constantFrom(1024, 16),
  slice: fc.constantFrom(0, 0, 1, 5, 40, 700),
  seed: fc.nat({ max: 1000 }),
  looks: fc.boolean(),
});

export const programOf = (bits: 32 | 64, kernel: boolean): fc.Arbitrary<Program> =>
  fc.oneof(
    programWith(bits, kernel, 'none'),
    programWith(bits, kernel, 'code'),
    programWith(bits, kernel, 'vectors'),
    ...(kernel ? [programWith(bits, kernel, 'paging')] : []),
  );

const programWith = (bits: 32 | 64, kernel: boolean, emphasis: Emphasis): fc.Arbitrary<Program> => {
  const piece = pieceOf(bits, kernel, emphasis);
  const routine = fc.array(piece, { maxLength: 7 });
  return fc.record({
    bits: fc.constant(bits),
    kernel: fc.constant(kernel),
    high: bits === 64 ? fc.boolean() : fc.constant(false),
    routines: fc
      .tuple(
        fc.oneof(
          fc.array(piece, { minLength: 1, maxLength: 10, size: 'max' }),
          fc.array(piece, { minLength: 1, maxLength: 30, size: 'max' }),
        ),
        fc.tuple(routine, routine, routine, routine, routine),
      )
      .map(([main, others]) => [main, ...others]),
    times: fc.constantFrom(1, 3, 12, 100, 4000),
    registers: fc
      .tuple(
        fc.array(value, { minLength: 16, maxLength: 16 }),
        fc.array(pointer, { minLength: 5, maxLength: 5 }),
        stackPointer,
      )
      .map(([values, addresses, stack]) =>
        values.map((number, i) => {
          if (i === counterOf(bits)) return number & 0x3fn;
          const which = pointers.indexOf(i);
          return i === 4 ? BigInt(stack) : which < 0 ? number : BigInt(addresses[which] ?? 0);
        }),
      ),
    flags: fc.constantFrom(0, 1, 0x8d5, 0x40, 0x801),
    mxcsr,
    vectors: fc.array(vectorHalf, { minLength: 32, maxLength: 32 }),
    before: fc.oneof(fc.constant(0x300), fc.nat({ max: 120 })),
    straddle: fc.nat({ max: 40 }),
    interrupts: fc.array(fc.nat({ max: 8000 }), { maxLength: 6 }),
    breakpoints: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(place, { maxLength: 2 }) },
    ),
    variant,
  });
};

const changesMapping: ReadonlySet<string> = new Set(['remap', 'flip']);
const changesCode: ReadonlySet<string> = new Set(['patch', 'alter', 'overwrite', 'dma']);

/**
 * Whether a TLB entry never differs from what a walk would find: else the size of a TLB shows. A global entry outlives a
 * change of tables, and the accessed bit of the other table's entry stays clear. A program that changes its code may
 * change the operand of its INVLPG.
 */
export const isTidy = ({ routines }: Program): boolean => {
  const pieces = routines.flat();
  if (pieces.some(({ kind }) => changesMapping.has(kind)) && pieces.some(({ kind }) => changesCode.has(kind)))
    return false;
  return pieces.every(
    (one) => one.kind !== 'switch' && ((one.kind !== 'remap' && one.kind !== 'flip') || one.flush === 'page'),
  );
};

export interface Assembled {
  readonly base: bigint;
  /** Offset from the base. */
  readonly start: number;
  /** What lies at which guest-physical address. */
  readonly parts: readonly { readonly physical: number; readonly bytes: Uint8Array }[];
  /** Guest-physical. */
  readonly breakpoints: readonly number[];
  /** Offsets of all pieces from the base, ascending. */
  readonly addresses: readonly number[];
  /** Every piece with its routine, offset and code, for people. */
  readonly listing: readonly { readonly routine: number; readonly offset: number; readonly code: Uint8Array }[];
}

const OWN_BYTES = 32;
const COUNTER_OFFSET = 0xf00; // in `own`: how often the program runs on

/** Machine code of a program. */
export function assemble(program: Program): Assembled {
  const { bits, high, routines, before, straddle, times } = program;
  const base = high ? 0xffff_ffff_8000_0000n : 0n;
  const low = Number(base & 0xffff_ffffn);
  const homes = [
    places.code + 0x1000 - before,
    places.code + 0x2000 - straddle,
    places.code + 0x2800,
    places.windows + 0x100,
    places.windows + 0x1100,
    places.windows + 0x1000 - straddle,
  ];
  const length = (one: Piece): number => encode(one, nowhere(bits)).length;
  const offsets = routines.map((pieces, r) => {
    let at = homes[r] ?? 0;
    return pieces.map((one) => {
      const here = at;
      at += length(one);
      return here;
    });
  });
  const offsetOf = ({ routine, piece }: Place): number => {
    const r = routine % routines.length;
    const list = offsets[r] ?? [];
    return list.length === 0 ? (homes[r] ?? 0) : (list[piece % list.length] ?? 0);
  };
  const pieceAt = ({ routine, piece }: Place): Piece => {
    const list = routines[routine % routines.length] ?? [];
    return list[piece % Math.max(1, list.length)] ?? { kind: 'return' };
  };
  let slots = 0;
  const own = new Uint8Array(0x1000);
  const ownView = new DataView(own.buffer);
  const listing: { routine: number; offset: number; code: Uint8Array }[] = [];
  const add = (routine: number, offset: number, code: readonly number[]): void => {
    listing.push({ routine, offset, code: Uint8Array.from(code) });
  };
  routines.forEach((pieces, routine) => {
    let end = homes[routine] ?? 0;
    pieces.forEach((one, piece) => {
      const offset = offsets[routine]?.[piece] ?? 0;
      const slot = OWN_BYTES * slots++;
      if (one.kind === 'repeat') ownView.setUint32(slot, one.times, true);
      if (one.kind === 'callTable' || one.kind === 'jumpTable') {
        for (let i = 0; i < 4; i++) {
          const target = one.to[i % one.to.length] ?? { routine: 0, piece: 0 };
          const address = base + BigInt(offsetOf(target));
          if (bits === 64) ownView.setBigUint64(slot + 8 * i, address, true);
          else ownView.setUint32(slot + 4 * i, Number(address), true);
        }
      }
      const code = encode(one, {
        bits,
        base: low,
        at: low + offset,
        routine,
        own: low + places.own + slot,
        address: (place) => low + offsetOf(place),
        patched: (place) => low + offsetOf(place) + patchedOffset(pieceAt(place), length(pieceAt(place))),
        alias: (address) => low + aliasOf(address - low),
        physical: (address) => physicalOf(address - low),
      });
      add(routine, offset, code);
      end = offset + code.length;
    });
    if (routine > 0) {
      add(routine, end, [0xc3]);
      return;
    }
    // DEC counter; JNZ start; INT3
    const counter = bytesOf(low + places.own + COUNTER_OFFSET, 4);
    const decrement = bits === 64 ? [0xff, 0x0c, 0x25, ...counter] : [0xff, 0x0d, ...counter];
    const back = bytesOf((homes[0] ?? 0) - end - decrement.length - 6, 4);
    add(routine, end, [...decrement, 0x0f, 0x85, ...back, 0xcc]);
  });
  ownView.setUint32(COUNTER_OFFSET, times, true);
  return {
    base,
    start: homes[0] ?? 0,
    parts: [
      ...listing.map(({ offset, code }) => ({ physical: physicalOf(offset), bytes: code })),
      { physical: places.own, bytes: own },
    ],
    breakpoints: program.breakpoints.map((one) => physicalOf(offsetOf(one))),
    addresses: listing.map(({ offset }) => offset).sort((a, b) => a - b),
    listing,
  };
}

/** Windows lie on frames, which follow one another as they do. */
const physicalOf = (offset: number): number =>
  offset >= places.windows && offset < places.windows + 0x2000 ? offset - places.windows + places.frames : offset;

/** For lengths alone. */
const nowhere = (bits: 32 | 64): Surroundings => ({
  bits,
  base: 0,
  at: 0,
  routine: 0,
  own: 0,
  address: () => 0,
  patched: () => 0,
  alias: () => 0,
  physical: () => 0,
});
