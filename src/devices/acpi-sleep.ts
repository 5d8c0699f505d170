import type { PortDevice } from './device.js';
import { ports } from './ports.js';

/** SLP_TYP of the soft-off state: what the DSDT's \_S5 package says and the sleep register expects. */
export const softOffType = 5;
/** SLEEP_CONTROL_REG. ACPI 6.5 table 4.22. */
const Control = { typeShift: 2, typeMask: 7, enable: 1 << 5 } as const;

/**
 * SLEEP_CONTROL_REG and SLEEP_STATUS_REG of a hardware-reduced platform. ACPI 6.5 section 4.8.3.7. Soft-off is the only
 * sleeping state; the machine never wakes, so the status reads 0.
 */
export class AcpiSleep implements PortDevice {
  onUnsupported: (what: string) => void = () => undefined;

  constructor(private readonly powerOff: () => void) {}

  readPort(): number {
    return 0;
  }

  writePort(port: number, _bytes: 1 | 2 | 4, value: number): void {
    if (port !== ports.sleepControl || (value & Control.enable) === 0) return;
    const type = (value >> Control.typeShift) & Control.typeMask;
    if (type === softOffType) this.powerOff();
    else this.onUnsupported(`ACPI sleep type ${String(type)}: only \\_S5 (type ${String(softOffType)}) exists`);
  }
}
