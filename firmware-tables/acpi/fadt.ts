import { nested, struct, u16, u32, u64, u8, bytes } from '../layout.js';
import { GenericAddress } from './generic-address.js';
import { TableHeader } from './table-header.js';

/** Fixed ACPI Description Table, version 6.5. ACPI 6.5 section 5.2.9, table 5.9. */
export const Fadt = struct('Fadt', 276, [
  nested('Header', TableHeader), // signature "FACP"
  u32('FIRMWARE_CTRL'),
  u32('DSDT'), // physical; 0 when X_DSDT is given
  u8('Reserved0'),
  u8('Preferred_PM_Profile'),
  u16('SCI_INT'),
  u32('SMI_CMD'),
  u8('ACPI_ENABLE'),
  u8('ACPI_DISABLE'),
  u8('S4BIOS_REQ'),
  u8('PSTATE_CNT'),
  u32('PM1a_EVT_BLK'),
  u32('PM1b_EVT_BLK'),
  u32('PM1a_CNT_BLK'),
  u32('PM1b_CNT_BLK'),
  u32('PM2_CNT_BLK'),
  u32('PM_TMR_BLK'),
  u32('GPE0_BLK'),
  u32('GPE1_BLK'),
  u8('PM1_EVT_LEN'),
  u8('PM1_CNT_LEN'),
  u8('PM2_CNT_LEN'),
  u8('PM_TMR_LEN'),
  u8('GPE0_BLK_LEN'),
  u8('GPE1_BLK_LEN'),
  u8('GPE1_BASE'),
  u8('CST_CNT'),
  u16('P_LVL2_LAT'), // microseconds; above 100: not supported
  u16('P_LVL3_LAT'), // microseconds; above 1000: not supported
  u16('FLUSH_SIZE'),
  u16('FLUSH_STRIDE'),
  u8('DUTY_OFFSET'),
  u8('DUTY_WIDTH'),
  u8('DAY_ALRM'),
  u8('MON_ALRM'),
  u8('CENTURY'),
  u16('IAPC_BOOT_ARCH'),
  u8('Reserved1'),
  u32('Flags'),
  nested('RESET_REG', GenericAddress),
  u8('RESET_VALUE'),
  u16('ARM_BOOT_ARCH'),
  u8('FADTMinorVersion'),
  u64('X_FIRMWARE_CTRL'),
  u64('X_DSDT'), // physical
  nested('X_PM1a_EVT_BLK', GenericAddress),
  nested('X_PM1b_EVT_BLK', GenericAddress),
  nested('X_PM1a_CNT_BLK', GenericAddress),
  nested('X_PM1b_CNT_BLK', GenericAddress),
  nested('X_PM2_CNT_BLK', GenericAddress),
  nested('X_PM_TMR_BLK', GenericAddress),
  nested('X_GPE0_BLK', GenericAddress),
  nested('X_GPE1_BLK', GenericAddress),
  nested('SLEEP_CONTROL_REG', GenericAddress),
  nested('SLEEP_STATUS_REG', GenericAddress),
  bytes('HypervisorVendorIdentity', 8),
]);

/** Lengths of shorter versions, bytes: ACPI 1.0, and ACPI 5.0 (without HypervisorVendorIdentity). */
export const fadtBytes = { revision1: 116, revision5: 268 } as const;

/** Flags. ACPI 6.5 table 5.10. */
export const FadtFlag = {
  WBINVD: 1 << 0, // WBINVD works; must be set
  PROC_C1: 1 << 2, // HLT on every processor
  PWR_BUTTON: 1 << 4, // no fixed power button
  SLP_BUTTON: 1 << 5, // no fixed sleep button
  FIX_RTC: 1 << 6, // no RTC wake status in fixed registers
  TMR_VAL_EXT: 1 << 8, // the PM timer has 32 bits
  RESET_REG_SUP: 1 << 10,
  HEADLESS: 1 << 12, // no display, keyboard or mouse
  USE_PLATFORM_CLOCK: 1 << 15,
  HW_REDUCED_ACPI: 1 << 20,
} as const;

/** IAPC_BOOT_ARCH. ACPI 6.5 table 5.11. */
export const FadtBootArch = {
  LEGACY_DEVICES: 1 << 0,
  '8042': 1 << 1,
  VGA_NOT_PRESENT: 1 << 2,
  MSI_NOT_SUPPORTED: 1 << 3,
  CMOS_RTC_NOT_PRESENT: 1 << 5,
} as const;
