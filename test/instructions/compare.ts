import { generalRegisters } from '../../src/cpu/types.js';
import { differences, formatOutcome, memoryAfter, toHex } from './fixture.js';
import { arithmeticFlags, dataPages, Flag, fxOffset, type MachineState, type Outcome } from './state.js';
import type { ByteRange } from './template.js';

/** Flags that a replay compares unless they are undefined. */
const comparable = arithmeticFlags | Flag.DF | Flag.IF | Flag.ID | Flag.NT | Flag.AC | 2;

export interface Comparison {
  readonly before: MachineState;
  readonly memory: Uint8Array;
  readonly code: Uint8Array;
  readonly expected: Outcome;
  readonly actual: Outcome;
  readonly undefinedFlags: number;
  /** Bits of the x87 status word. */
  readonly undefinedStatus: number;
  readonly unspecified: readonly ByteRange[];
}

/** What is wrong, a line each; empty when the two outcomes agree. */
export function compare(comparison: Comparison): string[] {
  const { before, memory, code, expected, actual, undefinedFlags } = comparison;
  const wrong: string[] = [];
  const fault = ({ fault }: Outcome): string =>
    fault === undefined
      ? 'none'
      : (formatOutcome(before, 0, { ...expected, fault })
          .split(' ')
          .at(-1) as string);
  if (fault(expected) !== fault(actual)) wrong.push(`fault: expected ${fault(expected)}, got ${fault(actual)}`);
  const address = (rip: bigint): string => `start+${(rip - before.rip).toString()} (length ${String(code.length)})`;
  if (expected.rip !== actual.rip) wrong.push(`rip: expected ${address(expected.rip)}, got ${address(actual.rip)}`);
  generalRegisters.forEach((name, i) => {
    const [was, wanted, got] = [before.general, expected.general, actual.general].map((set) =>
      (set[i] as bigint).toString(16),
    ) as [string, string, string];
    if (wanted !== got) wrong.push(`${name}: was ${was}, expected ${wanted}, got ${got}`);
  });
  const mask = comparable & ~undefinedFlags;
  if (((expected.rflags ^ actual.rflags) & mask) !== 0) {
    wrong.push(
      `flags: was ${flagNames(before.rflags)}, expected ${flagNames(expected.rflags)}, got ${flagNames(actual.rflags)}${undefinedFlags ? `, not compared ${flagNames(undefinedFlags)}` : ''}`,
    );
  }
  const wantedMemory = memoryAfter(memory, expected);
  const actualMemory = memoryAfter(memory, actual);
  for (const { offset, length } of comparison.unspecified) {
    actualMemory.set(wantedMemory.subarray(offset, offset + length), offset);
  }
  if (Buffer.compare(wantedMemory, actualMemory) !== 0) {
    for (const { offset, bytes } of differences(wantedMemory, actualMemory)) {
      const wanted = wantedMemory.subarray(offset, offset + bytes.length);
      const was = memory.subarray(offset, offset + bytes.length);
      wrong.push(
        `memory at ${(dataPages.address + offset).toString(16)}: was ${toHex(was)}, expected ${toHex(wanted)}, got ${toHex(bytes)}`,
      );
    }
  }
  const wantedFx = comparableFx(expected.fx, expected.fx, comparison.undefinedStatus);
  for (const { offset, bytes } of differences(
    wantedFx,
    comparableFx(actual.fx, expected.fx, comparison.undefinedStatus),
  )) {
    const wanted = wantedFx.subarray(offset, offset + bytes.length);
    const was = before.fx.subarray(offset, offset + bytes.length);
    wrong.push(
      `FXSAVE image at ${String(offset)} (${fxField(offset)}): was ${toHex(was)}, expected ${toHex(wanted)}, got ${toHex(bytes)}`,
    );
  }
  return wrong;
}

/** An FXSAVE image without undefined status bits and without the x87 registers that are to be empty. */
function comparableFx(fx: Uint8Array, expected: Uint8Array, undefinedBits: number): Uint8Array {
  const image = fx.slice();
  const status = new DataView(image.buffer);
  status.setUint16(fxOffset.fsw, status.getUint16(fxOffset.fsw, true) & ~undefinedBits, true);
  const top = ((expected[fxOffset.fsw + 1] as number) >> 3) & 7;
  for (let i = 0; i < 8; i++) {
    const valid = ((expected[fxOffset.ftw] as number) >> ((top + i) & 7)) & 1;
    if (!valid) image.fill(0, fxOffset.st + 16 * i, fxOffset.st + 16 * i + 16);
  }
  return image;
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
