/**
 * 32-bit code in compatibility mode: what 64-bit mode does not have or reads otherwise, and a sample of the rest. The
 * PVH and 32-bit boot doors enter such code. Intel SDM volume 2.
 */
import { codePages, dataPages, setRegister, usualRip, Flag, type MachineState } from '../state.js';
import {
  addWindow,
  placeAt,
  pointAtData,
  register,
  templates,
  type Family,
  type Setup,
  type Template,
} from '../template.js';

const in32 = (list: readonly Template[]): Template[] =>
  list.map((template) => ({ ...template, bits: 32, mnemonic: `${template.mnemonic} (32-bit)` }));
const stack: Setup = (state, random) => {
  pointAtData(state, random, 'rsp');
};
const dataAt = (state: MachineState, index: number, bytes: Uint8Array): void => {
  addWindow(state, Number(state.general[index]) - dataPages.address, bytes);
};
const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

const common = [
  'add eax, ecx',
  'adc bx, dx',
  'sub cl, ah',
  'sbb edx, [ebx]',
  'and [ebx], esi',
  'or byte ptr [ebx], 0x55',
  'xor edi, 0x12345678',
  'cmp word ptr [ebx], 0x1234',
  'test eax, 0x80000000',
  'neg dword ptr [ebx]',
  'not cx',
  'shl edx, 5',
  'rcr bx, 3',
  'sar dword ptr [ebx], 1',
  'shld eax, edx, 7',
  'imul ecx, [ebx], 100',
  'mul dword ptr [ebx]',
  'mov eax, ebx',
  'mov [ebx], ecx',
  'mov dx, [ebx]',
  'movzx eax, byte ptr [ebx]',
  'movsx ecx, dx',
  'xchg [ebx], eax',
  'xadd eax, ecx',
  'cmpxchg [ebx], ecx',
  'bswap esi',
  'bt eax, ecx',
  'bsf ecx, eax',
  'sete al',
  'cmovne eax, edx',
  'cdq',
  'cwde',
  'cwd',
  'lahf',
  'sahf',
];
const shortForms = [
  'inc eax',
  'inc esp',
  'dec edi',
  'dec ecx',
  'inc cx',
  'dec bp',
  '.byte 0x82,0xc0,0x7f',
  '.byte 0x82,0x2b,0x01',
  '.byte 0xd6',
  'arpl ax, cx',
  'arpl [ebx], dx',
];
const decimal = ['daa', 'das', 'aaa', 'aas', 'aam', 'aad', '.byte 0xd4,0x07', '.byte 0xd5,0x10', '.byte 0xd4,0x00'];
const decimalDigits = register(
  'rax',
  (random) =>
    (random.u64() & 0xffff_0000n) |
    BigInt(random.below(10) << 8) |
    (random.chance(0.5) ? BigInt(random.below(256)) : BigInt((random.below(10) << 4) | random.below(10))),
);
const addresses = [
  'lea eax, [ebx+ecx*4+8]',
  'lea cx, [esi-1]',
  'lea eax, [bx+si+5]',
  'lea ecx, [bp+di-3]',
  'lea edx, [bx]',
  'lea edi, [si+0x1234]',
  'lea eax, ds:[0x12345678]',
  'mov eax, ds:[0x20000104]',
  'mov ds:[0x20000ffe], ecx',
  'mov al, ds:[0x20000123]',
  'mov ds:[0x20000200], eax',
  'add dword ptr ds:[0x20000300], 7',
  'mov ax, [bx+si]',
  'mov [bp+2], cl',
];
const pushes = [
  'push eax',
  'push esp',
  'push cx',
  'push 0x7f',
  'push -2',
  'push 0x12345678',
  'pushw 0x1234',
  'push dword ptr [ebx]',
  'push word ptr [ebx]',
  'push es',
  'push cs',
  'push ss',
  'push ds',
  'pushw ds',
  'pushf',
  'pushfw',
  'pusha',
  'pushaw',
  'popa',
  'popaw',
  'pop eax',
  'pop esp',
  'pop bx',
  'pop dword ptr [ebx]',
  'pop dword ptr [esp]',
  'pop dword ptr [esp+4]',
  'pop word ptr [ebx]',
];
const frames = ['leave', 'enter 0x10, 0', 'enter 8, 1', 'enter 0x18, 3', 'leavew', 'enterw 4, 2'];
const frame: Setup = (state, random) => {
  placeAt(state, random, 'rbp', 0x400 + random.below(32));
};
const flagsImage: Setup = (state, random) => {
  dataAt(
    state,
    4,
    words(
      random.u32() & (Flag.CF | Flag.PF | Flag.AF | Flag.ZF | Flag.SF | Flag.OF | Flag.DF | Flag.IF | Flag.ID | 0x3000),
    ),
  );
};
const selectors: Setup = (state, random, index) => {
  const selector = [0x2b, 0, 3, 0x23, 0x33, 0x10, 0xfff8, 0x2f][index % 8] as number;
  dataAt(state, 4, words(selector));
  setRegister(state, 'rax', BigInt((random.u32() & 0xffff_0000) >>> 0) | BigInt(selector));
};
const farSelectors = [0x23, 0x33, 0x23, 0x2b, 0x10, 0, 0xfff8, 0x20] as const;
/** Far pointers on the stack and at EBX: into 32-bit and into 64-bit code, and to selectors that are refused. */
const farPointers: Setup = (state, random, index) => {
  placeAt(state, random, 'rbx', 0x200 + random.below(64));
  placeAt(state, random, 'rsp', 0x600 + random.below(64));
  const target = Number(usualRip) + 0x40 + random.below(0x400);
  const selector = farSelectors[index % farSelectors.length] as number;
  dataAt(state, 3, words(target, selector));
  dataAt(state, 4, words(target, selector, 0x202 | (random.u32() & 0x8d5), 0x1234, 0x5678));
  setRegister(state, 'rcx', BigInt(target));
};
const codeTarget: Setup = (state, random) => {
  const target = usualRip + BigInt(0x40 + random.below(0x400));
  setRegister(state, 'rcx', target);
  dataAt(state, 4, words(Number(target)));
};
const jumps = [
  'call .+0x100',
  'call ecx',
  'jmp ecx',
  'jmp .-0x30',
  'jmp .+0x300',
  'ret',
  'ret 8',
  'jz .+0x20',
  'jecxz .+0x10',
  'jcxz .+0x10',
  'loop .+0x10',
  'addr16 loop .+0x10',
  'call [esp]',
];
const fars = [
  `ljmp 0x23:${String(codePages.address + 0x900)}`,
  `ljmp 0x33:${String(codePages.address + 0x910)}`,
  `lcall 0x23:${String(codePages.address + 0x920)}`,
  `ljmp 0x2b:${String(codePages.address + 0x920)}`,
  `ljmp 0x10:${String(codePages.address + 0x920)}`,
];
const farsByPointer = ['retf', 'retf 8', 'jmp fword ptr [ebx]', 'call fword ptr [ebx]', 'iretd'];
const loads = ['les eax, [ebx]', 'lds ecx, [ebx]', 'lfs edx, [ebx]'].filter((text) => !text.startsWith('lfs'));
const farOperands: Setup = (state, random, index) => {
  placeAt(state, random, 'rbx', 0x200 + random.below(64));
  dataAt(state, 3, words(random.u32(), [0x2b, 0, 0x23, 0x10, 0xfffb][index % 5] as number));
};
const bounds: Setup = (state, random) => {
  placeAt(state, random, 'rbx', 0x200);
  dataAt(state, 3, words(random.below(10) - 5, random.below(10)));
  setRegister(state, 'rcx', BigInt((random.below(20) - 8) >>> 0));
};
const strings = ['rep movsb', 'rep movsd', 'rep stosd', 'lodsw', 'repe cmpsb', 'repne scasd', 'movsw', 'stosb'];
const stringOperands: Setup = (state, random) => {
  placeAt(state, random, 'rsi', 0x300 + random.below(64));
  placeAt(state, random, 'rdi', 0x500 + random.below(64));
  setRegister(state, 'rcx', BigInt(random.below(12)));
  if (random.chance(0.4)) state.rflags |= Flag.DF;
};
const readOnlyTarget: Setup = (state, random) => {
  placeAt(state, random, 'rbx', dataPages.readOnlyAt - 1 - random.below(4));
};

export const legacy: Family = {
  name: 'legacy',
  templates: in32([
    ...templates(8, common),
    ...templates(8, shortForms),
    ...templates(20, decimal, decimalDigits),
    ...templates(4, addresses),
    ...templates(6, pushes, stack),
    ...templates(6, frames, stack, frame),
    ...templates(10, ['popf', 'popfw'], stack, flagsImage),
    ...templates(8, ['pop ds', 'pop es', 'mov ds, eax', 'mov es, ax', 'mov ss, eax', 'pop ss'], stack, selectors),
    ...templates(6, jumps, stack, codeTarget),
    ...templates(2, fars, stack),
    ...templates(8, farsByPointer, farPointers),
    ...templates(5, loads, farOperands),
    ...templates(8, ['bound ecx, [ebx]', 'into'], bounds),
    ...templates(8, strings, stringOperands),
    ...templates(
      4,
      ['mov [ebx+0], eax', 'add [ebx+0], ecx', 'xchg [ebx+0], edx'].map((text) => `{disp8} ${text}`),
      readOnlyTarget,
    ),
  ]),
};
