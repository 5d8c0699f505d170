import type { RamSizes } from '../memory/ram-map.js';
import type { ProcessorArtifacts } from './artifacts.js';
import type { CompileAfter } from './hot/tier.js';
import type { Touch } from './touch.js';
import type { ProcessorBus } from './types.js';

/** RAM in multiples of 4096 bytes, and the rest. */
export interface ProcessorOptions extends RamSizes {
  readonly artifacts: ProcessorArtifacts;
  readonly bus: ProcessorBus;
  /** Entries of each TLB, a power of two from 16 to DEFAULT_TLB_ENTRIES; only tests want few. */
  readonly tlbEntries?: number;
  /** When hot code is compiled; 'never' runs everything in the cold tier. */
  readonly compileAfter?: CompileAfter;
  /** The instruction that calls a hypervisor; the other one is #UD, and both are when left out. */
  readonly hypercall?: 'vmcall' | 'vmmcall';
  /** It knows what it executes: currentInstruction() and takeCounts(). The guest cannot tell. */
  readonly observing?: boolean;
  /** Called for each CPUID, RDMSR, WRMSR, port and MMIO access of the guest, when it is done. */
  readonly onTouch?: ((touch: Touch) => void) | undefined;
}
