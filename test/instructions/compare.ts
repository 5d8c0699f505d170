import { generalRegisters } from '../../src/cpu/types.js';
import { differences, formatOutcome, memoryAfter, toHex } from './fixture.js';
import { arithmeticFlags, dataPages, Flag, type MachineState, type Outcome } from './state.js';

/** Flags that a replay compares unless they are undefined. */
const comparable = arithmeticFlags | Flag.DF | Flag.IF | Flag.ID | Flag.NT | Flag.AC | 2;

export interface Comparison {
  readonly before: MachineState;
  readonly memory: Uint8Array;
  readonly code: Uint8Array;
  readonly expected: Outcome;
  readonly actual: Outcome;
  readonly undefinedFlags: number;
}

/** What is wrong, a line each; empty when the two outcomes agree. */
export function compare({ before, memory, code, expected, actual, undefinedFlags }: Comparison): string[] {
  const wrong: string[] = [];
  const fault = ({ fault }: Outcome): string => (fault === undefined ? 'none' : formatOutcome(before, 0, { ...expected, fault }).split(' ').at(-1) as string);
  if (fault(expected) !== fault(actual)) wrong.push(`fault: expected ${fault(expected)}, got ${fault(actual)}`);
  const address = (rip: bigint): string => `start+${(rip - before.rip).toString()} (length ${String(code.length)})`;
  if (expected.rip !== actual.rip) wrong.push(`rip: expected ${address(expected.rip)}, got ${address(actual.rip)}`);
  generalRegisters.forEach((name, i) => {
    const [was, wanted, got] = [before.general, expected.general, actual.general].map((set) => (set[i] as bigint).toString(16)) as [string, string, string];
    if (wanted !== got) wrong.push(`${name}: was ${was}, expected ${wanted}, got ${got}`);
  });
  const mask = comparable & ~(expected.fault ? 0 : undefinedFlags);
  if (((expected.rflags ^ actual.rflags) & mask) !== 0) {
    wrong.push(`flags: was ${flagNames(before.rflags)}, expected ${flagNames(expected.rflags)}, got ${flagNames(actual.rflags)}${undefinedFlags ? `, not compared ${flagNames(undefinedFlags)}` : ''}`);
  }
  const wantedMemory = memoryAfter(memory, expected);
  const actualMemory = memoryAfter(memory, actual);
  if (Buffer.compare(wantedMemory, actualMemory) !== 0) {
    for (const { offset, bytes } of differences(wantedMemory, actualMemory)) {
      const wanted = wantedMemory.subarray(offset, offset + bytes.length);
      const was = memory.subarray(offset, offset + bytes.length);
      wrong.push(`memory at ${(dataPages.address + offset).toString(16)}: was ${toHex(was)}, expected ${toHex(wanted)}, got ${toHex(bytes)}`);
    }
  }
  for (const { offset, bytes } of differences(expected.fx, actual.fx)) {
    const wanted = expected.fx.subarray(offset, offset + bytes.length);
    const was = before.fx.subarray(offset, offset + bytes.length);
    wrong.push(`FXSAVE image at ${String(offset)} (${fxField(offset)}): was ${toHex(was)}, expected ${toHex(wanted)}, got ${toHex(bytes)}`);
  }
  return wrong;
}

/** The initial state, as far as it may matter, for a failure message. */
export function describeState(state: MachineState): string {
  const registers = generalRegisters.map((name, i) => `${name}=${(state.general[i] as bigint).toString(16)}`).join(' ');
  return `rip=${state.rip.toString(16)} flags=${flagNames(state.rflags)} ${registers}`;
}

function flagNames(flags: number): string {
  const names = Object.entries(Flag).filter(([name, bit]) => name !== 'RF' && name !== 'IF' && (flags & bit) !== 0);
  return names.length === 0 ? '-' : names.map(([name]) => name).join(',');
}

function fxField(offset: number): string {
  if (offset >= 160) return `XMM${String((offset - 160) >> 4)}`;
  if (offset >= 32) return `ST${String((offset - 32) >> 4)}`;
  return offset >= 24 ? 'MXCSR' : offset >= 4 ? 'tag word' : offset >= 2 ? 'FSW' : 'FCW';
}
