/** What the dispatch loop of an observing processor does besides: nothing of it is emitted for a plain one. */
import * as L from '../state-layout.js';
import type { FunctionWriter } from '../wasm/encoder.js';

/** The record is the one that the loop's local `record` names. */
export interface Observation {
  /** Emits: it is the one that is executed, whatever calls the host. */
  readonly current: () => void;
  /** Emits: no record is executed, the instruction at RIP is fetched. */
  readonly fetching: () => void;
  // How often records are executed (execution-counts.ts):
  /** Emits: execution begins with it. */
  readonly begin: () => void;
  /** Emits: execution ends, and it was not executed. */
  readonly endBefore: () => void;
  /** Emits: execution ends with it. */
  readonly endBehind: () => void;
  /** Emits: hot code has counted its execution; that ends with one of the other two. */
  readonly performed: () => void;
}

const nothing = (): void => undefined;
const noObservation: Observation = {
  current: nothing,
  fetching: nothing,
  begin: nothing,
  endBefore: nothing,
  endBehind: nothing,
  performed: nothing,
};
const NEXT = L.RECORD_BYTES >>> L.PLACE_SHIFT;

export function observation(f: FunctionWriter, record: number, observing: boolean): Observation {
  if (!observing) return noObservation;
  const place = f.local('i32');
  /** Changes the place of the record, or the one behind it. */
  const change = (offset: number, by: number): void => {
    f.get(record);
    f.i32(L.PLACE_SHIFT);
    f.op(0x76); // shr_u
    f.i32(0);
    f.memory(0x28, L.PLACES);
    f.op(0x6a); // add
    f.tee(place);
    f.get(place);
    f.memory(0x28, offset);
    f.i32(by);
    f.op(0x6a); // add
    f.memory(0x36, offset);
  };
  return {
    current: () => {
      f.i32(0);
      f.get(record);
      f.memory(0x36, L.CURRENT_RECORD);
    },
    fetching: () => {
      f.i32(0);
      f.i32(0);
      f.memory(0x36, L.CURRENT_RECORD);
    },
    begin: () => {
      change(0, 1);
    },
    endBefore: () => {
      change(0, -1);
    },
    endBehind: () => {
      change(NEXT, -1);
    },
    performed: () => {
      change(NEXT, 1);
    },
  };
}
