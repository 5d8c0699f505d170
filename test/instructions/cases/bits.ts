/** Bit tests and scans, single flags, loops. Intel SDM volume 2. */
import type { Random } from '../random.js';
import { register, templates, type Family, type Template } from '../template.js';

const operations = ['bt', 'bts', 'btr', 'btc'];
const registerForms = [
  'ax, cx',
  'eax, edx',
  'r9d, ecx',
  'rax, rcx',
  'r15, r15',
  'ax, 3',
  'cx, 17',
  'edx, 31',
  'r10d, 32',
  'rsi, 63',
  'r8, 64',
  'rax, 255',
];
const memoryForms = ['word ptr [rbx], 5', 'dword ptr [rbx], 35', 'qword ptr [rbx], 63'];
const farForms = ['word ptr [rbx], cx', 'dword ptr [rbx], edx', 'qword ptr [rbx], r9'];
const scans = [
  'ax, cx',
  'eax, edx',
  'r9d, r10d',
  'rax, rcx',
  'r12, r13',
  'cx, word ptr [rbx]',
  'edx, dword ptr [rbx]',
  'r8, qword ptr [rbx]',
];

const forms = (list: readonly string[]): string[] =>
  operations.flatMap((op) => list.map((operands) => `${op} ${operands}`));
/** A bit offset beyond the operand, to both sides: the instruction reaches up to 60 bytes from the address. */
const farOffset = (random: Random): bigint => BigInt(random.below(960) - 480);
const sparse = (random: Random): bigint => (random.chance(0.2) ? 0n : random.corner() << BigInt(random.below(64)));

/**
 * F3 BSF and F3 BSR are TZCNT and LZCNT on processors that announce BMI1 and LZCNT; ours does not, and there the prefix
 * does nothing. So the real processor runs them behind a DS prefix instead.
 */
const plainScan = (text: string): Template => ({
  text: text.replace('bsf', 'tzcnt').replace('bsr', 'lzcnt'),
  native: `ds ${text}`,
  mnemonic: 'rep bsf/bsr',
  count: 8,
  setup: [register('rdx', sparse), register('rcx', sparse)],
});

export const bits: Family = {
  name: 'bits',
  templates: [
    ...templates(8, forms(registerForms)),
    ...templates(6, [
      ...forms(memoryForms),
      ...forms(memoryForms)
        .filter((text) => !text.startsWith('bt '))
        .map((text) => `lock ${text}`),
    ]),
    ...templates(
      10,
      [
        ...forms(farForms),
        ...forms(farForms)
          .filter((text) => !text.startsWith('bt '))
          .map((text) => `lock ${text}`),
      ],
      register('rcx', (random) => (random.corner() & ~0xffffn) | BigInt.asUintN(16, farOffset(random))),
      register('rdx', (random) => (random.corner() & ~0xffff_ffffn) | BigInt.asUintN(32, farOffset(random))),
      register('r9', (random) => BigInt.asUintN(64, farOffset(random))),
    ),
    ...templates(
      12,
      ['bsf', 'bsr'].flatMap((op) => scans.map((operands) => `${op} ${operands}`)),
      register('rcx', sparse),
      register('rdx', sparse),
      register('r10', sparse),
      register('r13', sparse),
    ),
    ...['bsf eax, edx', 'bsf rax, rcx', 'bsr eax, edx', 'bsr rax, rcx'].map(plainScan),
    ...templates(6, ['clc', 'stc', 'cmc', 'cld', 'std', 'lahf', 'sahf']),
    ...templates(
      8,
      ['loop .+0x20', 'loope .+0x20', 'loopne .-0x20', 'jrcxz .+0x10', 'jecxz .+0x10'],
      register('rcx', (random) => random.pick([0n, 1n, 2n, 0x1_0000_0000n, 0x1_0000_0001n, random.corner()])),
    ),
  ],
};
