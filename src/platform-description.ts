/** What stands around the processor, as data: Machine and Platform build from it, a snapshot keeps it. */
import { FadtBootArch } from '../firmware-tables/acpi/fadt.js';
import { buildAcpiTables } from './devices/acpi.js';
import type { AcpiTables } from './devices/acpi-builder.js';
import { buildXenAcpiTables } from './devices/acpi-xen.js';
import { pcMap, specialPagesRange, xenMap, type GuestMap } from './memory/guest-map.js';
import { layout } from './memory/layout.js';

/** What of the small PC a guest may do without. */
export const machineParts = ['io-apic', 'uart', 'pit', 'rtc', 'keyboard', 'sleep', 'reset'] as const;
export type MachinePart = (typeof machineParts)[number];

export interface PlatformDescription {
  /**
   * `uart`: the small PC with a serial port, its tables below 1 MiB. `xen`: what libxl gives to a PVH domain, a local
   * APIC and nothing else, the tables at 0xfc000000.
   */
  readonly devices: 'uart' | 'xen';
  /** Xen's special pages: 0xfeff8000 to 0xfeffffff. */
  readonly specialPages: boolean;
  /** The local APIC has x2APIC mode; CPUID has to say so. */
  readonly x2apic: boolean;
  /** Memory type range registers; CPUID has to say so. */
  readonly mtrr: boolean;
  /** FADT: VGA_NOT_PRESENT. */
  readonly noVga: boolean;
  /** FADT: CMOS_RTC_NOT_PRESENT. */
  readonly noRtc: boolean;
  /** Devices of the small PC that are taken out; none when left out. Nothing answers in their place. */
  readonly without?: readonly MachinePart[];
}

/** The platforms that have a name; others are these with a field changed: `{ ...platforms.xen, noVga: false }`. */
export const platforms = {
  uart: { devices: 'uart', specialPages: false, x2apic: false, mtrr: false, noVga: true, noRtc: true },
  xen: { devices: 'xen', specialPages: true, x2apic: true, mtrr: true, noVga: true, noRtc: true },
  /** The small PC for a guest that finds Xen: both consoles are there. */
  'xen-uart': { devices: 'uart', specialPages: true, x2apic: true, mtrr: true, noVga: true, noRtc: true },
} as const satisfies Readonly<Record<string, PlatformDescription>>;

/** What a door tells the guest of its addresses. */
export function mapOf({ devices, specialPages }: PlatformDescription): GuestMap {
  return { ...(devices === 'xen' ? xenMap : pcMap), reserved: specialPages ? [specialPagesRange] : [] };
}

/** The ACPI tables; at their addresses lies RAM or memory of the platform's own. */
export function acpiTablesOf({ devices, noVga, noRtc, without = [] }: PlatformDescription): AcpiTables {
  const bootArch = (noVga ? FadtBootArch.VGA_NOT_PRESENT : 0) | (noRtc ? FadtBootArch.CMOS_RTC_NOT_PRESENT : 0);
  if (devices === 'xen') return buildXenAcpiTables({ bootArch });
  const ioApic = without.includes('io-apic') ? undefined : layout.ioApic;
  return buildAcpiTables(layout.acpiTables, { localApic: layout.localApic, ioApic, bootArch });
}
