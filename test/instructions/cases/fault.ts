/**
 * #UD, #GP, #SS, #PF as a user-mode program can provoke them: nothing may be visible but what the SDM says. Every
 * memory access is tried at an absent page, at a read-only one, across their boundaries and at non-canonical addresses.
 */
import { codePages, dataPages, Flag, setRegister, type MachineState } from '../state.js';
import type { GeneralRegister } from '../../../src/cpu/types.js';
import type { Random } from '../random.js';
import { addWindow, placeAt, pointAtData, stack, templates, type Family, type Setup } from '../template.js';

const end = dataPages.bytes;
const readOnly = dataPages.readOnlyAt;

/** Places at which an access of up to 16 bytes meets an edge; `far` is no offset but an address. */
const edges: readonly ((random: Random) => { offset: number } | { far: bigint })[] = [
  () => ({ offset: end }), // absent
  (random) => ({ offset: end - 1 - random.below(7) }), // runs into the absent page behind the read-only one
  (random) => ({ offset: readOnly + 0x100 + random.below(64) }), // read-only
  (random) => ({ offset: readOnly - 1 - random.below(7) }), // runs into the read-only page
  () => ({ offset: -1 }), // begins in the absent page before the first
  (random) => ({ offset: -8 - random.below(3) }),
  () => ({ far: 0x8000_0000_0000n }), // the first non-canonical address
  () => ({ far: 0x7fff_ffff_fffen }), // runs into it
  (random) => ({ far: (random.u64() & 0x3fff_ffff_ffff_ffffn) | 0x4000_0000_0000_0000n }),
  (random) => ({ offset: 0x1000 - 1 - random.below(7) }), // crosses two good pages: no fault
];

function place(state: MachineState, random: Random, name: GeneralRegister, index: number): void {
  const edge = (edges[index % edges.length] as (typeof edges)[number])(random);
  if ('far' in edge) setRegister(state, name, edge.far);
  else placeAt(state, random, name, edge.offset);
}
const at =
  (...names: GeneralRegister[]): Setup =>
  (state, random, index) => {
    for (const name of names) place(state, random, name, index);
  };
/** One operand at an edge, the other at a good place. */
const edgeAndGood =
  (edge: GeneralRegister, good: GeneralRegister): Setup =>
  (state, random, index) => {
    pointAtData(state, random, good);
    place(state, random, edge, index);
  };

const accesses = [
  'mov al, [rbx]',
  'mov cx, [rbx]',
  'mov edx, [rbx]',
  'mov rax, [rbx]',
  'mov [rbx], dl',
  'mov [rbx], dx',
  'mov [rbx], ecx',
  'mov [rbx], rax',
  'mov qword ptr [rbx], 5',
  'mov dword ptr [rbx], 5',
  'movzx eax, word ptr [rbx]',
  'movsx rax, byte ptr [rbx]',
  'movsxd rax, dword ptr [rbx]',
  'cmove eax, [rbx]',
  'cmovne rax, [rbx]',
  'sete byte ptr [rbx]',
  'add [rbx], eax',
  'add [rbx], rcx',
  'add rcx, [rbx]',
  'adc word ptr [rbx], 0',
  'sub byte ptr [rbx], 0',
  'and dword ptr [rbx], -1',
  'or qword ptr [rbx], 0',
  'cmp [rbx], eax',
  'cmp dword ptr [rbx], 1',
  'test [rbx], rdx',
  'inc dword ptr [rbx]',
  'dec qword ptr [rbx]',
  'neg word ptr [rbx]',
  'not qword ptr [rbx]',
  'lock add [rbx], eax',
  'lock dec qword ptr [rbx]',
  'shl dword ptr [rbx], 1',
  'sar qword ptr [rbx], 3',
  'rol word ptr [rbx], 0',
  'rcr qword ptr [rbx], cl',
  'shld dword ptr [rbx], eax, 5',
  'shrd qword ptr [rbx], rax, cl',
  'xchg [rbx], eax',
  'xchg [rbx], r9',
  'xadd [rbx], ecx',
  'lock xadd [rbx], rdx',
  'cmpxchg [rbx], ecx',
  'lock cmpxchg [rbx], rcx',
  'cmpxchg8b [rbx]',
  'lock cmpxchg8b [rbx]',
  'bt dword ptr [rbx], 3',
  'bts dword ptr [rbx], 3',
  'btr qword ptr [rbx], 3',
  'lock btc word ptr [rbx], 3',
  'bsf eax, [rbx]',
  'bsr rax, [rbx]',
  'mul dword ptr [rbx]',
  'imul rax, [rbx]',
  'imul ecx, [rbx], 3',
  'div qword ptr [rbx]',
  'idiv word ptr [rbx]',
  'jmp qword ptr [rbx]',
  'lea rax, [rbx]',
];
/** Bit offsets that reach from a good address into a bad one. */
const bitFar: Setup = (state, random, index) => {
  const bits = (random.below(64) + 1) * 8;
  const down = index % 2 === 0;
  placeAt(state, random, 'rbx', down ? 16 : readOnly - 16);
  setRegister(state, 'rcx', BigInt.asUintN(64, BigInt(down ? -bits * 2 : bits * 2)));
};
const stackAt: Setup = (state, random, index) => {
  pointAtData(state, random, 'rbx');
  place(state, random, 'rbp', index);
  place(state, random, 'rsp', index);
};
const stackAccesses = [
  'push rax',
  'push ax',
  'push 5',
  'push qword ptr [rbx]',
  'pop rcx',
  'pop cx',
  'pop qword ptr [rbx]',
  'pushf',
  'popf',
  'leave',
  'call .+0x40',
  'call rax',
  'ret',
  'ret 8',
  'mov eax, [rbp]',
  'mov [rbp], rcx',
  'add [rsp], eax',
  'mov rax, [rsp]',
];
/** Not at the end of the loaded flags: TF must stay off. */
const harmlessStack: Setup = (state) => {
  const offset = Number(BigInt.asIntN(64, (state.general[4] as bigint) - BigInt(dataPages.address)));
  if (offset > -64 && offset < end) addWindow(state, offset, new Uint8Array(BigUint64Array.of(0x202n).buffer));
};
const enterAt: Setup = (state, random, index) => {
  const offset = [readOnly + 8, readOnly + 0x20, readOnly, 4, 0x10, 0, end + 8][index % 7] as number;
  placeAt(state, random, 'rsp', offset);
  placeAt(state, random, 'rbp', 0x400 + random.below(16));
};

