/** A random program as a reader wants it: assembly with the pieces that it came from. */
import iced from 'iced-x86';
import type { Assembled, Program } from './random-program.js';

const { Decoder, DecoderOptions, Formatter, FormatterSyntax } = iced;

/** One line an instruction. */
export function describeProgram(program: Program, { base, start, listing, breakpoints }: Assembled): string {
  const { bits, kernel, high, times, interrupts, flags, registers, mxcsr, vectors, variant } = program;
  const formatter = new Formatter(FormatterSyntax.Intel);
  const lines = listing.flatMap(({ routine, offset, code }) => {
    const decoder = new Decoder(bits, code, DecoderOptions.None);
    decoder.ip = base + BigInt(offset);
    const instructions: string[] = [];
    while (decoder.canDecode) {
      const at = decoder.ip;
      const instruction = decoder.decode();
      const hex = Buffer.from(code.subarray(Number(at - base) - offset, Number(decoder.ip - base) - offset));
      instructions.push(
        `  ${String(routine)} ${at.toString(16)}  ${hex.toString('hex').padEnd(22)} ${formatter.format(instruction)}`,
      );
    }
    return instructions;
  });
  return [
    `${String(bits)}-bit code at CPL ${kernel ? '0' : '3'}${high ? ', uppermost 2 GiB' : ''}, from ${(base + BigInt(start)).toString(16)}, ${String(times)} times; flags ${flags.toString(16)}, interrupts at [${interrupts.join(' ')}]`,
    `compiled after ${String(variant.after)}, TLBs of ${String(variant.tlbEntries)}, slices of ${String(variant.slice)} (seed ${String(variant.seed)}${variant.looks ? ', saved and hashed between' : ''}), breakpoints at [${breakpoints.map((at) => at.toString(16)).join(' ')}]`,
    `registers (pointers from the base): ${registers.map((value) => value.toString(16)).join(' ')}`,
    `MXCSR ${mxcsr.toString(16)}, XMM0 and on: ${vectors.map((half) => half.toString(16)).join(' ')}`,
    ...lines,
  ].join('\n');
}
