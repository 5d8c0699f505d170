import { expect } from 'chai';
import { cpuid } from '../../src/cpu/cpuid.js';
import type { Touch } from '../../src/cpu/touch.js';
import { buildArtifacts } from '../instructions/processor-subject.js';
import { R8, loop } from './hot/both-tiers.js';
import { dword, plainProgram, type PlainProgram } from './hot/plain-program.js';
import { RandomMachine } from './hot/random-machine.js';
import { mmioPhysical, places, ports } from './hot/random-places.js';

const ROUNDS = 5;
const mov = (register: number, value: number): number[] => [0xb8 + register, ...dword(value)];
const [ECX, EDX] = [1, 2];
type Told = Omit<Touch, 'instruction'>;

/** What is told of a program that ends the same without anybody asking, and in both tiers. */
function touchesOf(plain: PlainProgram, instructions: bigint[] = []): Told[] {
  const run = (compileAfter: 'never' | 1, onTouch?: (touch: Touch) => void) => {
    const machine = new RandomMachine(buildArtifacts(), compileAfter, 1024, onTouch && { onTouch, observing: true });
    const { program, assembled } = plainProgram(plain);
    machine.run(program, assembled, { ticks: 10_000, slice: 0, seed: 1, looks: false });
    return machine.outcome();
  };
  const right = run('never');
  const [cold, hot]: [Told[], Told[]] = [[], []];
  for (const [compileAfter, told] of [
    ['never', cold],
    [1, hot],
  ] as const) {
    const outcome = run(compileAfter, ({ instruction, ...touch }) => {
      instructions.push(instruction);
      told.push(touch);
    });
    expect(outcome).to.deep.equal(right);
  }
  expect(hot).to.deep.equal(cold);
  return cold;
}

const program = (code: readonly number[], registers: Readonly<Record<number, bigint>> = {}) => ({
  code: loop(code),
  kernel: true,
  registers: { [R8]: BigInt(ROUNDS), ...registers },
});

describe('what a guest touches', function () {
  this.timeout(60_000);

  it('the instruction, when the processor observes', () => {
    const code = [...mov(EDX, ports.nothing), 0xee, 0x0f, 0xa2, ...mov(ECX, 0x1b), 0x0f, 0x32]; // OUT; CPUID; RDMSR
    const heard: bigint[] = [];
    touchesOf(program(code), heard);
    const { code: at } = places;
    expect(heard.slice(3 * ROUNDS), 'in the hot tier').to.deep.equal(heard.slice(0, 3 * ROUNDS));
    expect(heard.slice(0, 3)).to.deep.equal([5, 6, 13].map((offset) => BigInt(at + offset)));
  });
  it('CPUID: leaf, subleaf and what it gave', () => {
    const told = touchesOf(program([...mov(0, 4), ...mov(ECX, 1), 0x0f, 0xa2]));
    const touch = { kind: 'cpuid', address: 4, subleaf: 1, registers: cpuid(4, 1) };
    expect(told).to.deep.equal(Array(ROUNDS).fill(touch));
  });
  it('IN and OUT, INS and OUTS: port, width and value', () => {
    const told = touchesOf(
      program([
        ...[...mov(EDX, ports.nothing), ...mov(0, 0x1234_5678), 0xef, 0x66, 0xef, 0xee], // OUT DX, EAX; AX; AL
        ...[0x48, 0xc7, 0xc6, ...dword(places.data), 0x6e], // MOV RSI, data; OUTSB
      ]),
    );
    const out = { kind: 'out', address: ports.nothing };
    expect(told.slice(0, 4)).to.deep.equal([
      { ...out, bytes: 4, value: 0x1234_5678n },
      { ...out, bytes: 2, value: 0x5678n },
      { ...out, bytes: 1, value: 0x78n },
      { ...out, bytes: 1, value: told[3]?.value },
    ]);
    const [read] = touchesOf(program([...mov(EDX, ports.nothing), 0xec]));
    expect({ ...read, value: undefined }).to.deep.equal({ kind: 'in', address: 0x60, bytes: 1, value: undefined });
  });
  it('loads and stores outside RAM: guest-physical address, width and value', () => {
    const at = (register: number): number[] => [0x04 | (register << 3), 0x25, ...dword(places.mmio + 8)];
    const told = touchesOf(program([...mov(0, 0xabcd), 0x89, ...at(0), 0x66, 0x8b, ...at(ECX)]));
    expect(told[0]).to.deep.equal({ kind: 'mmio-write', address: mmioPhysical + 8, bytes: 4, value: 0xabcdn });
    const { kind, address, bytes } = told[1] ?? {};
    expect({ kind, address, bytes }).to.deep.equal({ kind: 'mmio-read', address: mmioPhysical + 8, bytes: 2 });
    expect(told.length).to.equal(2 * ROUNDS);
  });
  it('RDMSR and WRMSR of registers that belong to devices and of those that the processor keeps', () => {
    const told = touchesOf(
      program([
        ...[...mov(ECX, 0xc000_0080), 0x0f, 0x32], // RDMSR EFER
        ...[...mov(ECX, 0xc000_0103), ...mov(0, 7), ...mov(EDX, 0), 0x0f, 0x30], // WRMSR TSC_AUX
        ...[...mov(ECX, 0x1b), 0x0f, 0x32], // RDMSR APIC_BASE
      ]),
    );
    expect(told.slice(0, 3)).to.deep.equal([
      { kind: 'rdmsr', address: 0xc000_0080, value: 0xd01n },
      { kind: 'wrmsr', address: 0xc000_0103, value: 7n },
      { kind: 'rdmsr', address: 0x1b, value: 0xfee0_0900n },
    ]);
    expect(told.length).to.equal(3 * ROUNDS);
  });
  it('RDMSR and WRMSR that end with #GP, with `fault`', () => {
    const code = [...mov(ECX, 0x1234), 0x0f, 0x32, 0x90, ...mov(0, 1), ...mov(EDX, 2), 0x0f, 0x30, 0x90];
    const resume = [7, code.length - 1, code.length + 9];
    const told = touchesOf({ ...program(code), resume });
    expect(told.slice(0, 2)).to.deep.equal([
      { kind: 'rdmsr', address: 0x1234, fault: true },
      { kind: 'wrmsr', address: 0x1234, value: 0x2_0000_0001n, fault: true },
    ]);
    expect(told.length).to.equal(2 * ROUNDS);
  });
  it('at CPL 3 RDMSR and WRMSR are told as faults, too', () => {
    const code = [...mov(ECX, 0xc000_0080), 0x0f, 0x32, 0x90];
    const told = touchesOf({ ...program(code), kernel: false, resume: [7, code.length + 9] });
    expect(told).to.deep.equal(Array(ROUNDS).fill({ kind: 'rdmsr', address: 0xc000_0080, fault: true }));
  });
});
