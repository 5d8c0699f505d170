import type { ReadKind } from '../surface-result.js';

/** A place of the guest's code that reads, in one phase. */
export interface ReadSite {
  readonly function: string;
  readonly phase: string;
  /** What its name or its instruction says of how it reads; undefined when that shows only in what it reads. */
  readonly kind: ReadKind | undefined;
}

/** What naming sites needs of a run. All of it is asked while the instruction is being executed. */
export interface SiteTarget {
  phase(): string;
  /** The function of an instruction, by its guest-linear address. */
  nameOf(instruction: bigint): string;
  /** Bytes of the instruction; undefined where they cannot be seen. */
  codeAt(instruction: bigint, bytes: number): Uint8Array | undefined;
  /** The 8 bytes at the top of the guest's stack. */
  stackTop(): bigint | undefined;
}

/** Functions that move bytes for others, and have no frame of their own: who called them is the news. */
const copying =
  /^(?:__)?(?:inline_)?(?:mem(?:cpy|move)|rep_movs|strn?cpy|strl(?:cpy|cat)|strscpy|sized_strscpy|kmemdup|copy_(?:from|to|user|mc))\w*$/;
/** Functions that go over all bytes for a sum or hash. */
const summing = /checksum|crc(?:16|32)|_csum|^sha(?:1|256)_/;

const prefixes: ReadonlySet<number> = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3]);
const longestInstruction = 15;

/** MOVSB, MOVSW, MOVSD, MOVSQ, with or without REP. Intel SDM volume 2, MOVS. */
export function isStringMove(code: Uint8Array): boolean {
  let at = 0;
  while (prefixes.has(code[at] ?? 0)) at++;
  if (((code[at] ?? 0) & 0xf0) === 0x40) at++; // REX
  return code[at] === 0xa4 || code[at] === 0xa5;
}

/** Names the code that touches what is watched, once a place and phase. */
export class ReadSites {
  private readonly sites = new Map<string, ReadSite>();

  constructor(private readonly target: SiteTarget) {}

  /** The site of an access that is being made. The same object for the same place. */
  of(instruction: bigint): ReadSite {
    const { target } = this;
    const phase = target.phase();
    const key = `${phase}:${instruction.toString(16)}`;
    const known = this.sites.get(key) ?? this.name(instruction, phase);
    this.sites.set(key, known);
    return copying.test(known.function) ? this.withCaller(known, key) : known;
  }

  private name(instruction: bigint, phase: string): ReadSite {
    const name = this.target.nameOf(instruction);
    const code = this.target.codeAt(instruction, longestInstruction);
    const copies = copying.test(name) || (code !== undefined && isStringMove(code));
    return { function: name, phase, kind: copies ? 'copy' : summing.test(name) ? 'sum' : undefined };
  }

  private withCaller(site: ReadSite, key: string): ReadSite {
    const caller = this.target.stackTop();
    if (caller === undefined) return site;
    const full = `${key}:${caller.toString(16)}`;
    const known = this.sites.get(full);
    if (known !== undefined) return known;
    const named = { ...site, function: `${site.function} for ${this.target.nameOf(caller)}` };
    this.sites.set(full, named);
    return named;
  }
}
