/** MOV and its extensions, XCHG, XADD, CMPXCHG, BSWAP, LEA, the stack, addressing forms. Intel SDM volume 2. */
import { dataPages, Flag, setRegister, usualRip } from '../state.js';
import { addWindow, placeAt, pointer, register, stack, templates, type Family, type Setup } from '../template.js';

const registers = ['al', 'ch', 'sil', 'r8b', 'cx', 'r9w', 'edx', 'r10d', 'rax', 'rsp', 'r14'];
const conditions = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];

const mov = [
  'mov al, dh',
  'mov r9b, spl',
  'mov ax, si',
  'mov r10w, r11w',
  'mov eax, ecx',
  'mov r15d, edi',
  'mov eax, eax',
  'mov rax, rsp',
  'mov r12, rbp',
  'mov al, 0x7f',
  'mov bh, 0x80',
  'mov r13b, 1',
  'mov cx, 0x8000',
  'mov r8w, 0x1234',
  'mov edx, 0x80000000',
  'mov r14d, 0xffffffff',
  'mov rcx, -1',
  'movabs rdx, 0x123456789abcdef0',
  'movabs r11, 0x8000000000000000',
  'mov rsi, 0x7fffffff',
  ...registers.flatMap((name) =>
    [`mov ${name}, [rbx]`, `mov [rbx], ${name}`].filter((text) => !text.includes('rsp, [')),
  ),
  'mov byte ptr [rbx], 0x81',
  'mov word ptr [rbx], 0x1234',
  'mov dword ptr [rbx], 0x89abcdef',
  'mov qword ptr [rbx], -2',
];
const extensions = [
  ...['movzx', 'movsx'].flatMap((op) =>
    [
      'ax, cl',
      'r9w, dil',
      'ax, bh',
      'eax, dl',
      'r8d, r9b',
      'ecx, ah',
      'rax, sil',
      'r14, al',
      'eax, cx',
      'r10d, r11w',
      'rdx, si',
      'r13, ax',
      'ax, byte ptr [rbx]',
      'ecx, byte ptr [rbx]',
      'rdx, byte ptr [rbx]',
      'esi, word ptr [rbx]',
      'r9, word ptr [rbx]',
    ].map((operands) => `${op} ${operands}`),
  ),
  'movsxd rax, ecx',
  'movsxd r9, r10d',
  'movsxd rdx, dword ptr [rbx]',
  'cbw',
  'cwde',
  'cdqe',
  'cwd',
  'cdq',
  'cqo',
];
const conditional = conditions.flatMap((cc) => [
  `cmov${cc} ax, dx`,
  `cmov${cc} eax, r9d`,
  `cmov${cc} r10, rcx`,
  `cmov${cc} ecx, dword ptr [rbx]`,
  `set${cc} al`,
  `set${cc} dh`,
  `set${cc} r15b`,
  `set${cc} byte ptr [rbx]`,
  `j${cc} .+0x40`,
  `{disp32} j${cc} .+0x200`,
]);
const exchanges = [
  'xchg al, ch',
  'xchg r8b, sil',
  'xchg ax, dx',
  'xchg cx, r9w',
  'xchg eax, ecx',
  'xchg r10d, esi',
  'xchg rax, r12',
  'xchg rsp, rdi',
  'xchg r8, rax',
  'nop',
  'pause',
  'xchg [rbx], al',
  'xchg [rbx], cx',
  'xchg [rbx], r9d',
  'xchg [rbx], rdx',
  'xadd al, ch',
  'xadd cx, dx',
  'xadd eax, r9d',
  'xadd rsi, rax',
  'xadd rax, rax',
  'xadd [rbx], cl',
  'xadd [rbx], si',
  'lock xadd [rbx], edx',
  'lock xadd [rbx], r10',
  'lock xadd byte ptr [rbx], dh',
  'bswap eax',
  'bswap r9d',
  'bswap rcx',
  'bswap r15',
];
const compareExchange = [
  'cmpxchg cl, dl',
  'cmpxchg ch, bl',
  'cmpxchg cx, dx',
  'cmpxchg ecx, r9d',
  'cmpxchg rcx, rdx',
  'cmpxchg eax, edx',
  'cmpxchg [rbx], cl',
  'cmpxchg [rbx], cx',
  'cmpxchg [rbx], r10d',
  'lock cmpxchg [rbx], edx',
  'lock cmpxchg [rbx], r11',
  'lock cmpxchg byte ptr [rbx], cl',
];
/** Every other time the accumulator equals the destination. */
const likelyEqual: Setup = (state, random, index) => {
  if (index % 2 === 1) return;
  const offset = Number(state.general[3]) - dataPages.address;
  const upper = random.chance(0.3) ? random.corner() << 32n : 0n;
  const value = BigInt.asUintN(64, (state.general[0] as bigint) ^ upper); // equal in 32 bits or in all
  setRegister(state, 'rcx', value);
  if (offset >= 0 && offset < dataPages.bytes)
    addWindow(state, offset, new Uint8Array(BigUint64Array.of(value).buffer));
};
/** CMPXCHG8B and CMPXCHG16B: RDX:RAX against memory, aligned to 16 bytes. */
const wideCompare: Setup = (state, random, index) => {
  const offset = 0x200 + 16 * random.below(8);
  placeAt(state, random, 'rsi', offset);
  const rax = random.corner();
  const rdx = random.corner();
  setRegister(state, 'rax', rax);
  setRegister(state, 'rdx', rdx);
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  if (index % 4 < 2) {
    view.setBigUint64(0, rax, true);
    view.setBigUint64(8, rdx, true);
  } else if (index % 4 === 2) {
    view.setUint32(0, Number(rax & 0xffff_ffffn), true);
    view.setUint32(4, Number(rdx & 0xffff_ffffn), true);
  } else return;
  addWindow(state, offset, bytes);
};

