import { describeResult, argumentTexts } from '../../xen/describe.js';
import { mapChange, type MapChange } from '../map-changes.js';
import { rangesOfEfi, type MemoryRange } from '../memory-ranges.js';
import { probe } from '../probe.js';
import { eventRecord, traceRecord } from '../service-log.js';

/** A firmware call, as docs/service-log.md describes it, and when it came. */
export interface CallRecord {
  readonly name: string;
  /** Of UEFI 2.10. */
  readonly section: string;
  /** Instructions retired before it. */
  readonly instructions: number;
  readonly tick: number;
  /** The phase in which it came. */
  readonly phase: string;
  readonly args: Readonly<Record<string, string>>;
  readonly results: Readonly<Record<string, string | readonly string[]>>;
  readonly status: string;
  readonly caller: string;
  readonly from?: string;
  readonly unserved?: string;
  /** What it changed in the memory map; absent when nothing. */
  readonly map?: MapChange;
}

/** A hypercall; of many, the later ones are only counted. */
export interface HypercallEntry {
  readonly name: string;
  readonly number: number;
  readonly instructions: number;
  readonly tick: number;
  readonly phase: string;
  readonly args: Readonly<Record<string, string>>;
  readonly results: Readonly<Record<string, string>>;
  readonly status: string;
  readonly caller: string;
  readonly from?: string;
}

/** What else happened between firmware and guest. */
export interface EventEntry {
  readonly event: string;
  readonly instructions: number;
  readonly details: Readonly<Record<string, string>>;
}

/** What this probe writes for a door. */
export interface CallsRecord {
  /** The EFI memory map at the entry, from which the changes go on; absent for doors without firmware. */
  readonly memoryMap?: readonly MemoryRange[];
  readonly calls: readonly CallRecord[];
  /** Firmware calls behind the last of `calls`, which are only counted. */
  readonly moreCalls: number;
  readonly hypercalls: readonly HypercallEntry[];
  /** Hypercalls behind the last of `hypercalls`. */
  readonly moreHypercalls: number;
  readonly events: readonly EventEntry[];
}

/** Calls that are written in full; what a boot makes is far below, a guest that calls in a loop is not. */
const most = 2000;

type Trace = Pick<CallRecord, 'name' | 'section' | 'tick' | 'args' | 'results' | 'status' | 'caller'> &
  Partial<Pick<CallRecord, 'from' | 'unserved'>>;

/** Every call between guest and firmware or hypervisor, with the memory map as it was then. UEFI 2.10 chapters 7 and 8. */
export const calls = probe<CallsRecord>({
  name: 'calls',
  question: 'What does the guest ask of the firmware, one call after the other?',
  start(run) {
    const { machine, firmware } = run;
    const made: CallRecord[] = [];
    const hypercalls: HypercallEntry[] = [];
    const events: EventEntry[] = [];
    let first: readonly MemoryRange[] | undefined;
    let map: readonly MemoryRange[] = [];
    let key: number | undefined;
    let moreCalls = 0;
    let moreHypercalls = 0;
    const changed = (): MapChange | undefined => {
      if (firmware === undefined || firmware.memoryMap.key === key) return undefined;
      key = firmware.memoryMap.key;
      const now = rangesOfEfi(firmware.memoryMap.entries());
      const change = mapChange(map, now);
      map = now;
      return change;
    };
    run.onMemoryMap((when) => {
      if (when !== 'entry') return;
      changed();
      first = map;
    });
    run.onCall((call, from) => {
      if (made.length >= most) {
        moreCalls++;
        return;
      }
      const { name, section, tick, args, results, status, caller, ...rest } = traceRecord(call, from()) as Trace;
      const { MemoryMap: list, ...others } = results; // the map itself stands beside the call
      const change = changed();
      made.push({
        ...{ name, section, instructions: machine.instructions, tick, phase: run.phase, args },
        results: Array.isArray(list) ? { ...others, MemoryMap: `${String(list.length)} entries` } : results,
        ...{ status, caller, ...rest },
        ...(change === undefined ? {} : { map: change }),
      });
    });
    run.onHypercall((record, from) => {
      if (hypercalls.length >= most) {
        moreHypercalls++;
        return;
      }
      const { name, number, tick, results, result, caller } = record;
      const who = from();
      hypercalls.push({
        ...{ name, number, instructions: machine.instructions, tick, phase: run.phase },
        ...{ args: argumentTexts(record), results, status: describeResult(result) },
        caller: `0x${caller.toString(16)}`,
        ...(who === undefined ? {} : { from: who }),
      });
    });
    run.onEvent((event) => {
      const { event: name, details } = eventRecord(event) as { event: string; details: EventEntry['details'] };
      events.push({ event: name, instructions: machine.instructions, details });
    });
    return () => ({
      ...(first === undefined ? {} : { memoryMap: first }),
      ...{ calls: made, moreCalls, hypercalls, moreHypercalls, events },
    });
  },
  record: (taken) => taken,
  show: () => [], // the table of services has the counts, --explain and the page have the calls
});