// Repeated strings: what was moved before the fault stays moved, and the registers say how far it went.
const stringAt: Setup = (state, random, index) => {
  const down = index % 2 === 1;
  if (down) state.rflags |= Flag.DF;
  const edge = down ? 0 : index % 4 === 0 ? readOnly : end;
  const reach = random.below(70);
  const moving = index % 3;
  placeAt(state, random, 'rsi', moving === 0 ? edge + (down ? reach : -reach) : 0x800 + random.below(64));
  placeAt(state, random, 'rdi', moving === 0 ? 0x900 + random.below(64) : edge + (down ? reach : -reach));
  setRegister(state, 'rcx', BigInt(random.below(24)));
};
const alike: Setup = (state) => {
  for (const i of [6, 7]) {
    const offset = Number((state.general[i] as bigint) - BigInt(dataPages.address));
    addWindow(state, offset - 192, new Uint8Array(384));
  }
  setRegister(state, 'rax', 0n);
};
const strings = ['movs', 'stos', 'lods'].flatMap((op) =>
  ['b', 'w', 'd', 'q'].flatMap((suffix) => [`rep ${op}${suffix}`, `${op}${suffix}`]),
);
const searches = ['scas', 'cmps'].flatMap((op) =>
  ['b', 'w', 'd', 'q'].flatMap((suffix) => [`repe ${op}${suffix}`, `${op}${suffix}`]),
);

