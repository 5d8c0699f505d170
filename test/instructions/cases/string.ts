/** MOVS STOS LODS SCAS CMPS, alone and repeated, both directions. Intel SDM volume 2. */
import { dataPages, Flag, setRegister } from '../state.js';
import { addWindow, placeAt, templates, type Family, type Setup } from '../template.js';

const suffixes = ['b', 'w', 'd', 'q'];

/** Source and destination, which sometimes overlap, a small count, a random direction. */
const operands: Setup = (state, random, index) => {
  if (random.chance(0.5)) state.rflags |= Flag.DF;
  const overlapping = random.chance(0.3);
  const source = 0x400 + random.below(0x80);
  placeAt(state, random, 'rsi', source);
  placeAt(state, random, 'rdi', overlapping ? source + random.below(20) - 10 : 0xf80 + random.below(0x100));
  setRegister(state, 'rcx', BigInt(index % 6 === 0 ? 0 : random.below(18)));
};
/** Long runs of equal elements with one difference somewhere, so that REPE and REPNE end at every place. */
const nearlyEqual: Setup = (state, random) => {
  const filler = random.below(256);
  const accumulator = BigInt(filler) * 0x0101_0101_0101_0101n;
  setRegister(state, 'rax', random.chance(0.7) ? accumulator : random.corner());
  for (const i of [6, 7]) {
    const at = Number(state.general[i]) - dataPages.address;
    const bytes = new Uint8Array(320).fill(filler);
    for (let n = random.below(3); n > 0; n--) bytes[160 + random.below(128) - 64] = random.below(256);
    addWindow(state, at - 160, bytes);
  }
};
/** More than a page, as kernels clear and copy them. */
const longRun: Setup = (state, random) => {
  state.rflags &= ~Flag.DF;
  placeAt(state, random, 'rsi', random.below(64));
  placeAt(state, random, 'rdi', 0x200 + random.below(64));
  setRegister(state, 'rcx', BigInt(0x180 + random.below(32)));
  setRegister(state, 'rax', 0x1111_1111_1111_1111n);
};
const addressSize32: Setup = (state, random) => {
  // The upper halves are ignored; registers that change are cut to 32 bits.
  for (const name of ['rsi', 'rdi', 'rcx'] as const) {
    const i = { rsi: 6, rdi: 7, rcx: 1 }[name];
    setRegister(state, name, (state.general[i] as bigint) | (BigInt(random.below(16)) << 32n));
  }
};

const plain = ['movs', 'stos', 'lods', 'scas', 'cmps'].flatMap((op) => suffixes.map((suffix) => op + suffix));
const repeated = ['movs', 'stos', 'lods'].flatMap((op) => suffixes.map((suffix) => `rep ${op}${suffix}`));
const searching = ['repe', 'repne'].flatMap((rep) =>
  ['scas', 'cmps'].flatMap((op) => suffixes.map((suffix) => `${rep} ${op}${suffix}`)),
);
const named = (text: string): string => text.replace(/(mov|cmp)sd/, '$1sd'); // without operands the assembler takes the string form

export const string: Family = {
  name: 'string',
  templates: [
    ...templates(8, plain.map(named), operands),
    ...templates(12, repeated.map(named), operands),
    ...templates(16, searching.map(named), operands, nearlyEqual),
    ...templates(
      3,
      [
        'rep movsb byte ptr [rdi], byte ptr [rsi]',
        'rep movsq qword ptr [rdi], qword ptr [rsi]',
        'rep stosd dword ptr [rdi], eax',
      ],
      longRun,
    ),
    ...templates(
      6,
      ['addr32 rep movsb', 'addr32 stosd', 'addr32 rep stosw', 'addr32 lodsb', 'addr32 repne scasb'],
      operands,
      addressSize32,
    ),
  ],
};
