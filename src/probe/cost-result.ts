/** What the probe `cost` writes into the JSON result: what a hypervisor pays for a door. */

/** Guest RAM that is not the guest's. */
export interface HeldMemory {
  /** Who has it: `tables`, `pool`, `code`, `page tables`, `stack`, `descriptor tables`, `ACPI`, `modules`, `special pages`, `image`. */
  readonly owner: string;
  /** EFI memory type, or the type in the map of the door; `RAM` where the map does not tell it apart. */
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
    /** Behind ExitBootServices; at the end of the run where the door has none. */
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
