/**
 * Random pieces of code, straight, looping, branching and calling, for what single instructions cannot show: flags that
 * are dead or reach a later reader, partial registers, loops whose pointer runs into a page that faults. Only
 * instructions are mixed whose flags are defined, but for AF, which none of them reads.
 */
import { setXmm, vector } from '../floats.js';
import { seededRandom, type Random } from '../random.js';
import { dataPages, setRegister } from '../state.js';
import { placeAt, pointer, register, stack, type Family, type Setup, type Template } from '../template.js';

// RBX and RSI point at data, R11 counts, RSP is the stack: bodies read but never write them.
const registers64 = ['rax', 'rcx', 'rdx', 'rdi', 'rbp', 'r8', 'r9', 'r10', 'r12', 'r15'] as const;
const registers32 = ['eax', 'ecx', 'edx', 'edi', 'ebp', 'r8d', 'r9d', 'r10d', 'r12d', 'r15d'] as const;
const registers16 = ['ax', 'cx', 'dx', 'di', 'bp', 'r8w', 'r9w', 'r10w', 'r12w', 'r15w'] as const;
const registers8 = ['al', 'cl', 'dl', 'dil', 'bpl', 'r8b', 'r9b', 'r10b', 'r12b', 'r15b'] as const;
const highBytes = ['ah', 'ch', 'dh'] as const;
const conditions = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'] as const;
const twoOperand = ['add', 'adc', 'sub', 'sbb', 'cmp', 'and', 'or', 'xor', 'test'] as const;
const sizes = [
  { names: registers64, memory: 'qword ptr', most: 0x7fff_ffff },
  { names: registers32, memory: 'dword ptr', most: 0x7fff_ffff },
  { names: registers16, memory: 'word ptr', most: 0x7fff },
  { names: registers8, memory: 'byte ptr', most: 0x7f },
] as const;

const place = (random: Random): string =>
  `[${random.pick(['rbx', 'rbx', 'rsi'])}${random.pick(['', '+4', '+8', '-8', '+16', '+1'])}]`;

/** One instruction, or a few that belong together. */
function piece(random: Random): string {
  const { names, memory, most } = random.pick(sizes);
  const a = random.pick(names);
  const b = random.pick(names);
  const op = random.pick(twoOperand);
  const cc = random.pick(conditions);
  const wide = random.below(2);
  const c = random.pick(wide ? registers64 : registers32);
  const d = random.pick(wide ? registers64 : registers32);
  switch (random.below(22)) {
    case 0:
    case 1:
    case 2:
      return `${op} ${a}, ${b}`;
    case 3:
      return `${op} ${a}, ${String(random.pick([1, -1, 0, 5, most, -most - 1, random.below(100)]))}`;
    case 4:
      return op === 'test' ? `test ${memory} ${place(random)}, ${b}` : `${op} ${a}, ${memory} ${place(random)}`;
    case 5:
      return `${op} ${memory} ${place(random)}, ${b}`;
    case 6:
      return `${random.pick(['inc', 'dec', 'neg', 'not'])} ${random.chance(0.7) ? a : `${memory} ${place(random)}`}`;
    case 7:
      return `mov ${a}, ${b}`;
    case 8:
      return random.chance(0.5) ? `mov ${a}, ${memory} ${place(random)}` : `mov ${memory} ${place(random)}, ${b}`;
    case 9:
      return `set${cc} ${random.pick([...registers8, ...highBytes])}`;
    case 10:
      return `cmov${cc} ${c}, ${d}`;
    case 11:
    case 12:
      return `cmp ${a}, ${b}; j${cc} 9f; ${simple(random)}; 9:`;
    case 13:
      return `j${cc} 9f; ${simple(random)}; ${simple(random)}; 9:`;
    case 14:
      return `${random.pick(['shl', 'shr', 'sar', 'rol', 'ror', 'rcl', 'rcr'])} ${a}, 1`;
    case 15: // undefined flags, all set again at once
      return `${random.pick([`imul ${c}, ${d}`, `shl ${c}, ${String(random.below(32))}`, `shr ${c}, cl`, `bt ${c}, ${d}`, `sar ${c}, 7`, `mul ${d}`, `rol ${c}, 9`])}; ${random.pick(['add', 'sub', 'cmp'])} ${c}, ${d}`;
    case 16:
      return random.pick([
        `movzx ${c}, ${random.pick(registers8)}`,
        `movsx ${c}, ${random.pick(registers16)}`,
        `movzx ${c}, byte ptr ${place(random)}`,
        'cdqe',
        'cwde',
        'cqo',
        'cdq',
      ]);
    case 17:
      return random.pick([`lea ${c}, [rcx+rdx*4+3]`, `lea ${c}, [rbx+r9]`, `lea ${c}, [r8*8-1]`]);
    case 18:
      return random.pick([
        `xchg ${a}, ${b}`,
        `xadd ${a}, ${b}`,
        `bswap ${c}`,
        `xchg ${memory} ${place(random)}, ${b}`,
        `lock xadd ${memory} ${place(random)}, ${b}`,
        `lock cmpxchg ${memory} ${place(random)}, ${b}`,
      ]);
    case 19:
      return random.pick([
        'clc',
        'stc',
        'cmc',
        `add ${random.pick(highBytes)}, ${random.pick(['al', 'cl', 'dl', 'ch'])}`,
        `mov ${random.pick(highBytes)}, ${random.pick(['al', 'dl'])}`,
      ]);
    case 20:
      return random.pick([
        `push ${random.pick(registers64)}; pop ${random.pick(registers64)}`,
        `push ${random.pick(registers64)}`,
        'mov rax, [rsp]',
        `mov [rsp+8], ${random.pick(registers64)}`,
      ]);
    default:
      return `add ${c}, ${d}; adc ${random.pick(wide ? registers64 : registers32)}, 0`;
  }
}

