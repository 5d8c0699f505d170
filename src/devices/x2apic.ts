/** The local APIC's registers as MSRs in x2APIC mode. Intel SDM volume 3, 11.12.1.2 and table 11-6. */
import { LocalApicRegister as R, lvtWritable } from './local-apic-registers.js';

/** MSR of the register at offset 0; each 16 bytes of the window are one MSR. */
const x2ApicMsrBase = 0x800;

export interface X2ApicRegister {
  /** In the window of xAPIC mode. */
  readonly offset: number;
  readonly readable: boolean;
  /** The bits that may be set; another one is #GP. undefined: a write is #GP. */
  readonly writable: bigint | undefined;
  /** 64 bits: ICR alone, with the destination in the upper half. */
  readonly wide: boolean;
}

const all32 = 0xffff_ffffn;
const deliveryStatus = 1 << 12; // read only, not reserved
const remoteIrr = 1 << 14; // of LINT0 and LINT1, read only
const lint: readonly number[] = [R.LVT_LINT0, R.LVT_LINT1];

/** Bits that may be set, by offset. 0: only a write of 0 is allowed. */
const writable: ReadonlyMap<number, bigint> = new Map<number, bigint>([
  [R.TPR, 0xffn],
  [R.EOI, 0n],
  [R.SVR, 0x3ffn], // bit 9, focus checking, is accepted as by Xen's own local APIC
  [R.ESR, 0n],
  [R.ICR_LOW, (all32 << 32n) | 0xc_cfffn], // no delivery status
  ...Object.entries(lvtWritable).map(([key, bits]): [number, bigint] => {
    const offset = Number(key);
    return [offset, BigInt(bits | deliveryStatus | (lint.includes(offset) ? remoteIrr : 0))];
  }),
  [R.INITIAL_COUNT, all32],
  [R.DIVIDE, 0b1011n],
  [R.SELF_IPI, 0xffn],
]);
const readOnly: readonly number[] = [R.ID, R.VERSION, R.PPR, R.LDR, R.CURRENT_COUNT];
const writeOnly: readonly number[] = [R.EOI, R.SELF_IPI];

function describe(offset: number): X2ApicRegister | undefined {
  const bits = writable.get(offset);
  const isVectors = offset >= R.ISR && offset < R.ESR;
  if (bits === undefined && !isVectors && !readOnly.includes(offset)) return undefined;
  return { offset, readable: !writeOnly.includes(offset), writable: bits, wide: offset === R.ICR_LOW };
}

const registers = Array.from({ length: 0x40 }, (_, index) => describe(index * 16));

/** The register of an MSR; undefined where x2APIC mode has none (APR, DFR and the upper half of ICR are gone). */
export const x2ApicRegister = (msr: number): X2ApicRegister | undefined => registers[msr - x2ApicMsrBase];
