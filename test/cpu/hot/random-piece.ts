/** What random programs are made of, as structures that fast-check can shrink. */
import fc from 'fast-check';
import { operationOf, pointers, type Operation } from './random-operation.js';
import { places, ports, rights } from './random-places.js';

/** Names a piece: of the routine, and within it, both taken modulo how many there are. */
export interface Place {
  readonly routine: number;
  readonly piece: number;
}

export type Piece =
  | Operation
  | { readonly kind: 'jump' | 'loop'; readonly to: number }
  | { readonly kind: 'branch'; readonly condition: number; readonly to: number }
  /** Decrements a counter in memory, which starts at `times`, and branches while it is not 0. */
  | { readonly kind: 'repeat'; readonly times: number; readonly to: number }
  | { readonly kind: 'call' | 'callRegister'; readonly routine: number }
  /** Takes one of four ways by the loop counter's low bits. */
  | { readonly kind: 'callTable' | 'jumpTable'; readonly to: readonly Place[] }
  | { readonly kind: 'return' }
  /** PUSH; RET: a return to where no call came from. */
  | { readonly kind: 'returnTo' | 'across'; readonly to: Place }
  /** Replaces the return address on the stack and returns. */
  | { readonly kind: 'divert'; readonly to: Place }
  /**
   * Replaces the last byte of a piece (of a branch: its condition, of a jump: its distance), or flips bits of it: through
   * its own address, or through the alias.
   */
  | { readonly kind: 'patch' | 'alter'; readonly of: Place; readonly value: number; readonly alias: boolean }
  /** Replaces the first four bytes of a piece. */
  | { readonly kind: 'overwrite'; readonly of: Place; readonly value: number; readonly alias: boolean }
  /** Adds an immediate byte to EAX, ECX or EDX. */
  | { readonly kind: 'sum'; readonly register: number; readonly value: number }
  /** Adds to a pointer: sooner or later it leaves its page. */
  | { readonly kind: 'walk'; readonly pointer: number; readonly step: number }
  | { readonly kind: 'syscall' }
  | StringPiece
  | KernelPiece;

export interface StringPiece {
  readonly kind: 'string';
  readonly opcode: number; // of the byte form
  readonly bytes: 1 | 2 | 4 | 8;
  readonly prefix: 0xf2 | 0xf3 | undefined;
  readonly count: number;
  readonly source: number;
  readonly destination: number;
  readonly down: boolean;
  readonly address32: boolean;
}

/** For CPL 0, where they do not fault. */
export type KernelPiece =
  | {
      readonly kind: 'remap';
      readonly page: number; // of `places`
      readonly frame: number;
      readonly rights: number;
      readonly flush: 'none' | 'page' | 'reload' | 'switch';
    }
  /** Flips bits of a page table entry: another frame, other rights, and back the next time. */
  | { readonly kind: 'flip'; readonly page: number; readonly bits: number; readonly flush: 'none' | 'page' | 'reload' }
  | { readonly kind: 'invalidate'; readonly address: number }
  | { readonly kind: 'toggle'; readonly flags: number }
  | { readonly kind: 'port'; readonly port: number; readonly write: boolean; readonly bytes: 1 | 4 }
  | { readonly kind: 'timer'; readonly ticks: number }
  /** A device flips a bit of a piece's last byte. */
  | { readonly kind: 'dma'; readonly of: Place }
  | { readonly kind: 'msr'; readonly index: number; readonly value: number }
  | { readonly kind: 'toUser'; readonly to: number }
  | {
      readonly kind:
        'sti' | 'cli' | 'halt' | 'swapgs' | 'stackSegment' | 'switch' | 'writeProtect' | 'toKernel' | 'time';
    };

/** Offset from the program's base of where pointers point: mostly data, page ends, pages that fault, devices, code. */
export const pointer = fc.oneof(
  { weight: 24, arbitrary: fc.integer({ min: 0x10, max: 0x1e0 }).map((n) => places.data + 16 * n) },
  { weight: 12, arbitrary: fc.integer({ min: places.data + 0x100, max: places.data + 0x1e00 }) },
  { weight: 4, arbitrary: fc.integer({ min: places.data + 0xff0, max: places.data + 0x1010 }) },
  { weight: 4, arbitrary: fc.integer({ min: places.readOnly - 0x20, max: places.readOnly + 0x10 }) },
  { weight: 2, arbitrary: fc.integer({ min: places.absent - 0x20, max: places.absent + 0x10 }) },
  { weight: 2, arbitrary: fc.integer({ min: places.mmio - 4, max: places.mmio + 0x40 }) },
  { weight: 6, arbitrary: fc.integer({ min: places.dataWindows + 0xf80, max: places.dataWindows + 0x1080 }) },
  { weight: 2, arbitrary: fc.integer({ min: places.code + 0xf80, max: places.code + 0x1100 }) },
  { weight: 1, arbitrary: fc.integer({ min: places.windows + 0x100, max: places.windows + 0x140 }) },
  { weight: 2, arbitrary: fc.integer({ min: places.alias + 0xf80, max: places.alias + 0x1100 }) },
);

const to = fc.nat({ max: 40 });
export const place: fc.Arbitrary<Place> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ routine: fc.constant(0), piece: to }) },
  { weight: 2, arbitrary: fc.record({ routine: fc.nat({ max: 5 }), piece: to }) },
);
const routine = fc.integer({ min: 1, max: 5 });
const stringPiece: fc.Arbitrary<StringPiece> = fc.record({
  kind: fc.constant('string'),
  opcode: fc.constantFrom(0xa4, 0xaa, 0xa4, 0xaa, 0xa6, 0xae, 0xac),
  bytes: fc.constantFrom(1, 2, 4, 8),
  prefix: fc.constantFrom(0xf3, 0xf3, 0xf2, undefined),
  count: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 300 }), fc.constantFrom(0, 1, 5000)),
  source: pointer,
  destination: pointer,
  down: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  address32: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

