import type { ServiceCall } from './log/describe.js';
import type { FirmwareEvent } from './log/firmware-event.js';
import type { Overrides, Profile } from './profiles.js';
import type { CommitVariable, StoredVariable } from './variables/variable-store.js';

export interface FirmwareOptions {
  /** Which services exist; `proposal` when left out. */
  readonly profile?: Profile;
  readonly overrides?: Overrides;
  /** Poison what the ABI lets a firmware clobber, at each call. */
  readonly strict?: boolean;
  readonly variables?: readonly StoredVariable[];
  /** Makes each change of a non-volatile variable last before SetVariable returns. */
  readonly commitVariable?: CommitVariable;
  /** Called for each call of a gate, before the guest goes on. */
  readonly onCall?: (call: ServiceCall) => void;
  /** Called for what else happens, in the same order. */
  readonly onEvent?: (event: FirmwareEvent) => void;
}