function simple(random: Random): string {
  const { names } = random.pick(sizes);
  return `${random.pick(['add', 'sub', 'xor', 'mov', 'adc'])} ${random.pick(names)}, ${random.pick(names)}`;
}

const pieces = (random: Random, count: number): string => Array.from({ length: count }, () => piece(random)).join('; ');

function straight(random: Random): string {
  return pieces(random, 6 + random.below(8));
}
/** A loop of a few dozen rounds. The counter's flags are used, or LOOP-like code leaves them alone. */
function loop(random: Random): string {
  const step = random.pick(['', '', 'add rsi, 8; ', 'lea rsi, [rsi+4]; ', 'lea rsi, [rsi-8]; ']);
  const end = random.pick([
    'dec r11d; jnz 1b',
    'sub r11, 1; ja 1b',
    'dec r11d; jg 1b',
    'lea r11, [r11-1]; test r11, r11; jne 1b',
  ]);
  return `1: ${pieces(random, 3 + random.below(6))}; ${step}${end}; ${pieces(random, 2)}`;
}
function nested(random: Random): string {
  return `mov r14d, 5; 2: mov r13d, r14d; 1: ${pieces(random, 3)}; dec r13d; jnz 1b; ${pieces(random, 2)}; dec r14d; jnz 2b`;
}
function calling(random: Random): string {
  return `1: call 3f; ${pieces(random, 2)}; dec r11d; jnz 1b; jmp 4f; 3: ${pieces(random, 3)}; ret; 4: ${pieces(random, 2)}`;
}
/** SSE moves and arithmetic of integers between general instructions. */
function vectorLoop(random: Random): string {
  const vectorPieces = [
    'movups xmm1, [rsi]',
    'paddd xmm1, xmm2',
    'pxor xmm2, xmm1',
    'movups [rbx], xmm1',
    'movq rax, xmm1',
    'movd xmm3, ecx',
    'pshufd xmm2, xmm1, 0x1b',
    'psllq xmm2, 3',
    'punpckldq xmm1, xmm3',
    'movaps xmm2, xmm3',
    'pcmpeqd xmm3, xmm1',
    'pmovmskb edx, xmm3',
    'pmuludq xmm1, xmm2',
  ];
  const body = Array.from({ length: 6 }, () => (random.chance(0.6) ? random.pick(vectorPieces) : simple(random)));
  return `1: ${body.join('; ')}; add rsi, 16; dec r11d; jnz 1b`;
}

const setup: readonly Setup[] = [
  pointer('rbx'),
  pointer('rsi'),
  stack,
  register('r11', (random) => BigInt(1 + random.below(48))),
  (state, random) => {
    for (let i = 0; i < 4; i++) setXmm(state, i, vector(random, 'integers'));
  },
  (state, random, index) => {
    // Every fourth time the running pointer starts just before what it may not write, or may not read.
    if (index % 4 !== 3) return;
    const edge = random.pick([0, dataPages.readOnlyAt, dataPages.bytes]);
    placeAt(state, random, 'rsi', edge === 0 ? 8 + random.below(160) : edge - random.below(160));
    setRegister(state, 'r11', 60n);
  },
];

function generate(seed: number, count: number, make: (random: Random) => string): Template[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => ({ text: make(random), mnemonic: make.name, count: 4, setup }));
}

export const sequence: Family = {
  name: 'sequence',
  templates: [
    ...generate(1, 200, straight),
    ...generate(2, 200, loop),
    ...generate(3, 40, nested),
    ...generate(4, 60, calling),
    ...generate(5, 40, vectorLoop),
  ],
};