const lea = [
  'lea ax, [rbx+rcx*2+5]',
  'lea eax, [rbx+rcx]',
  'lea rax, [rdx+r9*8-0x80]',
  'lea r10, [r13]',
  'lea r11, [rbp+0]',
  'lea rcx, [r12+r12*4]',
  'lea edx, [rsp+rdi*4+0x12345678]',
  'lea rsi, [rsp]',
  'lea rax, [rip+0x1234]',
  'lea eax, [rip-0x10]',
  'lea r8, [rcx*8]',
  'lea r9, [riz*1+0x7fffffff]',
  'lea rax, [riz*1-0x80000000]',
  'lea rax, [eax+ecx*4+8]',
  'lea eax, [r10d+r11d]',
  'lea r15, [rsi+rsi]',
  'lea cx, [r8d-1]',
];
/** Index registers that keep [rbx+index*scale+disp] near RBX. */
const smallIndex: Setup = (state, random) => {
  for (const name of ['rcx', 'r9', 'rax'] as const) setRegister(state, name, BigInt(random.below(9)) - 4n);
};
const wrappingIndex: Setup = (state, random) => {
  // Address size 32 cuts the sum: the upper halves of base and index do not count.
  const noise = random.u64() & 0xffff_ffff_0000_0000n;
  setRegister(state, 'rbx', (state.general[3] as bigint) | noise);
  setRegister(state, 'rcx', (random.u64() << 32n) | BigInt(random.below(9)));
};
const addressing = [
  'mov eax, [rbx+rcx*4+8]',
  'mov rdx, [rbx+r9*8-0x20]',
  'mov [rbx+rcx+1], dl',
  'mov word ptr [rbx+rax*2], 0x7777',
  'add [rbx+r9*4], edx',
  'mov r8, [rbx-0x10]',
  'mov r8d, [rbx+0x12345678-0x12345668]',
];
const otherBases = [
  'mov rax, [rbp+4]',
  'mov rax, [r13]',
  'mov rax, [r12+8]',
  'mov [r13+0x10], ecx',
  'mov [r12], cl',
  'mov edx, [rsi+0x10]',
  'mov [rdi-1], dx',
];
const fixedAddresses = [
  'mov eax, ds:[0x20000100]',
  'mov ds:[0x20000ffe], rcx',
  'mov rdx, [rip+0xffff900]',
  'add dword ptr [rip+0xffff900], 0x11223344',
  'mov word ptr [rip+0xffff900], 0x5566',
  'movabs al, ds:[0x20000123]',
  'movabs eax, ds:[0x20000ffe]',
  'movabs rax, ds:[0x20000200]',
  'movabs ds:[0x20000201], ax',
  'movabs ds:[0x20000201], rax',
  'mov rax, fs:[rbx]',
  'mov rax, gs:[rbx]',
  'mov gs:[rbx+4], ecx',
];

