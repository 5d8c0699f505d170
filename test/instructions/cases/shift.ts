/** ROL ROR RCL RCR SHL SHR SAR SHLD SHRD. Intel SDM volume 2. */
import type { Random } from '../random.js';
import { register, templates, type Family } from '../template.js';

const operations = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sar'];
const targets = [
  'al',
  'ah',
  'dl',
  'r9b',
  'ax',
  'r10w',
  'eax',
  'r11d',
  'edx',
  'rax',
  'r12',
  'byte ptr [rbx]',
  'word ptr [rbx]',
  'dword ptr [rbx]',
  'qword ptr [rbx]',
];
const counts = ['1', '0', '3', '7', '8', '9', '15', '16', '17', '31', '32', '33', '63', '64', '255'];

// CL: small counts, counts around the widths, and counts that are cut to 5 or 6 bits.
const countIn = (random: Random): bigint =>
  (random.corner() & ~0xffn) | BigInt(random.chance(0.7) ? random.below(72) : random.below(256));
// A count above 16 leaves the 16-bit double shifts undefined.
const smallCount = (random: Random): bigint => (random.corner() & ~0xffn) | BigInt(random.below(17));

const byOne = operations.flatMap((op) => targets.map((target) => `${op} ${target}, 1`));
const byImmediate = operations.flatMap((op) =>
  targets.map(
    (target, i) =>
      `${op} ${target}, ${counts[(i * 7 + op.length * 3 + operations.indexOf(op)) % counts.length] as string}`,
  ),
);
const byImmediateWide = operations.flatMap((op) =>
  ['eax', 'rsi'].flatMap((target) => ['5', '31', '32', '63', '64'].map((count) => `${op} ${target}, ${count}`)),
);
const byCl = operations.flatMap((op) => [...targets, 'cl', 'rcx', 'rsp'].map((target) => `${op} ${target}, cl`));
const double = ['eax, edx', 'r10d, r10d', 'rsi, r9', 'dword ptr [rbx], ecx', 'qword ptr [rbx], rdx', 'rcx, rax'];
const doubleForms = ['shld', 'shrd'].flatMap((op) =>
  double.flatMap((operands) => [
    `${op} ${operands}, cl`,
    `${op} ${operands}, 0`,
    `${op} ${operands}, 1`,
    `${op} ${operands}, 13`,
    `${op} ${operands}, 31`,
    `${op} ${operands}, 33`,
  ]),
);
const doubleWord = ['shld', 'shrd'].flatMap((op) =>
  ['ax, dx', 'word ptr [rbx], si'].flatMap((operands) => [
    `${op} ${operands}, cl`,
    `${op} ${operands}, 1`,
    `${op} ${operands}, 7`,
    `${op} ${operands}, 16`,
  ]),
);

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

export const shift: Family = {
  name: 'shift',
  templates: [
    ...templates(
      7,
      unique([...byOne, ...byImmediate.filter((text) => !text.endsWith(', 1')), ...byImmediateWide].filter(Boolean)),
    ),
    ...templates(20, byCl, register('rcx', countIn)),
    ...templates(10, unique(doubleForms), register('rcx', countIn)),
    ...templates(8, doubleWord, register('rcx', smallCount)),
  ],
};
