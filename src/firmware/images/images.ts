import type { FirmwareRegister } from '../host.js';

/** An image that LoadImage brought into memory. Addresses are guest-physical. */
export interface LoadedImage {
  readonly base: number;
  readonly pages: number;
  readonly entryPoint: number;
  /** Its EFI_LOADED_IMAGE_PROTOCOL. */
  readonly protocol: number;
  /** An application leaves memory when it ends, a driver only when it fails. */
  readonly application: boolean;
  readonly started: boolean;
}

/** What Exit gives back to the caller of StartImage besides RSP: RAX and what a callee keeps. UEFI 2.10 section 2.3.4.2. */
export const keptRegisters = ['rbx', 'rbp', 'rsi', 'rdi', 'r12', 'r13', 'r14', 'r15', 'rsp'] as const;

/** A started image and the call of StartImage that waits for its end. */
export interface RunningImage {
  readonly handle: bigint;
  readonly registers: Readonly<Record<(typeof keptRegisters)[number], bigint>>;
  /** Where StartImage's caller wants the exit data, guest-virtual; 0 for nowhere. */
  readonly exitDataSize: bigint;
  readonly exitData: bigint;
}

/** Registers with which the guest goes on, elsewhere than behind the gate's RET. */
export type Resumption = Readonly<Partial<Record<FirmwareRegister, bigint>>>;

export interface ImagesState {
  readonly loaded: readonly (readonly [string, LoadedImage])[];
  readonly running: readonly {
    readonly handle: string;
    readonly registers: Readonly<Record<string, string>>;
    readonly exitDataSize: string;
    readonly exitData: string;
  }[];
}

/** The images that LoadImage brought, and those of them that run, the innermost last. UEFI 2.10 section 7.4. */
export class Images {
  readonly loaded = new Map<bigint, LoadedImage>();
  readonly running: RunningImage[] = [];

  save(): ImagesState {
    const hex = (value: bigint): string => `0x${value.toString(16)}`;
    return {
      loaded: [...this.loaded].map(([handle, image]) => [hex(handle), { ...image }]),
      running: this.running.map(({ handle, registers, exitDataSize, exitData }) => ({
        handle: hex(handle),
        registers: Object.fromEntries(keptRegisters.map((name) => [name, hex(registers[name])])),
        exitDataSize: hex(exitDataSize),
        exitData: hex(exitData),
      })),
    };
  }

  restore(state: ImagesState): void {
    this.loaded.clear();
    for (const [handle, image] of state.loaded) this.loaded.set(BigInt(handle), { ...image });
    this.running.length = 0;
    for (const { handle, registers, exitDataSize, exitData } of state.running) {
      this.running.push({
        handle: BigInt(handle),
        registers: Object.fromEntries(
          keptRegisters.map((name) => [name, BigInt(registers[name] ?? 0)]),
        ) as RunningImage['registers'],
        exitDataSize: BigInt(exitDataSize),
        exitData: BigInt(exitData),
      });
    }
  }
}
