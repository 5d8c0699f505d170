import { expect } from 'chai';
import { loadProcessorArtifacts } from '../src/host/processor-artifacts.js';
import { Machine } from '../src/machine.js';
import { decodeSnapshot, encodeSnapshot } from '../src/snapshot.js';
import type { TypedBytes } from '../src/typed-input.js';

/** Polls the UART, answers each byte with the low byte of the TSC, and halts for good at "q". */
const program = Uint8Array.of(
  ...[0xba, 0xfd, 0x03, 0x00, 0x00], // again: MOV EDX, 3fdh
  0xec, // poll: IN AL, DX
  ...[0xa8, 0x01], // TEST AL, 1
  ...[0x74, 0xfb], // JZ poll
  ...[0xba, 0xf8, 0x03, 0x00, 0x00], // MOV EDX, 3f8h
  0xec, // IN AL, DX
  ...[0x3c, 0x71], // CMP AL, "q"
  ...[0x74, 0x0a], // JE end
  ...[0x0f, 0x31], // RDTSC
  ...[0xba, 0xf8, 0x03, 0x00, 0x00], // MOV EDX, 3f8h
  0xee, // OUT DX, AL
  ...[0xeb, 0xe2], // JMP again
  0xf4, // end: HLT
);
const artifacts = loadProcessorArtifacts();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Run {
  readonly machine: Machine;
  readonly answers: number[];
}

function start(): Run {
  const machine = new Machine({ artifacts, memoryBytes: 64 << 20 });
  machine.memory.writePhysical(0x10_0000, program);
  machine.processor.enter({ mode: 'protected32', rip: 0x10_0000n });
  return listen(machine, []);
}

function listen(machine: Machine, answers: number[]): Run {
  machine.onConsole = (byte) => answers.push(byte);
  return { machine, answers };
}

function finish({ machine, answers }: Run, slice: number) {
  while (machine.outcome === undefined && machine.ticks < 100_000) machine.run(slice);
  const { ticks, instructions, outcome } = machine;
  return { ticks, instructions, outcome, answers, typed: machine.typed.log, digest: machine.digest() };
}

/** A session typed between slices of uneven length and once while the guest writes. */
function typedSession() {
  const run = start();
  const { machine, answers } = run;
  for (const [slice, text] of [
    [1000, 'a'],
    [777, 'bcd'],
    [1, 'e'],
    [31, 'f'],
  ] as const) {
    machine.run(slice);
    machine.type(bytes(text));
  }
  machine.onConsole = (byte) => {
    answers.push(byte);
    if (answers.length === 6) machine.type(bytes('gq'));
  };
  return finish(run, 999);
}

describe('Machine.type() and Machine.replayInput()', () => {
  it('logs every byte with the tick at which the UART had it', () => {
    const { typed, answers, outcome } = typedSession();
    expect(outcome?.outcome).to.equal('halted');
    expect(typed.map((entry) => entry.bytes)).to.deep.equal(['61', '626364', '65', '66', '6771']);
    expect(typed[0]?.tick).to.be.within(1001, 1030);
    expect(answers).to.have.length(7);
  });

  it('a replay is the same run, in slices of any length', () => {
    const first = typedSession();
    for (const slice of [1, 64, 1e6]) {
      const run = start();
      run.machine.replayInput(first.typed);
      expect(finish(run, slice), `slices of ${slice}`).to.deep.equal(first);
    }
  });

  it('a replay may begin during the run, before its first tick', () => {
    const first = typedSession();
    const run = start();
    run.machine.run(500);
    run.machine.replayInput(first.typed);
    expect(finish(run, 100)).to.deep.equal(first);
  });

  it('a replay goes on across save and restore, the log goes with it', () => {
    const first = typedSession();
    const run = start();
    run.machine.replayInput(first.typed);
    run.machine.run(1500);
    const snapshot = decodeSnapshot(encodeSnapshot(run.machine.save()));
    const again = listen(Machine.restore({ artifacts }, snapshot), [...run.answers]);
    expect(again.machine.typed.log).to.have.length(1);
    expect(finish(again, 1e6)).to.deep.equal(first);
  });

  it('a replay that is changed is another run', () => {
    const first = typedSession();
    const run = start();
    run.machine.replayInput(first.typed.map(({ tick, ...rest }): TypedBytes => ({ tick: tick + 50, ...rest })));
    expect(finish(run, 1e6).answers).not.to.deep.equal(first.answers);
  });
});
