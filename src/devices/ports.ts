/** Every I/O port at which this machine answers. PC/AT assignments unless said otherwise. */
export const ports = {
  /** 8254 counters and control word; only counter 2 counts. */
  pit: 0x40,
  pitBytes: 4,
  /** System control port B: NMI status, speaker and timer 2 gate. */
  systemControlB: 0x61,
  /** Keyboard controller command and status: only its reset pulse. */
  keyboardController: 0x64,
  /** RTC index and data. Motorola MC146818A. */
  rtc: 0x70,
  rtcBytes: 2,
  /** First serial port. */
  com1: 0x3f8,
  com1Bytes: 8,
  /** SLEEP_CONTROL_REG and SLEEP_STATUS_REG, a choice of ours. ACPI 6.5 sections 4.8.3.7. */
  sleepControl: 0x600,
  sleepStatus: 0x604,
  /** Reset control register of PCI chipsets, named by the FADT's RESET_REG. */
  resetControl: 0xcf9,
} as const;

/** I/O APIC pin of COM1, as on every PC. */
export const com1Interrupt = 4;

/** ACPI's fixed hardware where Xen has it; nothing answers there in a PVH domain. Xen public/hvm/ioreq.h, tools/libacpi. */
export const xenAcpiPorts = {
  pm1Event: 0xb000,
  pm1EventBytes: 4,
  pm1Control: 0xb004,
  pm1ControlBytes: 2,
  gpe0: 0xafe0,
  gpe0Bytes: 4,
  pmTimer: 0xb008,
  processorBlock: 0xb010,
  processorBlockBytes: 6,
} as const;