const undefinedOpcodes = [
  'ud2',
  '.byte 0x06',
  '.byte 0x27',
  '.byte 0x60',
  '.byte 0x82,0xc0,0x01',
  '.byte 0xd6',
  '.byte 0xf0,0x01,0xc8',
  '.byte 0xf0,0x8b,0x03',
  '.byte 0xf0,0x39,0x03',
  '.byte 0x0f,0xc7,0xc8',
  '.byte 0x8d,0xc0',
  '.byte 0x0f,0x0b',
  '.byte 0xc5,0xc0',
  '.byte 0xfe,0xd0',
  '.byte 0xff,0xff',
  '.byte 0x0f,0xba,0xc0,0x01',
  '.byte 0x8f,0xc8',
  '.byte 0xf0,0x0f,0xa3,0x03',
  '.byte 0xf0,0xf7,0xd0',
  '.byte 0x0f,0xff',
  '.byte 0xc4,0xc1',
  '.byte 0x9a',
  '.byte 0xea',
  '.byte 0xd4,0x0a',
  '.byte 0xce',
  '.byte 0x0e',
].filter((text) => !/0xc5|0xc4/.test(text));
const privileged = [
  'hlt',
  'cli',
  'sti',
  'in al, 0x60',
  'out 0x80, al',
  'in eax, dx',
  'out dx, ax',
  'insb',
  'outsd',
  'mov rax, cr0',
  'mov cr3, rax',
  'mov rax, cr8',
  'mov rax, dr7',
  'mov dr0, rax',
  'rdmsr',
  'wrmsr',
  'invlpg [rbx]',
  'lgdt [rbx]',
  'lidt [rbx]',
  'lldt ax',
  'ltr ax',
  'lmsw ax',
  'clts',
  'invd',
  'wbinvd',
  'swapgs',
  'sysretq',
  'int 0x20',
  'int 0x0d',
  'iretq',
];
const segments = [
  'mov ds, eax',
  'mov es, eax',
  'mov ss, eax',
  'mov ds, [rbx]',
  'mov eax, ds',
  'mov rax, ss',
  'mov ax, cs',
  'mov [rbx], ss',
  'mov [rbx], cs',
  'mov r9d, es',
  '.byte 0x8e,0xc8',
];
const selectors: Setup = (state, random, index) => {
  const selector = [0, 0x2b, 0x33, 3, 0x10, 0x1b, 0xfffb, 0x2f, 0x28, 0x2a][index % 10] as number;
  setRegister(state, 'rax', (random.u64() & ~0xffffn) | BigInt(selector));
  placeAt(state, random, 'rbx', 0x400);
  addWindow(state, 0x400, Uint8Array.of(selector & 0xff, selector >> 8));
};

const branchTargets: Setup = (state, random, index) => {
  const targets = [
    BigInt(codePages.address + codePages.bytes),
    BigInt(codePages.address - 1),
    BigInt(dataPages.address + 0x100),
    BigInt(dataPages.address + readOnly),
    0x8000_0000_0000n,
    0xffff_7fff_ffff_ffffn,
    random.u64() | 0x4000_0000_0000_0000n,
    0x7fff_ffff_ffffn - 0xfffn,
  ];
  const target = BigInt.asUintN(64, targets[index % targets.length] as bigint);
  setRegister(state, 'rax', target);
  for (const i of [3, 4]) {
    const offset = Number(BigInt.asIntN(64, (state.general[i] as bigint) - BigInt(dataPages.address)));
    if (offset > 0 && offset < end) addWindow(state, offset, new Uint8Array(BigUint64Array.of(target).buffer));
  }
};
/** The instruction begins in the last bytes of the code pages and goes on where nothing is mapped. */
const cutOff: Setup = (state, _random, index) => {
  state.rip = BigInt(codePages.address + codePages.bytes - 1 - (index % 4));
};
/** It lies across the two code pages. */
const acrossPages: Setup = (state, _random, index) => {
  state.rip = BigInt(codePages.address + 0x1000 - 1 - index);
};

export const fault: Family = {
  name: 'fault',
  templates: [
    ...templates(edges.length, accesses, at('rbx')),
    ...templates(
      6,
      ['bt [rbx], ecx', 'bts [rbx], rcx', 'lock btr [rbx], cx', 'btc [rbx], rcx'].map((text) => text),
      bitFar,
    ),
    ...templates(edges.length, stackAccesses, stackAt, harmlessStack),
    ...templates(
      edges.length,
      ['pop qword ptr [rsi]', 'pop word ptr [rsi]', 'push qword ptr [rsi]', 'call [rsi]'],
      edgeAndGood('rsi', 'rsp'),
    ),
    ...templates(7, ['enter 16, 0', 'enter 32, 2', 'enter 4096, 0', 'enter 0x2000, 1'], enterAt),
    ...templates(12, strings, stringAt),
    ...templates(12, searches, stringAt, alike),
    ...templates(1, undefinedOpcodes),
    ...templates(2, privileged, stack, (state, random) => {
      pointAtData(state, random, 'rbx');
    }),
    ...templates(10, segments, selectors),
    ...templates(
      8,
      ['jmp rax', 'jmp [rbx]', 'call [rbx]', 'call rax ', 'ret ', 'ret 0x20'],
      stack,
      (state, random) => {
        pointAtData(state, random, 'rbx');
      },
      branchTargets,
    ),
    ...templates(
      4,
      [
        'mov eax, 0x12345678',
        'add qword ptr [rip-0x100], 5',
        'movabs rcx, 0x1122334455667788',
        'jmp .+0x100',
        'rep movsq ',
      ],
      cutOff,
    ),
    ...templates(
      6,
      ['movabs rdx, 0x1122334455667788', 'add ecx, 0x11223344', 'imul rdx, rsi, 0x1234567', 'jmp .+0x210'],
      acrossPages,
    ),
  ],
};
