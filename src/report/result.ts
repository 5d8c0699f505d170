import type { Outcome } from '../machine.js';
import type { TypedBytes } from '../typed-input.js';
import type { Phase } from '../probe/phases.js';
import type { ServiceCount } from '../probe/service-log.js';

/** What `boot --json` writes. All but `wallSeconds` is the same on every run and every host. */
export interface BootResult {
  readonly efikit: string;
  readonly image: { readonly path: string; readonly sha256: string; readonly kind: string };
  readonly door: string;
  /** Absent for doors without firmware. */
  readonly profile?: string;
  readonly memory: number; // bytes
  readonly append: string;
  readonly outcome: Outcome['outcome'];
  readonly reason: string;
  readonly instructions: number;
  readonly virtualNanoseconds: number;
  readonly wallSeconds: number;
  readonly phases: readonly { readonly name: string; readonly instructions: number; readonly address: string }[];
  readonly services: readonly ServiceCount[];
  /** Of a guest under Xen, by name and result. */
  readonly hypercalls?: readonly ServiceCount[];
  /** What was typed at a terminal, by tick; absent when nothing was. `boot --replay` and Machine.replayInput() repeat it. */
  readonly typed?: readonly TypedBytes[];
  readonly console: string;
}

export const phaseRecords = (phases: readonly Phase[]): BootResult['phases'] =>
  phases.map(({ name, instructions, address }) => ({ name, instructions, address: `0x${address.toString(16)}` }));

/** Exit statuses of the commands. */
export const ExitStatus = { success: 0, guestFailed: 1, usage: 2, limit: 3, unusableInput: 4 } as const;
export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

/** The exit status that tells how a guest ended. */
export function exitStatusOf({ outcome, status }: Outcome): ExitStatus {
  switch (outcome) {
    case 'reached':
    case 'powered-off':
      return ExitStatus.success;
    case 'exited':
      return status === 0n ? ExitStatus.success : ExitStatus.guestFailed;
    case 'limit':
      return ExitStatus.limit;
    default:
      return ExitStatus.guestFailed;
  }
}

const verbs: Readonly<Record<Outcome['outcome'], string>> = {
  reached: 'stopped where --until says',
  'powered-off': 'the guest powered off',
  exited: 'the image called Exit',
  reset: 'the guest asked for a reset',
  halted: 'the guest halted for good',
  panicked: 'the guest panicked',
  'triple-fault': 'the guest ended in a triple fault',
  limit: 'stopped',
};

/** One line for people: how and why a run ended. */
export const outcomeLine = ({ outcome, reason }: Outcome): string => `${verbs[outcome]}: ${reason}`;
