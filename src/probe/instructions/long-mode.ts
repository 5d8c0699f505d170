import { pageTablePages } from './page-tables.js';
import type { CodeUnit } from '../code/code-names.js';
import { comparedAreas } from '../code/code-names.js';
import type { ModeName, Stretch } from '../code/executed-code.js';
import type { ProbedRun } from '../probed-run.js';

/** Page tables as they stand at a point of the guest's way. */
export interface TablesAt {
  readonly at: string;
  /** Pages of 4 KiB behind CR3; 0 without paging. */
  readonly pages: number;
  /** Of these, pages that no table stood in at the points before. */
  readonly fresh: number;
  /** Who has run since the point before: firmware or door at the entry, then whatever code did. */
  readonly by: readonly string[];
}

/** Writes of a control register by a function, as often as it did. */
export interface ControlWrite extends CodeUnit {
  readonly register: string;
  readonly times: number;
}

/** How a guest comes to 64-bit mode, up to start_kernel: the common path at the latest. */
export interface LongModeWay {
  /** Instructions by mode, up to the kernel's entry and up to start_kernel. */
  readonly modes: readonly {
    readonly until: string;
    readonly instructions: Readonly<Partial<Record<ModeName, number>>>;
  }[];
  readonly pageTables: readonly TablesAt[];
  readonly controlWrites: readonly ControlWrite[];
}

const pointsOfInterest: readonly string[] = ['entry', 'exit-boot-services', 'kernel-entry', 'start_kernel'];
const lastPoint = 'start_kernel';
const paging = 1n << 31n; // CR0.PG
const longModeActive = 1n << 10n; // EFER.LMA

/** Watches the way of a run to 64-bit mode. */
export class LongModeWatch {
  private readonly modes = new Map<ModeName, number>();
  private readonly until: { until: string; instructions: Partial<Record<ModeName, number>> }[] = [];
  private readonly tables: TablesAt[] = [];
  private readonly writes = new Map<string, { unit: CodeUnit; register: string; times: number }>();
  private readonly seen = new Set<number>();
  private ran = new Set<string>();
  private isOver = false;

  constructor(private readonly run: ProbedRun) {}

  stretch(stretch: Stretch): void {
    if (this.isOver) return;
    for (const [mode, count] of stretch.modes) this.modes.set(mode, (this.modes.get(mode) ?? 0) + count);
    const { code, names } = this.run;
    for (const area of comparedAreas) {
      stretch.code[area].offsets.forEach((offset, i) => {
        const register = controlRegisterOf(code.bytesAt({ area, offset }, 4));
        const unit = names.unit({ area, offset }, stretch.inBootServices);
        this.ran.add(unit.subsystem);
        if (register !== undefined) this.wrote(register, unit, stretch.code[area].counts[i] ?? 0);
      });
    }
  }

  phase(name: string): void {
    if (this.isOver || !pointsOfInterest.includes(name)) return;
    const { door, machine } = this.run;
    const { cr0, cr3, efer } = machine.processor.registers;
    const isLong = (cr0 & paging) !== 0n && (efer & longModeActive) !== 0n;
    const read = (address: number, length: number): Uint8Array => machine.memory.readPhysical(address, length);
    const pages = isLong ? pageTablePages(read, cr3) : new Set<number>();
    const fresh = [...pages].filter((page) => !this.seen.has(page));
    for (const page of fresh) this.seen.add(page);
    const layer = door === 'efi' || door === 'proposal' ? 'firmware' : 'hypervisor';
    this.tables.push({
      at: name,
      pages: pages.size,
      fresh: fresh.length,
      by: name === 'entry' ? [layer] : [...this.ran],
    });
    this.ran = new Set();
    if (name === 'kernel-entry' || name === lastPoint)
      this.until.push({ until: name, instructions: Object.fromEntries(this.modes) });
    this.isOver = name === lastPoint;
  }

  result(): LongModeWay {
    return {
      modes: this.until,
      pageTables: this.tables,
      controlWrites: [...this.writes.values()].map(({ unit, register, times }) => ({ register, ...unit, times })),
    };
  }

  private wrote(register: string, unit: CodeUnit, times: number): void {
    const key = `${register} ${unit.subsystem} ${unit.name}`;
    const one = this.writes.get(key) ?? { unit, register, times: 0 };
    one.times += times;
    this.writes.set(key, one);
  }
}

/** MOV to a control register: 0F 22 /r, behind a REX prefix or none. Intel SDM volume 2. */
export function controlRegisterOf(bytes: Uint8Array | undefined): string | undefined {
  const start = ((bytes?.[0] ?? 0) & 0xf0) === 0x40 ? 1 : 0;
  if (bytes?.[start] !== 0x0f || bytes[start + 1] !== 0x22) return undefined;
  const extended = start === 1 && ((bytes[0] ?? 0) & 4) !== 0 ? 8 : 0; // REX.R
  return `CR${String((((bytes[start + 2] ?? 0) >> 3) & 7) + extended)}`;
}