const fromStack: Setup = (state, random) => {
  placeAt(state, random, 'rbp', 0x300 + random.below(64));
};
const pushes = [
  'push rax',
  'push rsp',
  'push r9',
  'push ax',
  'push r10w',
  'push 0x7f',
  'push -1',
  'push 0x12345678',
  'push -0x80000000',
  'pushw 0x1234',
  'push qword ptr [rbx]',
  'push word ptr [rbx]',
  'pushf',
  'pushfw',
  'push fs',
  'push gs',
  'pop rax',
  'pop rsp',
  'pop r9',
  'pop ax',
  'pop sp',
  'pop r10w',
  'pop qword ptr [rbx]',
  'pop word ptr [rbx]',
  'push qword ptr [rsp]',
  'push qword ptr [rsp+8]',
  'pop qword ptr [rsp]',
  'pop qword ptr [rsp+8]',
  'mov rax, [rsp]',
  'mov [rsp-8], ecx',
];
const flagsOnStack: Setup = (state, random) => {
  // Not TF (it would trap), not AC (it would check the harness's own accesses), not NT.
  const image =
    random.u64() &
    BigInt(Flag.CF | Flag.PF | Flag.AF | Flag.ZF | Flag.SF | Flag.OF | Flag.DF | Flag.IF | Flag.ID | 0x3000 | 0x2a);
  addWindow(state, Number(state.general[4]) - dataPages.address, new Uint8Array(BigUint64Array.of(image).buffer));
};
const frames = [
  'enter 0, 0',
  'enter 0x20, 0',
  'enter 0x10, 1',
  'enter 8, 2',
  'enter 0x18, 5',
  'leave',
  'leavew',
  'enterw 0x10, 0',
  'enterw 4, 3',
];
const calls = [
  'call .+0x100',
  'call .-0x100',
  'call rax',
  'call qword ptr [rbx]',
  'jmp .+0x20',
  'jmp .-0x20',
  'jmp .+0x400',
  'jmp rcx',
  'jmp r9',
  'jmp qword ptr [rbx]',
  'ret',
  'ret 0x10',
  'call r9',
  'call rsp',
];
const codeTargets: Setup = (state, random) => {
  const target = usualRip + BigInt(random.below(0x600)) + 0x20n;
  for (const name of ['rax', 'rcx', 'r9'] as const) setRegister(state, name, target);
  const bytes = new Uint8Array(BigUint64Array.of(target).buffer);
  for (const i of [3, 4]) {
    const offset = Number(BigInt.asIntN(64, (state.general[i] as bigint) - BigInt(dataPages.address)));
    if (offset >= 0 && offset < dataPages.bytes) addWindow(state, offset, bytes);
  }
};

export const move: Family = {
  name: 'move',
  templates: [
    ...templates(5, mov),
    ...templates(6, extensions),
    ...templates(14, conditional),
    ...templates(8, exchanges),
    ...templates(10, compareExchange, likelyEqual),
    ...templates(
      12,
      ['cmpxchg8b [rsi]', 'lock cmpxchg8b [rsi]', 'cmpxchg16b [rsi]', 'lock cmpxchg16b [rsi]'],
      wideCompare,
    ),
    ...templates(6, lea),
    ...templates(6, addressing, smallIndex),
    ...templates(
      6,
      ['mov eax, [ebx+ecx*4]', 'mov [ebx+ecx], dl', 'add word ptr [ebx+8], 3'],
      pointer('rbx'),
      wrappingIndex,
    ),
    ...templates(5, otherBases),
    ...templates(
      4,
      fixedAddresses.filter((text) => !/[fg]s:/.test(text)),
    ),
    ...templates(6, pushes, stack, fromStack),
    ...templates(16, ['popf', 'popfw'], stack, flagsOnStack),
    ...templates(6, frames, stack, fromStack),
    ...templates(
      6,
      calls.filter((text) => text !== 'call rsp'),
      stack,
      codeTargets,
    ),
    ...templates(
      6,
      ['xlat'],
      pointer('rbx'),
      register('rax', (random) => (random.corner() & ~0xffn) | BigInt(random.below(96))),
    ),
  ],
};
