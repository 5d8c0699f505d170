import type { ReadKind } from './result.js';

/** A place of the guest's code that reads, in one phase. */
export interface ReadSite {
  readonly function: string;
  readonly phase: string;
  /** What its name or its instruction says of how it reads; undefined when that shows only in what it reads. */
  readonly kind: ReadKind | undefined;
  /** It read a copy. */
  readonly ofCopy?: true;
  /** It copies from RSI to RDI, so that the copy can be followed. */
  readonly moves: boolean;
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
  /** Where the bytes go that are being read for a copy from RSI to RDI, guest-physical. */
  destinationOf(physical: number, bytes: number): number | undefined;
}

/** Functions that copy. */
const copying =
  /^(?:__)?(?:mem(?:cpy|move)\w*|rep_movs\w*|strn?cpy\w*|strl(?:cpy|cat)|(?:sized_)?strscpy|kmemdup\w*|copy_(?:from|to|user|mc)\w*)$/;
/** Functions that go over all bytes for a sum or hash. */
const summing = /checksum|crc(?:16|32)|_csum|^sha(?:1|256)_/;
/** Functions that search memory for something that might be anywhere. */
const searching =
  /^(?:reserve_ibft_region|dmi_(?:scan|present|smbios3_present)\w*|acpi_tb_scan_memory\w*|smp_scan_config|probe_roms|rom(?:signature|checksum))$/;
/** Functions that work for others and keep no frame, so that the stack's top says for whom. */
const helping = /^(?:__)?(?:mem(?:cpy|move|cmp|chr)(?:_orig|_erms)?|rep_movs\w*|str(?:n?cmp|n?len|n?cpy|n?casecmp))$/;
/** Of those, functions whose arguments stay in RSI and RDI. */
const moving = /^(?:__)?(?:mem(?:cpy|move)(?:_orig|_erms)?|rep_movs\w*)$/;

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
  private readonly onCopies = new Map<ReadSite, ReadSite>();

  constructor(private readonly target: SiteTarget) {}

  /** The site of an access that is being made. The same object for the same place. */
  of(instruction: bigint): ReadSite {
    const { target } = this;
    const phase = target.phase();
    const key = `${phase}:${instruction.toString(16)}`;
    const known = this.sites.get(key) ?? this.name(instruction, phase);
    this.sites.set(key, known);
    return helping.test(known.function) ? this.withCaller(known, key) : known;
  }

  /** The same place, reading a copy. */
  ofCopy(site: ReadSite): ReadSite {
    const known = this.onCopies.get(site) ?? { ...site, ofCopy: true };
    this.onCopies.set(site, known);
    return known;
  }

  private name(instruction: bigint, phase: string): ReadSite {
    const name = this.target.nameOf(instruction);
    const code = this.target.codeAt(instruction, longestInstruction);
    const isMove = code !== undefined && isStringMove(code);
    return { function: name, phase, kind: isMove ? 'copy' : kindOf(name), moves: isMove || moving.test(name) };
  }

  private withCaller(site: ReadSite, key: string): ReadSite {
    const caller = this.target.stackTop();
    if (caller === undefined) return site;
    const full = `${key}:${caller.toString(16)}`;
    const known = this.sites.get(full);
    if (known !== undefined) return known;
    const name = this.target.nameOf(caller);
    const named = name === nobody ? site : { ...site, function: `${site.function} for ${name}` };
    this.sites.set(full, named);
    return named;
  }
}

/** How an address is called that belongs to nobody who is known. */
export const nobody = 'elsewhere';

function kindOf(name: string): ReadKind | undefined {
  if (copying.test(name)) return 'copy';
  if (summing.test(name)) return 'sum';
  return searching.test(name) ? 'sweep' : undefined;
}
