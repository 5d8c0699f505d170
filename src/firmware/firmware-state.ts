import type { EventsState } from './events/events.js';
import type { HandleState } from './handles.js';
import type { ImagesState } from './images/images.js';
import type { MemoryRegion } from './memory/memory-map.js';
import type { NoExecutePlace } from './memory/no-execute.js';
import type { PoolState } from './memory/pool.js';
import type { TableAddresses } from './set-up/tables.js';
import type { StoredVariable } from './variables/variable-store.js';

/** A range that SetVirtualAddressMap gave a virtual address. */
export interface VirtualRange {
  readonly physical: number;
  readonly bytes: number;
  readonly virtual: bigint;
}

/** A service that was called although the profile lacks it. */
export interface MissedService {
  readonly name: string;
  readonly tick: number;
  readonly calls: number;
  /** The first built profile that has it; undefined when none has. */
  readonly profile: string | undefined;
}

/** Everything that a saved machine must keep of the firmware besides guest memory: plain JSON data. */
export interface FirmwareState {
  readonly memoryMap: { readonly regions: readonly MemoryRegion[]; readonly key: number };
  readonly pool: PoolState;
  readonly handles: HandleState;
  readonly variables: readonly StoredVariable[];
  readonly tables: TableAddresses;
  readonly imageHandle: string;
  readonly images: ImagesState;
  readonly imageReturn: string;
  readonly loadFile2: string;
  readonly bootServicesEnded: boolean;
  readonly events?: EventsState;
  readonly keys?: readonly number[];
  readonly textMode?: number;
  readonly waiting?: { readonly input: boolean };
  readonly virtualMap:
    readonly { readonly physical: number; readonly bytes: number; readonly virtual: string }[] | null;
  readonly missed: readonly { readonly name: string; readonly tick: number; readonly calls: number }[];
  readonly forcedCalls: Readonly<Record<string, number>>;
  readonly noExecute?: NoExecutePlace;
}