const { present, writable, user, accessed, dirty, global } = rights;
const all = present | writable | user;
const frames = [0, 0x1000, 0x2000, 0x3000].map((at) => places.frames + at);
const codeRemap = { page: [places.windows, places.windows + 0x1000], frame: frames.slice(0, 2) };
const dataRemap = {
  page: [places.dataWindows, places.dataWindows + 0x1000, places.readOnly, places.absent, places.mmio],
  frame: [...frames.slice(2), places.data, places.readOnly, places.code + 0x1000],
};
const remapOf = ({ page, frame }: { page: number[]; frame: number[] }): fc.Arbitrary<KernelPiece> =>
  fc.record({
    kind: fc.constant('remap' as const),
    page: fc.constantFrom(...page),
    frame: fc.constantFrom(...frame),
    rights: fc.constantFrom(all, all, all, present | user, all | global, 0),
    flush: fc.constantFrom('page', 'page', 'page', 'reload', 'switch', 'none'),
  });
const flipOf = (pages: readonly number[]): fc.Arbitrary<KernelPiece> =>
  fc.record({
    kind: fc.constant('flip' as const),
    page: fc.constantFrom(...pages),
    bits: fc.constantFrom(0x1000, 0x1000, 0x1000, 0x1000, writable, present, user, global, accessed | dirty),
    flush: fc.constantFrom('page', 'page', 'page', 'reload', 'none'),
  });
const kernelPiece: fc.Arbitrary<KernelPiece> = fc.oneof<fc.MaybeWeightedArbitrary<KernelPiece>[]>(
  { weight: 2, arbitrary: remapOf(codeRemap) },
  { weight: 4, arbitrary: remapOf(dataRemap) },
  { weight: 10, arbitrary: flipOf(codeRemap.page) },
  { weight: 6, arbitrary: flipOf([...dataRemap.page, places.data, places.data + 0x1000, places.alias + 0x1000]) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('invalidate'), address: pointer }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('toggle'),
      flags: fc.constantFrom(0x200, 0x200, 0x200, 0x400, 0x8d5, 0x1, 0x100, 0x4_0200),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('port'),
      port: fc.constantFrom(ports.nothing, ports.timer, ports.stop),
      write: fc.boolean(),
      bytes: fc.constantFrom(1, 4),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('timer'), ticks: fc.nat({ max: 300 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('dma'), of: place }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('msr'),
      index: fc.constantFrom(0xc000_0100, 0xc000_0102, 0x1b),
      value: fc.constantFrom(0, 0x40, 0x80),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('toUser'), to }) },
  ...(
    ['sti', 'cli', 'sti', 'cli', 'halt', 'swapgs', 'stackSegment', 'writeProtect', 'time', 'switch', 'switch'] as const
  ).map((kind) => ({
    weight: 1,
    arbitrary: fc.constant({ kind }),
  })),
);

/** What a program has more of than others: changes of its own code, or of its page tables, or SSE instructions. */
export type Emphasis = 'none' | 'code' | 'paging' | 'vectors';

export const pieceOf = (bits: 32 | 64, kernel: boolean, emphasis: Emphasis): fc.Arbitrary<Piece> =>
  fc.oneof<fc.MaybeWeightedArbitrary<Piece>[]>(
    { weight: 60, arbitrary: operationOf(bits, emphasis === 'vectors') },
    { weight: 9, arbitrary: fc.record({ kind: fc.constant('branch'), condition: fc.nat({ max: 15 }), to }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('jump', 'loop', 'loop', 'loop'), to }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('repeat'), times: fc.integer({ min: 1, max: 400 }), to }) },
    {
      weight: emphasis === 'paging' ? 24 : 8,
      arbitrary: fc.record({ kind: fc.constantFrom('call', 'call', 'callRegister'), routine }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('callTable', 'jumpTable'),
        to: fc.array(place, { minLength: 1, maxLength: 4 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'return' }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('returnTo', 'across', 'divert'), to: place }) },
    {
      weight: emphasis === 'code' ? 24 : 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('patch', 'alter', 'alter'),
        of: place,
        value: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(1, 2, 4)),
        alias: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('overwrite'),
        of: place,
        value: fc.constantFrom(0x9090_9090, 0x0000_02eb, 0x0040_1f0f, 0xc3c0_ff48, 0x0000_c031),
        alias: fc.boolean(),
      }),
    },
    { weight: 4, arbitrary: stringPiece },
    {
      weight: emphasis === 'code' ? 24 : 4,
      arbitrary: fc.record({
        kind: fc.constant('sum'),
        register: fc.nat({ max: 2 }),
        value: fc.integer({ min: -9, max: 9 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('walk'),
        pointer: fc.constantFrom(...pointers),
        step: fc.oneof(fc.constantFrom(1, 4, 8, 16, -8), fc.integer({ min: -100, max: 127 })),
      }),
    },
    { weight: 1, arbitrary: fc.constant<Piece>({ kind: 'syscall' }) },
    ...(kernel
      ? [
          { weight: emphasis === 'paging' ? 20 : 16, arbitrary: kernelPiece },
          ...(emphasis === 'paging' ? [{ weight: 20, arbitrary: flipOf(codeRemap.page) }] : []),
          { weight: 1, arbitrary: fc.constant<Piece>({ kind: 'toKernel' }) },
        ]
      : [{ weight: 1, arbitrary: fc.constantFrom<Piece>({ kind: 'time' }, { kind: 'cli' }, { kind: 'toKernel' }) }]),
  );
