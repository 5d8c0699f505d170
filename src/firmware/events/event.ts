/** EFI events as data. UEFI 2.10 section 7.1. */

/** EVT_*: kinds of events, which may be combined. UEFI 2.10 section 7.1.1. */
export const EventType = {
  timer: 0x8000_0000,
  notifyWait: 0x0000_0100,
  notifySignal: 0x0000_0200,
  signalExitBootServices: 0x0000_0201,
  signalVirtualAddressChange: 0x6000_0202,
} as const;

/** What a new event has beside what its creator says. */
export const quietEvent = { signaled: false, timer: undefined, forKey: false, asked: false } as const;

/** Task priority levels. UEFI 2.10 section 7.1.8. */
export const Tpl = { application: 4, callback: 8, notify: 16, highLevel: 31 } as const;

export interface EfiEvent {
  readonly type: number;
  readonly tpl: number;
  /** Guest-virtual; 0 for none. */
  readonly notify: bigint;
  readonly context: bigint;
  /** The GUID of its group. */
  readonly group: string | undefined;
  readonly signaled: boolean;
  /** The tick at which its timer is due, and ticks from one time to the next; 0 for a timer that fires once. */
  readonly timer: { readonly due: number; readonly period: number } | undefined;
  /** Signalled while a key waits: WaitForKey of the console. */
  readonly forKey: boolean;
  /** Its notification function was called since somebody began to check it. */
  readonly asked: boolean;
}
