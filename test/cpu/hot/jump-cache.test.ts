import { expect } from 'chai';
import { buildArtifacts } from '../../instructions/processor-subject.js';
import { R8 } from './both-tiers.js';
import { dword, plainProgram, type PlainProgram } from './plain-program.js';
import { RandomMachine } from './random-machine.js';
import { places, selectors, supervisor } from './random-places.js';

const JMP_RAX = [0xff, 0xe0];
const JMP_RBX = [0xff, 0xe3];
const DEC_R8 = [0x49, 0xff, 0xc8];
const MOV_RDX_RSI = [0x48, 0x8b, 0x16]; // from memory that CPL 0 alone may read
const NOP = 0x90;
const INT3 = 0xcc;
const movRax = (value: number): number[] => [0x48, 0xc7, 0xc0, ...dword(value)];

/** State after so many ticks, TLBs included, of a machine with TLBs of 16 entries; hot code ran if there can be any. */
function after(plain: PlainProgram, ticks: number, compileAfter: number | 'never'): Readonly<Record<string, string>> {
  const machine = new RandomMachine(buildArtifacts(), compileAfter, 16);
  const { program, assembled } = plainProgram(plain);
  machine.run(program, assembled, { ticks, slice: 0, seed: 1, looks: false });
  expect(machine.processor.hot.statistics.regions).to.be.above(compileAfter === 'never' ? -1 : 0);
  return machine.outcome();
}

describe('a jump from one hot function to another', function () {
  this.timeout(60_000);

  it('finds the fetch TLB as the look-up leaves it, where two pages of code share an entry', () => {
    // The two are 16 pages apart at the least: with 16 entries each jump puts the other one's page out.
    const code = [...DEC_R8, 0x74, 2, ...JMP_RAX, INT3]; // JZ to INT3
    const data = [NOP, ...JMP_RBX]; // the jump, so that the two are not one entry of the jump cache
    const registers = { 0: supervisor + BigInt(places.data + 1), 3: BigInt(places.code), [R8]: 40n };
    const plain = { code, data, registers, kernel: true };
    expect(after(plain, 200, 'never')['exceptions']).to.equal('3');
    for (let ticks = 60; ticks < 76; ticks++) {
      expect(after(plain, ticks, 1), `${String(ticks)} ticks`).to.deep.equal(after(plain, ticks, 'never'));
    }
  });

  it('does not go to the code of another privilege level at the same address', () => {
    const start = places.code;
    const round = [...movRax(start + 9), ...JMP_RAX, ...MOV_RDX_RSI, ...DEC_R8, 0x75, 0xef]; // JNZ to the beginning
    const toUser = [
      ...[0x85, 0xc9, 0x75, 0], // TEST ECX, ECX; JNZ to INT3, below
      ...[0xb9, ...dword(1), 0x41, 0xb8, ...dword(20)], // MOV ECX, 1; MOV R8D, 20
      ...[0x6a, selectors.userData, 0x54, 0x9c, 0x6a, selectors.userCode64, 0x68, ...dword(start), 0x48, 0xcf], // IRETQ
    ];
    toUser[3] = toUser.length - 4;
    const plain = {
      code: [...round, ...toUser, INT3],
      kernel: true,
      registers: { 6: supervisor + 0x5000n, [R8]: 20n },
    };
    const cold = after(plain, 400, 'never');
    expect(cold['rcx']).to.equal('1');
    expect(cold['exceptions']).to.match(/^14/);
    for (const ticks of [125, 130, 400]) {
      expect(after(plain, ticks, 1), `${String(ticks)} ticks`).to.deep.equal(after(plain, ticks, 'never'));
    }
  });
});
