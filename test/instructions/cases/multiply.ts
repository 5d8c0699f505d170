/** MUL IMUL DIV IDIV, with #DE for a divisor of 0 and for quotients that do not fit. Intel SDM volume 2. */
import type { GeneralRegister } from '../../../src/cpu/types.js';
import type { Random } from '../random.js';
import { getRegister, setRegister } from '../state.js';
import { templates, type Family, type Setup } from '../template.js';

const operands = [
  'cl',
  'bh',
  'r9b',
  'ah',
  'cx',
  'r10w',
  'ecx',
  'r11d',
  'eax',
  'rcx',
  'r13',
  'rdx',
  'byte ptr [rbx]',
  'word ptr [rbx]',
  'dword ptr [rbx]',
  'qword ptr [rbx]',
];
const divisors = operands.filter((name) => name !== 'ah' && name !== 'eax' && name !== 'rdx');
const one = (op: string, list: readonly string[]): string[] => list.map((operand) => `${op} ${operand}`);
const two = [
  'ax, cx',
  'r9w, word ptr [rbx]',
  'eax, edx',
  'r10d, dword ptr [rbx]',
  'rax, rdx',
  'rcx, qword ptr [rbx]',
  'r15, r15',
];
const three = [
  'ax, cx, 5',
  'dx, si, 0x1234',
  'r8w, word ptr [rbx], -3',
  'eax, edx, 127',
  'ecx, eax, -0x7fffffff',
  'r10d, dword ptr [rbx], 0x10000',
  'rax, rdx, -128',
  'r12, r13, 0x7fffffff',
  'rsi, qword ptr [rbx], -0x80000000',
];

/** Makes the dividend fit the divisor in most cases, as random halves of a dividend almost never do. */
const fittingDividend =
  (signed: boolean): Setup =>
  (state, random, index) => {
    if (index % 5 === 4) return; // mostly #DE
    const high = smallQuotientHigh(random);
    const negative = signed && random.chance(0.4);
    const rax = negative ? BigInt.asUintN(64, -high) : high;
    setRegister(state, 'rax', (rax << 8n) | (getRegister(state, 'rax') & 0xffn));
    if (index % 5 === 3) return;
    setRegister(state, 'rdx', negative ? 0xffff_ffff_ffff_ffffn : 0n);
    if (!signed && random.chance(0.5)) setRegister(state, 'rdx', BigInt(random.below(16)));
  };
const smallQuotientHigh = (random: Random): bigint => random.corner() >> BigInt(8 + random.below(52));

/** Division by 0, whose #DE changes nothing. */
const zeroDivisor: Setup = (state, _random, index) => {
  const names: readonly GeneralRegister[] = ['rcx', 'rsi', 'r11'];
  setRegister(state, names[index % 3] as GeneralRegister, 0n);
};

export const multiply: Family = {
  name: 'multiply',
  templates: [
    ...templates(12, [...one('mul', operands), ...one('imul', operands)]),
    ...templates(
      12,
      [...two, ...three].map((operand) => `imul ${operand}`),
    ),
    ...templates(20, one('div', divisors), fittingDividend(false)),
    ...templates(20, one('idiv', divisors), fittingDividend(true)),
    ...templates(3, ['div sil', 'div esi', 'idiv rsi', 'idiv si'], zeroDivisor),
  ],
};
