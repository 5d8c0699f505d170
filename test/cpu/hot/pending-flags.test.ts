import { expect } from 'chai';
import { R8, bothTiers, loop } from './both-tiers.js';
import { dword } from './plain-program.js';
import { places, selectors } from './random-places.js';

const [CMP_R8_3, CMP_R8_EBX] = [
  [0x49, 0x83, 0xf8, 3],
  [0x41, 0x39, 0xd8],
];
const JMP_RAX = [0xff, 0xe0];
const ADC_EBX_0 = [0x83, 0xd3, 0];
const MOV_RDI = [0x48, 0xc7, 0xc7];
const PUSHFQ = 0x9c;
const POP_RDX = 0x5a;
const ADD_ESI_EDX = [0x01, 0xd6];
const movRax = (value: number): number[] => [0x48, 0xc7, 0xc0, ...dword(value)];

/** Sets flags by `compare`, goes to `code` through a register, which leaves the hot function, and adds the flags up. */
function afterJump(compare: readonly number[], code: (here: number) => readonly number[]): number[] {
  const start = places.code + compare.length + 9;
  return [
    ...[...compare, ...movRax(start), ...JMP_RAX],
    ...[...code(start), ...ADC_EBX_0],
    ...[PUSHFQ, POP_RDX, ...ADD_ESI_EDX],
  ];
}

/** IRETQ to the instruction behind it, with the flags as they are. Pushes SS, RSP, RFLAGS, CS and RIP. */
const iret = (start: number): number[] => {
  const pushes = [0x6a, selectors.data, 0x54, PUSHFQ, 0x6a, selectors.code64];
  const behind = start + pushes.length + 5 + 2;
  return [...pushes, 0x68, ...dword(behind), 0x48, 0xcf];
};

describe('flags that a hot function leaves pending', function () {
  this.timeout(60_000);

  for (const [name, compare] of [
    ['SUB of 64 bits', CMP_R8_3],
    ['SUB of 32 bits', CMP_R8_EBX],
  ] as const) {
    it(`are replaced by those that IRET takes from the stack: ${name}`, () => {
      const plain = { code: loop(afterJump(compare, iret)), kernel: true, registers: { [R8]: 5n } };
      expect(bothTiers('iretq', plain, [])['exceptions']).to.equal('3');
    });

    it(`are saved by SYSCALL and come back with SYSRET: ${name}`, () => {
      const code = afterJump(compare, () => [0x0f, 0x05]);
      expect(bothTiers('syscall', { code: loop(code), registers: { [R8]: 5n } }, [])['exceptions']).to.equal('3');
    });

    it(`are replaced by those that POPF takes from the stack: ${name}`, () => {
      const code = afterJump(compare, () => [0x6a, 0x41, 0x9d]); // PUSH 41: CF and ZF
      expect(bothTiers('popf64', { code: loop(code), registers: { [R8]: 5n } }, [])['rbx']).to.equal('5');
    });

    it(`last through a REP at whose middle the budget ends: ${name}`, () => {
      const code = afterJump(compare, () => [0xb9, ...dword(40), ...MOV_RDI, ...dword(places.data), 0xf3, 0xaa]);
      expect(bothTiers('stos8', { code: loop(code), registers: { [R8]: 5n } })['exceptions']).to.equal('3');
    });

    it(`are those of an instruction that faults, and of the handler: ${name}`, () => {
      // DIV of RDX:RAX by RCX = 0: the exception goes on behind it.
      const code = afterJump(compare, () => [0x48, 0xf7, 0xf1]);
      const behind = compare.length + 9 + 3;
      const plain = { code: loop(code), resume: [behind, code.length + 9], registers: { [R8]: 5n } };
      expect(bothTiers('div64', plain)['exceptions']).to.equal('0 0 0 0 0 3');
    });
  }

  it('are settled where the budget ends', () => {
    const code = [...afterJump(CMP_R8_3, () => []), ...MOV_RDI, ...dword(places.data), 0xaa]; // STOSB
    expect(bothTiers('stos8', { code: loop(code), registers: { [R8]: 5n } })['rbx']).to.equal('2');
  });
});
