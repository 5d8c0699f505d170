import { generalRegisters } from '../../src/cpu/types.js';
import { crc32 } from './random.js';
import { dataPages, Flag, type Fault, type MachineState, type Outcome, type Window } from './state.js';

/**
 * Recorded outcomes as text, only what changed: words separated by blanks.
 *   `f8d5`             RFLAGS (hexadecimal, always)
 *   `rax=12`           a general register
 *   `ip+5`             RIP, relative to the start of the instruction, unless it is the next one
 *   `m1f8=0102`        changed bytes at an offset of the data pages
 *   `x160=00ff`        changed bytes at an offset of the FXSAVE image
 *   `!14:7@20003000`   a fault: vector, error code, CR2 of #PF; RIP is then that of the instruction
 * A file of fixtures is gzipped JSON, one template a line: `RecordedTemplate`.
 */
export interface RecordedTemplate {
  readonly text: string;
  /** Hexadecimal. */
  readonly code: string;
  /** CRC-32 of all initial states; another value means that templates were changed and not recorded again. */
  readonly states: number;
  readonly outcomes: readonly string[];
}

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

/** RF tells how an event was delivered, not what the instruction did. */
const comparedFlags = ~Flag.RF;

export function formatOutcome(before: MachineState, codeLength: number, after: Outcome): string {
  const words = [`f${(after.rflags & comparedFlags).toString(16)}`];
  generalRegisters.forEach((name, i) => {
    const value = after.general[i] as bigint;
    if (value !== before.general[i]) words.push(`${name}=${value.toString(16)}`);
  });
  const usual = after.fault ? before.rip : before.rip + BigInt(codeLength);
  if (after.rip !== usual) words.push(`ip${after.rip < before.rip ? '' : '+'}${(after.rip - before.rip).toString()}`);
  for (const { offset, bytes } of after.changes) words.push(`m${offset.toString(16)}=${toHex(bytes)}`);
  for (const { offset, bytes } of differences(before.fx, after.fx)) words.push(`x${String(offset)}=${toHex(bytes)}`);
  if (after.fault) words.push(formatFault(after.fault));
  return words.join(' ');
}

function formatFault({ vector, errorCode, cr2 }: Fault): string {
  const address = cr2 === undefined ? '' : `@${cr2.toString(16)}`;
  return `!${String(vector)}:${errorCode.toString(16)}${address}`;
}

/** Runs of bytes in which two equally long arrays differ. */
export function differences(before: Uint8Array, after: Uint8Array): Window[] {
  const runs: Window[] = [];
  for (let i = 0; i < before.length; i++) {
    if (before[i] === after[i]) continue;
    const start = i;
    while (i < before.length && before[i] !== after[i]) i++;
    runs.push({ offset: start, bytes: after.slice(start, i) });
  }
  return runs;
}

export function parseOutcome(before: MachineState, codeLength: number, text: string): Outcome {
  const general = before.general.slice();
  const fx = before.fx.slice();
  const changes: Window[] = [];
  let rflags = 0;
  let rip: bigint | undefined;
  let fault: Fault | undefined;
  for (const word of text.split(' ')) {
    const [name, value] = word.split('=') as [string, string | undefined];
    if (word.startsWith('!')) {
      const [, vector, errorCode, cr2] = /^!(\d+):([0-9a-f]+)(?:@([0-9a-f]+))?$/.exec(word) as unknown as [
        string,
        string,
        string,
        string | undefined,
      ];
      fault = {
        vector: Number(vector),
        errorCode: parseInt(errorCode, 16),
        cr2: cr2 === undefined ? undefined : BigInt(`0x${cr2}`),
      };
    } else if (word.startsWith('ip')) rip = before.rip + BigInt(word.slice(2).replace('+', ''));
    else if (value === undefined) rflags = parseInt(word.slice(1), 16);
    else if (name.startsWith('m')) changes.push({ offset: parseInt(name.slice(1), 16), bytes: fromHex(value) });
    else if (name.startsWith('x')) fx.set(fromHex(value), Number(name.slice(1)));
    else general[generalRegisters.indexOf(name as (typeof generalRegisters)[number])] = BigInt(`0x${value}`);
  }
  rip ??= fault ? before.rip : before.rip + BigInt(codeLength);
  return { general, rip, rflags, fx, changes, fault };
}

/** Fingerprint of an initial state, continued from `start`. */
export function stateFingerprint(state: MachineState, start: number): number {
  let crc = crc32(new Uint8Array(state.general.buffer), start);
  crc = crc32(new Uint8Array(BigUint64Array.of(state.rip, BigInt(state.rflags)).buffer), crc);
  crc = crc32(state.fx, crc);
  for (const { offset, bytes } of state.windows) crc = crc32(bytes, crc ^ offset);
  return crc;
}

/** Data pages after an outcome. */
export function memoryAfter(initial: Uint8Array, outcome: Outcome): Uint8Array {
  const memory = initial.slice(0, dataPages.bytes);
  for (const { offset, bytes } of outcome.changes) memory.set(bytes, offset);
  return memory;
}
