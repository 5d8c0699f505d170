/** What a guest touches of the machine besides memory, as it is told to whoever asks (MachineOptions.onTouch). */

export interface Touch {
  readonly kind: 'cpuid' | 'rdmsr' | 'wrmsr' | 'in' | 'out' | 'mmio-read' | 'mmio-write';
  /** CPUID leaf, MSR index, port, or guest-physical address. */
  readonly address: number;
  /** CPUID alone: ECX. */
  readonly subleaf?: number;
  /** Of ports and MMIO: width. Accesses of 8 bytes and unaligned ones outside RAM come in pieces. */
  readonly bytes?: 1 | 2 | 4;
  /** What was read or written. CPUID has `registers`, a read that faults nothing. */
  readonly value?: bigint;
  /** What CPUID gave: EAX, EBX, ECX, EDX. */
  readonly registers?: readonly [number, number, number, number];
  /** RDMSR and WRMSR that ended with #GP. */
  readonly fault?: true;
  /** Linear address of the instruction; where the processor does not observe, RIP, which may be off by some instructions. */
  readonly instruction: bigint;
}
