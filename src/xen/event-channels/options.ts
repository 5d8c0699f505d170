export interface EventChannelOptions {
  /** The domain's number; 1 when left out. */
  readonly domain?: number;
  /** The highest port; 1023 when left out, as libxl has it. */
  readonly maxPort?: number;
  /** Physical interrupts that the domain can name: GSIs and Xen's 32 for a domU. 56 when left out (one I/O APIC). */
  readonly pirqs?: number;
}
