/** What the dispatch loop of an observing processor does besides: nothing of it is emitted for a plain one. */
import * as L from '../state-layout.js';
import type { FunctionWriter } from '../wasm/encoder.js';

export interface Observation {
  /** Emits: the local `record` names the record that is executed. */
  readonly current: () => void;
  /** Emits: no record is executed, the instruction at RIP is fetched. */
  readonly fetching: () => void;
}

export function observation(f: FunctionWriter, record: number, observing: boolean): Observation {
  if (!observing) return { current: () => undefined, fetching: () => undefined };
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
  };
}
