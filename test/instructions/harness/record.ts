/**
 * Records what the instructions of `cases/` do on the processor of this machine (x86-64 Linux with gcc and binutils):
 *   test/instructions/record [FAMILY...]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { families } from '../cases/index.js';
import { formatOutcome, stateFingerprint, toHex, type RecordedTemplate } from '../fixture.js';
import { normaliseFx } from '../normalise-fx.js';
import { basePattern, fxBytes, type MachineState, type Outcome, type Window } from '../state.js';
import { initialState, type Family, type Template } from '../template.js';
import { assemble } from './assemble.js';

const BREAKPOINT = 3;
const PAGE_FAULT = 14;
const PRESENT = 1; // bit 0 of a page fault's error code
const TASK_SIZE = 0x7fff_ffff_f000n;
const here = import.meta.dirname;

interface Test {
  readonly template: Template;
  readonly state: MachineState;
  readonly code: Uint8Array;
}

function encodeTests(tests: readonly Test[]): Buffer {
  const parts: Uint8Array[] = [u32(tests.length), basePattern()];
  for (const { state, code } of tests) {
    parts.push(
      new Uint8Array(state.general.buffer),
      new Uint8Array(BigUint64Array.of(state.rip, BigInt(state.rflags), BigInt(state.bits)).buffer),
      state.fx,
    );
    parts.push(u32(code.length), code, u32(state.windows.length));
    for (const { offset, bytes } of state.windows) parts.push(u32(offset), u32(bytes.length), bytes);
  }
  return Buffer.concat(parts);
}

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

/** Reads the harness's output; `INT3` behind the instruction is its regular end. */
function decodeOutcomes(output: Buffer, tests: readonly Test[]): Outcome[] {
  let at = 0;
  const u64 = (): bigint => {
    at += 8;
    return output.readBigUInt64LE(at - 8);
  };
  const word = (): number => {
    at += 4;
    return output.readUInt32LE(at - 4);
  };
  return tests.map(({ state, code }) => {
    const general = BigUint64Array.from({ length: 16 }, u64);
    const rip = u64();
    const rflags = Number(u64());
    const vector = Number(u64());
    const reportedCode = Number(u64());
    const cr2 = u64();
    // Linux reports every address it keeps from user mode as present (arch/x86/mm/fault.c): nothing is mapped there.
    const errorCode = vector === PAGE_FAULT && cr2 >= TASK_SIZE ? reportedCode & ~PRESENT : reportedCode;
    const fx = normaliseFx(output.subarray(at, at + fxBytes));
    at += fxBytes;
    const changes: Window[] = Array.from({ length: word() }, () => {
      const offset = word();
      const length = word();
      at += length;
      return { offset, bytes: Uint8Array.from(output.subarray(at - length, at)) };
    });
    const ended = vector === BREAKPOINT && !(code[0] === 0xcc && rip === state.rip + 1n);
    const fault = ended ? undefined : { vector, errorCode, cr2: vector === PAGE_FAULT ? cr2 : undefined };
    return { general, rip: ended ? rip - 1n : rip, rflags, fx, changes, fault };
  });
}

function recordFamily(family: Family, folder: string, harness: string): void {
  const texts = family.templates.map(({ text }) => text);
  const bits = family.templates.map((template) => template.bits ?? 64);
  if (new Set(texts).size !== texts.length)
    throw new Error(`${family.name}: listed twice: ${texts.filter((text, i) => texts.indexOf(text) !== i).join('; ')}`);
  const code = assemble(texts, bits, folder);
  const nativeCode = assemble(
    family.templates.map(({ text, native }) => native ?? text),
    bits,
    folder,
  );
  const tests = family.templates.flatMap((template, i) =>
    Array.from({ length: template.count }, (_, index): Test => ({
      template,
      state: initialState(template, index),
      code: nativeCode[i] as Uint8Array,
    })),
  );
  const input = join(folder, 'input');
  const output = join(folder, 'output');
  writeFileSync(input, encodeTests(tests));
  execFileSync(harness, [input, output], { stdio: 'inherit' });
  const outcomes = decodeOutcomes(readFileSync(output), tests);

  let next = 0;
  const lines = family.templates.map((template, i) => {
    const bytes = code[i] as Uint8Array;
    if (bytes.length !== nativeCode[i]?.length)
      throw new Error(`${template.text}: its native stand-in must be as long`);
    let states = 0;
    const texts = Array.from({ length: template.count }, () => {
      const { state } = tests[next] as Test;
      states = stateFingerprint(state, states);
      return formatOutcome(state, bytes.length, outcomes[next++] as Outcome);
    });
    const recorded: RecordedTemplate = { text: template.text, code: toHex(bytes), states, outcomes: texts };
    return JSON.stringify(recorded);
  });
  const file = gzipSync(`${lines.join('\n')}\n`, { level: 9 });
  writeFileSync(join(here, '..', 'fixtures', `${family.name}.json.gz`), file);
  process.stdout.write(
    `${family.name}: ${String(lines.length)} templates, ${String(tests.length)} fixtures, ${String(file.length)} bytes\n`,
  );
}

const wanted = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'efikit-record-'));
try {
  const harness = join(folder, 'harness');
  execFileSync('gcc', ['-O1', '-Wall', '-Wextra', '-o', harness, join(here, 'harness.c')], { stdio: 'inherit' });
  for (const family of families)
    if (wanted.length === 0 || wanted.includes(family.name)) recordFamily(family, folder, harness);
} finally {
  rmSync(folder, { recursive: true });
}
