/** A program for the random machine that is written by hand: bytes at the beginning of its code, 64-bit, mapped at 0. */
import { places } from './random-places.js';
import type { Assembled, Program } from './random-program.js';

export interface PlainProgram {
  readonly code: readonly number[];
  /** Offsets in the code: an exception goes on at the next of them. */
  readonly resume?: readonly number[];
  /** By number; RSP points into the data. */
  readonly registers?: Readonly<Record<number, bigint>>;
  readonly kernel?: boolean;
  /** Bytes at the beginning of the data. */
  readonly data?: readonly number[];
}

export function plainProgram({ code, resume = [], registers = {}, kernel = false, data = [] }: PlainProgram): {
  program: Program;
  assembled: Assembled;
} {
  const start = places.code;
  const values = Array.from({ length: 16 }, (_, number) => registers[number] ?? 0n);
  values[4] = BigInt(places.data + 0x800);
  return {
    program: {
      bits: 64,
      kernel,
      high: false,
      routines: [],
      times: 1,
      registers: values,
      flags: 0,
      mxcsr: 0x1f80,
      vectors: [],
      before: 0,
      straddle: 0,
      interrupts: [],
      breakpoints: [],
      variant: { after: 1, tlbEntries: 1024, slice: 0, seed: 1, looks: false },
    },
    assembled: {
      base: 0n,
      start,
      parts: [
        { physical: start, bytes: Uint8Array.from(code) },
        { physical: places.data, bytes: Uint8Array.from(data) },
      ],
      breakpoints: [],
      addresses: [0, ...resume].map((offset) => start + offset),
      listing: [],
    },
  };
}

/** The four bytes of a 32-bit immediate. */
export const dword = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
