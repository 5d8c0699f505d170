/**
 * Memory type range registers: kept and checked, without effect, as every access is coherent here. Intel SDM volume 3,
 * 12.11. At the start write-back everywhere, as a PVH domain finds them (xen: libs/guest, vcpu_hvm).
 */
import type { Stateful } from './device.js';

const MTRRCAP = 0xfe;
const DEF_TYPE = 0x2ff;
const VARIABLE = 0x200; // PHYSBASE0, PHYSMASK0, PHYSBASE1 ...
const variableRanges = 8;
const fixedRanges: readonly number[] = [0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f];

/** Eight variable ranges, fixed ranges, write combining. */
const capabilities = 0x508n;
const writeBack = 6;
const enabled = 1n << 11n;
/** Uncacheable, write combining, write through, write protected, write back. */
const types: ReadonlySet<number> = new Set([0, 1, 4, 5, writeBack]);
const physicalBits = 40n;

/** Values by MSR number in decimal, those that are not 0. */
export type MtrrState = Readonly<Record<string, string>>;

export class Mtrr implements Stateful<MtrrState> {
  private readonly values = new Map<number, bigint>([[DEF_TYPE, enabled | BigInt(writeBack)]]);

  /** The value; undefined when the MSR is none of these. */
  readMsr(index: number): bigint | undefined {
    if (index === MTRRCAP) return capabilities;
    return allowed(index, 0n) === undefined ? undefined : (this.values.get(index) ?? 0n);
  }

  /** False when the MSR is none of these, cannot be written, or would get a type or bit that is reserved. */
  writeMsr(index: number, value: bigint): boolean {
    if (allowed(index, value) !== true) return false;
    this.values.set(index, value);
    return true;
  }

  save(): MtrrState {
    return Object.fromEntries([...this.values].map(([index, value]) => [String(index), `0x${value.toString(16)}`]));
  }

  restore(state: MtrrState): void {
    this.values.clear();
    for (const [index, value] of Object.entries(state)) this.values.set(Number(index), BigInt(value));
  }
}

const isType = (value: bigint): boolean => types.has(Number(value & 0xffn));

/** Whether a register takes a value; undefined when there is no such register. */
function allowed(index: number, value: bigint): boolean | undefined {
  if (index === DEF_TYPE) return (value & ~0xcffn) === 0n && isType(value);
  if (fixedRanges.includes(index)) {
    return Array.from({ length: 8 }, (_, byte) => value >> BigInt(8 * byte)).every(isType);
  }
  if (index < VARIABLE || index >= VARIABLE + 2 * variableRanges) return undefined;
  if (value >> physicalBits !== 0n) return false;
  return index % 2 === 0 ? (value & 0xf00n) === 0n && isType(value) : (value & 0x7ffn) === 0n;
}
