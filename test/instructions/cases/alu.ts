/** ADD ADC SUB SBB AND OR XOR CMP TEST INC DEC NEG NOT in every width and operand form. Intel SDM volume 2. */
import { register, templates, type Family } from '../template.js';

const twoOperand = ['add', 'adc', 'sub', 'sbb', 'and', 'or', 'xor', 'cmp'];
const oneOperand = ['inc', 'dec', 'neg', 'not'];
const pairs = [
  'al, cl',
  'r9b, dil',
  'ah, bl',
  'ch, dh',
  'spl, al',
  'bx, cx',
  'r10w, si',
  'eax, edx',
  'r11d, r8d',
  'ecx, ecx',
  'rax, rdx',
  'r15, rsp',
  'r12, r13',
];
const immediates = [
  'al, 0x7f',
  'al, 0x80',
  'cl, 0xff',
  'dh, 1',
  'r14b, 0x10',
  'ax, 0x1234',
  'ax, 0x8000',
  'cx, -1',
  'r9w, 0x7fff',
  'eax, 0x12345678',
  'eax, 0x80000000',
  'edx, -128',
  'r8d, 0x7fffffff',
  'rax, 0x12345678',
  'rax, -0x80000000',
  'rsi, 1',
  'r12, -0x7fffffff',
];
const widths = ['byte', 'word', 'dword', 'qword'];
const memoryRegisters = ['cl', 'dh', 'sil', 'cx', 'r9w', 'edx', 'r10d', 'ebx', 'rax', 'r15', 'rbx'];
const memoryImmediates = [
  'byte ptr [rbx], 0x81',
  'word ptr [rbx+2], 0x1234',
  'word ptr [rbx], -2',
  'dword ptr [rbx-4], 0x89abcdef',
  'dword ptr [rbx], 127',
  'qword ptr [rbx], -0x70000000',
  'qword ptr [rbx+8], -1',
];
const lockable = ['add', 'adc', 'sub', 'sbb', 'and', 'or', 'xor'];

// Near misses make the flags interesting: operands that are equal, neighbours or opposite.
const related = register('rdx', (random) => random.corner());

const registerForms = twoOperand.flatMap((op) => pairs.map((operands) => `${op} ${operands}`));
const immediateForms = [...twoOperand, 'test'].flatMap((op) => immediates.map((operands) => `${op} ${operands}`));
const memoryForms = twoOperand.flatMap((op) => [
  ...memoryRegisters.flatMap((name) => [`${op} ${name}, [rbx]`, `${op} [rbx], ${name}`]),
  ...memoryImmediates.map((operands) => `${op} ${operands}`),
]);
const testForms = [
  ...pairs.map((operands) => `test ${operands}`),
  ...memoryRegisters.map((name) => `test [rbx], ${name}`),
  ...memoryImmediates.map((operands) => `test ${operands}`),
];
const unaryForms = oneOperand.flatMap((op) => [
  ...['al', 'ah', 'bh', 'r11b', 'bpl', 'cx', 'r8w', 'eax', 'r13d', 'rax', 'rsp', 'r14'].map((name) => `${op} ${name}`),
  ...widths.map((width) => `${op} ${width} ptr [rbx+3]`),
]);
const lockForms = [
  ...lockable.flatMap((op) =>
    [
      'byte ptr [rbx], cl',
      'word ptr [rbx], dx',
      'dword ptr [rbx], esi',
      'qword ptr [rbx], r9',
      'dword ptr [rbx], -5',
    ].map((operands) => `lock ${op} ${operands}`),
  ),
  ...oneOperand.flatMap((op) => widths.map((width) => `lock ${op} ${width} ptr [rbx]`)),
];

export const alu: Family = {
  name: 'alu',
  templates: [
    ...templates(12, registerForms, related),
    ...templates(8, immediateForms),
    ...templates(7, memoryForms),
    ...templates(8, testForms),
    ...templates(10, unaryForms),
    ...templates(6, lockForms),
  ],
};
