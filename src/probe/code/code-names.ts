import type { DoorName } from '../../boot/door-choice.js';
import type { Firmware } from '../../firmware/index.js';
import type { LoadedImage } from '../../loaders/image.js';
import type { AreaName, CodePlace } from './code-areas.js';
import { executionsOf, type CodeCounts } from './code-counts.js';
import type { Stretch } from './executed-code.js';
import type { KernelPlace } from '../../symbols/kernel-place.js';
import { subsystemOf } from './subsystems.js';

/** A function of the kernel, or what stands for one where there are no symbols. */
export interface CodeUnit {
  readonly name: string;
  readonly subsystem: string;
}

/** A unit in a stretch: how often its instructions were executed, and how many different ones. */
export interface CountedUnit extends CodeUnit {
  readonly instructions: number;
  readonly addresses: number;
}

/** Subsystems that are no part of the kernel proper. */
export const outsideKernel = {
  stub: 'EFI stub',
  decompressor: 'decompressor',
  image: 'image',
  firmware: 'firmware gates',
  user: 'user space',
  modules: 'modules',
  elsewhere: 'elsewhere',
} as const;

/** Names executed code by function, section or owner. */
export class CodeNames {
  private readonly units = new Map<number, CodeUnit>();

  constructor(
    private readonly door: DoorName,
    private readonly image: LoadedImage,
    private readonly kernel: KernelPlace | undefined,
    private readonly firmware: Firmware | undefined,
  ) {}

  /** `inBootServices`: code of a kernel's file is its EFI stub then, and its decompressor afterwards. */
  unit({ area, offset }: CodePlace, inBootServices: boolean): CodeUnit {
    switch (area) {
      case 'kernel':
        return this.kernelUnit(this.kernel?.functions.at(offset) ?? -1);
      case 'file':
        return this.fileUnit(this.sectionAt(offset), inBootServices);
      case 'firmware':
        return { name: this.gateName(offset >> 4), subsystem: outsideKernel.firmware };
      case 'application': {
        const name = this.door === 'proposal' ? 'proposal-linux' : 'another image';
        return { name, subsystem: name };
      }
      default:
        return { name: outsideKernel[area], subsystem: outsideKernel[area] };
    }
  }

  /** All units of a stretch, most executed first, with sums that are the stretch's. */
  unitsOf({ code, inBootServices }: Stretch): CountedUnit[] {
    const found = new Map<string, { unit: CodeUnit; instructions: number; addresses: number }>();
    const add = (unit: CodeUnit, instructions: number, addresses: number): void => {
      const key = `${unit.subsystem}\n${unit.name}`;
      const one = found.get(key) ?? { unit, instructions: 0, addresses: 0 };
      one.instructions += instructions;
      one.addresses += addresses;
      found.set(key, one);
    };
    this.eachFunction(code.kernel, (index, instructions, addresses) => {
      add(this.kernelUnit(index), instructions, addresses);
    });
    for (const area of ['file', 'application', 'firmware'] as const) {
      code[area].offsets.forEach((offset, i) => {
        add(this.unit({ area, offset }, inBootServices), code[area].counts[i] ?? 0, 1);
      });
    }
    for (const area of ['user', 'modules', 'elsewhere'] as const) {
      if (code[area].offsets.length === 0) continue;
      add(this.unit({ area, offset: 0 }, inBootServices), executionsOf(code[area]), code[area].offsets.length);
    }
    return [...found.values()]
      .map(({ unit, instructions, addresses }) => ({ ...unit, instructions, addresses }))
      .sort((a, b) => b.instructions - a.instructions || (a.name < b.name ? -1 : 1));
  }

  /** Walks over the kernel's functions that were executed. */
  eachFunction(code: CodeCounts, visit: (index: number, instructions: number, addresses: number) => void): void {
    const functions = this.kernel?.functions;
    if (functions === undefined) return;
    let i = 0;
    while (i < code.offsets.length) {
      const index = functions.at(code.offsets[i] ?? 0);
      const end = functions.startOf(index + 1);
      const first = i;
      let instructions = 0;
      for (; i < code.offsets.length && (code.offsets[i] ?? 0) < end; i++) instructions += code.counts[i] ?? 0;
      visit(index, instructions, i - first);
    }
  }

  kernelUnit(index: number): CodeUnit {
    const known = this.units.get(index);
    if (known !== undefined) return known;
    const name = this.kernel?.functions.name(index) ?? 'kernel';
    const unit = { name, subsystem: subsystemOf(name) };
    this.units.set(index, unit);
    return unit;
  }

  /** `start_kernel+0x12`: an offset in the kernel. */
  withOffset(offset: number): string {
    const functions = this.kernel?.functions;
    const index = functions?.at(offset) ?? -1;
    if (functions === undefined || index < 0) return `kernel+0x${offset.toString(16)}`;
    return `${functions.name(index)}+0x${(offset - functions.startOf(index)).toString(16)}`;
  }

  private fileUnit(section: string, inBootServices: boolean): CodeUnit {
    if (this.image.setup === undefined) return { name: section, subsystem: outsideKernel.image };
    const subsystem = inBootServices ? outsideKernel.stub : outsideKernel.decompressor;
    return { name: `${subsystem} ${section}`, subsystem };
  }

  /** The section of a PE, the segment of an ELF, by an offset in the file. */
  private sectionAt(offset: number): string {
    const section = this.image.pe?.sections.findLast(
      ({ fileOffset, fileSize }) => offset >= fileOffset && offset < fileOffset + fileSize,
    );
    if (section !== undefined) return section.name;
    return this.image.kind === 'elf' ? 'ELF' : 'code without a section';
  }

  private gateName(gate: number): string {
    return this.firmware?.slots.get(gate)?.name ?? `gate 0x${gate.toString(16)}`;
  }
}

/** Areas whose instructions stand at the same offsets on every run of the same image: what of a run can be compared. */
export const comparedAreas: readonly AreaName[] = ['kernel', 'file', 'application', 'firmware'];
