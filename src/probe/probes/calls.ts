import { describeResult, argumentTexts } from '../../xen/describe.js';
import type { CallRecord, CallsRecord, EventEntry, HypercallEntry } from '../calls/result.js';
import { mapChange, type MapChange } from '../memory-maps/changes.js';
import type { MemoryRange } from '../memory-maps/range.js';
import { rangesOfEfi } from '../memory-maps/ranges.js';
import { probe } from '../probe.js';
import { eventRecord, traceRecord } from '../service-log.js';

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
