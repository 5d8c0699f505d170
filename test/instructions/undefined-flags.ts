import { generalRegisters } from '../../src/cpu/types.js';
import { arithmeticFlags, Flag, getRegister, type MachineState } from './state.js';

const { CF, PF, AF, ZF, SF, OF } = Flag;

/**
 * Flags that the Intel SDM (volume 2, "Flags Affected") leaves undefined after an instruction: processors differ there,
 * so a replay does not compare them. Zero for what is not listed. The shifts depend on their count.
 */
const undefinedAfter: Readonly<Record<string, number>> = {
  and: AF,
  or: AF,
  xor: AF,
  test: AF,
  mul: PF | AF | ZF | SF,
  imul: PF | AF | ZF | SF,
  div: arithmeticFlags,
  idiv: arithmeticFlags,
  daa: OF,
  das: OF,
  aaa: PF | ZF | SF | OF,
  aas: PF | ZF | SF | OF,
  aam: CF | AF | OF,
  aad: CF | AF | OF,
  bt: PF | AF | SF | OF,
  bts: PF | AF | SF | OF,
  btr: PF | AF | SF | OF,
  btc: PF | AF | SF | OF,
  bsf: CF | PF | AF | SF | OF,
  bsr: CF | PF | AF | SF | OF,
  tzcnt: CF | PF | AF | SF | OF, // BSF behind a prefix, on a processor without BMI1
  lzcnt: CF | PF | AF | SF | OF,
};

/** The undefined flags of one execution, which ended in a fault or not. */
export function undefinedFlags(text: string, before: MachineState, faulted: boolean): number {
  // SDM, REP: after a fault in a repeated comparison the flags are those from before; AMD keeps the last element's.
  if (faulted) return /^repn?e (scas|cmps)/.test(text) ? arithmeticFlags : text.includes(';') ? AF : 0;
  if (text.includes(';')) return AF; // cases/sequence.ts: nothing else is left undefined
  const [, mnemonic = '', operands = ''] = /^(?:lock )?(\S+) ?(.*)$/.exec(text) ?? [];
  if (mnemonic in undefinedAfter) return undefinedAfter[mnemonic] as number;
  if (!/^(ro[lr]|rc[lr]|sh[lr]|sar|sh[lr]d)$/.test(mnemonic)) return 0;
  const width = operandWidth(operands);
  const count = shiftCount(operands, before) & (width === 64 ? 63 : 31);
  if (count === 0) return 0; // no flag changes
  const overflow = count === 1 ? 0 : OF;
  if (mnemonic.startsWith('r')) return overflow;
  if (mnemonic === 'shl' || mnemonic === 'shr') return AF | overflow | (count >= width ? CF : 0);
  return AF | overflow;
}

function shiftCount(operands: string, before: MachineState): number {
  const count = operands.split(', ').at(-1) as string;
  return count === 'cl' ? Number(getRegister(before, 'rcx') & 0xffn) : Number(count);
}

/** Bits of the first operand. */
export function operandWidth(operands: string): number {
  const first = operands.split(', ')[0] as string;
  const memory = { byte: 8, word: 16, dword: 32, qword: 64 }[first.split(' ')[0] as string];
  if (memory !== undefined) return memory;
  if (/^([a-d][lh]|(sp|bp|si|di)l|r\d+b)$/.test(first)) return 8;
  if (/^(r\d+w|[a-d]x|sp|bp|si|di)$/.test(first)) return 16;
  if (/^(r\d+d|e\w\w)$/.test(first)) return 32;
  if ((generalRegisters as readonly string[]).includes(first)) return 64;
  throw new Error(`no operand width in '${operands}': write the width of a memory operand out`);
}

const conditionCodes = { C0: 0x100, C1: 0x200, C2: 0x400, C3: 0x4000 } as const;

/** x87 instructions that define all four condition codes, or leave all alone. */
const definedStatus =
  /^(f(com|comp|compp|ucom|ucomp|ucompp|icom|icomp|tst|xam|prem|prem1|clex|nclex|ninit|nstsw|nsave|rstor|ldenv|xsave|xsave64|xrstor|xrstor64))$/;

/**
 * Bits of the x87 status word that are undefined after an instruction. Intel SDM volume 1, table 8-1: most change C1
 * alone and leave C0, C2, C3 undefined. FNSTENV, FNSTCW, FNCLEX and FWAIT leave all four undefined.
 */
export function undefinedStatus(text: string): number {
  const mnemonic = text.replace(/^\{\w+\} /, '').split(' ')[0] as string;
  const { C0, C1, C2, C3 } = conditionCodes;
  if (!mnemonic.startsWith('f') || definedStatus.test(mnemonic))
    return /^fn?clex$/.test(mnemonic) ? C0 | C1 | C2 | C3 : 0;
  if (/^(fnstenv|fnstcw|fldcw|fwait|fnop)$/.test(mnemonic)) return C0 | C1 | C2 | C3;
  if (mnemonic === 'ffree') return C0 | C1 | C2 | C3;
  return C0 | C2 | C3;
}
