import type { PortDevice } from './device.js';
import { ports } from './ports.js';

/** Keyboard controller command that pulses output line 0, the processor's reset. IBM PC/AT technical reference. */
const pulseReset = 0xfe;
/** Reset control register: bit 2 going from 0 to 1 resets. Intel ICH9 datasheet 13.7.5. */
const Reset = { system: 2, cpu: 4, full: 8 } as const;
/** What the FADT's RESET_VALUE tells the guest to write. */
export const resetValue = Reset.system | Reset.cpu;

/** The two ports at which a PC resets itself: the keyboard controller's pulse and the chipset's reset control. */
export class ResetPorts implements PortDevice {
  private control = 0;

  constructor(private readonly reset: () => void) {}

  /** The keyboard controller's status is 0: nothing to read, ready for a command, so that no guest polls. */
  readPort(port: number): number {
    return port === ports.resetControl ? this.control : 0;
  }

  writePort(port: number, _bytes: 1 | 2 | 4, value: number): void {
    if (port === ports.keyboardController) {
      if (value === pulseReset) this.reset();
      return;
    }
    const rises = (value & Reset.cpu) !== 0 && (this.control & Reset.cpu) === 0;
    this.control = value & (Reset.system | Reset.full); // bit 2 never stays: the reset clears it
    if (rises) this.reset();
  }

  save(): { readonly control: number } {
    return { control: this.control };
  }

  restore(state: { readonly control: number }): void {
    this.control = state.control;
  }
}
