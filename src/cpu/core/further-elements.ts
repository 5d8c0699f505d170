import { PLACE_SHIFT, PLACES, RECORD_BYTES } from '../state-layout';

/**
 * An instruction with REP was charged for elements besides the first: for an observing processor each is an execution of
 * the record (src/cpu/execution-counts.ts).
 */
// @ts-ignore: decorator
@inline
export function countFurther(record: i32, elements: i32): void {
  const places = load<u32>(PLACES);
  if (!places) return;
  const place: u32 = places + (<u32>record >> PLACE_SHIFT);
  const next: u32 = place + (RECORD_BYTES >> PLACE_SHIFT);
  store<i32>(place, load<i32>(place) + elements);
  store<i32>(next, load<i32>(next) - elements);
}
