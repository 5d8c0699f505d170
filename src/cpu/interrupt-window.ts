import * as L from './state-layout.js';

const TRAP_FLAG = 0x100n;
const INTERRUPT_FLAG = 0x200n;

/** What may come between two instructions, by the state in linear memory. Intel SDM volume 3, 6.8. */
export class InterruptWindow {
  constructor(private readonly view: DataView) {}

  trapFlag(): boolean {
    return (this.systemFlags() & TRAP_FLAG) !== 0n;
  }

  interruptFlag(): boolean {
    return (this.systemFlags() & INTERRUPT_FLAG) !== 0n;
  }

  /** The local APIC has a vector, IF is set, and the last instruction was neither STI nor MOV SS. */
  interruptsAllowed(now: number): boolean {
    return this.isWaiting() && this.interruptFlag() && !this.inShadow(now);
  }

  /** True while only one instruction may run before the host looks again. */
  oneStep(now: number): boolean {
    return this.trapFlag() || (this.isWaiting() && this.inShadow(now));
  }

  private isWaiting(): boolean {
    return this.view.getUint32(L.INTERRUPT_LINE, true) !== 0;
  }

  private inShadow(now: number): boolean {
    return this.view.getFloat64(L.SHADOW_TICK, true) === now;
  }

  private systemFlags(): bigint {
    return this.view.getBigUint64(L.FLAGS_SYSTEM, true);
  }
}
