/** What the probe `cost` writes into the JSON result: what a hypervisor pays for a door. */

/** Guest RAM that is not the guest's. */
export interface HeldMemory {
  /**
   * Who has it: `tables` (with handles and texts), `code`, `page tables`, `descriptor tables`, `stack`, `page 0`, `ACPI`,
   * `special pages`. The image and its modules are the guest's own.
   */
  readonly owner: string;
  /** EFI memory type; where the door has none, `ACPI`, `reserved`, or `RAM`, which the guest may take when it has read it. */
  readonly type: string;
  /** Whole pages, in bytes. */
  readonly bytes: number;
}

/** Lines of our code, without blank lines and comments. */
export interface CodeLines {
  /** `boot door`, `firmware`, `Xen`, `GetMemoryMap` ... */
  readonly name: string;
  readonly files?: number;
  /** Of its own. */
  readonly lines: number;
  /** With everything that it reaches in the same part; of services. */
  readonly behind?: number;
}

/** Code of the kernel, or of the loader in front of it, that serves this door and no other. */
export interface GuestStub {
  readonly what: string;
  readonly bytes: number;
  /** How it was told. */
  readonly by: string;
}

/** Of one door: `doors[].probes.cost`. */
export interface CostRecord {
  readonly memory: {
    /** At the image's entry. */
    readonly entry: readonly HeldMemory[];
    /** What the guest is never given: behind ExitBootServices, or by the door's map. */
    readonly after: readonly HeldMemory[];
  };
  readonly tables: {
    readonly count: number;
    readonly bytes: number; // what is laid out in front of the entry for the guest to read
  };
  readonly code: {
    /** Of what serves this door; undefined where the figures were not counted into this build. */
    readonly door?: readonly CodeLines[];
    readonly services?: readonly CodeLines[];
  };
  readonly stub: readonly GuestStub[];
}

/** Of all doors together: `joined.cost`. */
export interface CostJoined {
  readonly doors: readonly {
    readonly door: string;
    readonly heldAtEntry: number; // bytes
    readonly heldAfter: number;
    readonly tableBytes: number;
    readonly lines: number | null;
    readonly stubBytes: number | null;
  }[];
}
