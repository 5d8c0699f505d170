import type { DoorName } from '../boot/door-choice.js';
import type { CommitVariable, StoredVariable } from '../firmware/index.js';
import { VariableFile } from '../host/variable-file.js';
import { UsageError } from './errors.js';
import { shown } from './vars-text.js';

/** The variables of a boot with --vars. */
export interface BootStore {
  readonly variables: readonly StoredVariable[];
  readonly commitVariable: CommitVariable;
  close(): void;
}

/** --vars fits the door. Throws UsageError. */
export function checkStoreDoor(door: DoorName): void {
  if (door === 'efi' || door === 'proposal') return;
  throw new UsageError(`--vars: the door ${door} has no EFI variables; leave it out, or take --door efi`);
}

/** Takes a store for this run, and creates it when there is none. What cannot be stored is said. Throws StoreError. */
export function openBootStore(file: string, say: (line: string) => void): BootStore {
  const store = VariableFile.open(file);
  if (store.notice !== undefined) say(`${file}: ${store.notice}`);
  return {
    variables: store.all(),
    commitVariable: (change) => {
      const result = store.commit(change);
      if (result !== 'stored') {
        const status = result === 'no-space' ? 'EFI_OUT_OF_RESOURCES' : 'EFI_DEVICE_ERROR';
        say(`${shown(change.name)} is not stored in ${file}: ${store.failure ?? 'unknown'}; the guest gets ${status}`);
      }
      return result;
    },
    close: () => {
      store.close();
    },
  };
}
