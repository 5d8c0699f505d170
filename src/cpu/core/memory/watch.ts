/** Watched bytes of RAM: the host, who knows them exactly, is told of every access to granules that hold any. */
import {
  CODE_PAGES,
  PAGE_WATCHED,
  TLB_ENTRIES,
  TLB_ENTRY,
  TLB_INVALID,
  TLB_PHYSICAL,
  TLB_SUPERVISOR,
  TLB_TAG_READ,
  TLB_TAG_WRITE,
  TLB_WATCHED,
  WATCH_BITMAP,
  WATCH_GRANULE_SHIFT,
} from '../../state-layout';
import { watched } from '../host';
import { inRam } from './physical';

/** Whether any byte of the page of RAM with this number is watched. */
// @ts-ignore: decorator
@inline
export function pageIsWatched(page: u32): bool {
  return (load<u8>(<u32>CODE_PAGES + page) & PAGE_WATCHED) != 0;
}

function touchesWatched(place: u32, bytes: u32): bool {
  const last: u32 = (place + bytes - 1) >> WATCH_GRANULE_SHIFT;
  for (let granule: u32 = place >> WATCH_GRANULE_SHIFT; granule <= last; granule++) {
    if ((<u32>load<u8>(<u32>WATCH_BITMAP + (granule >> 3)) >> (granule & 7)) & 1) return true;
  }
  return false;
}

/** Tells the host of an access inside a page that is about to be made, if it is one to watched bytes. */
export function tellWatched(place: u64, bytes: i32, kind: u32): void {
  if (!inRam(place, bytes) || !pageIsWatched(<u32>(place >> 12))) return;
  if (touchesWatched(<u32>place, bytes)) watched(<u32>place, bytes, kind);
}

/**
 * Some pages are watched now, or are no longer: their entries in the data TLBs stay, so that the guest cannot tell, but
 * no fast path hits one that is watched.
 */
export function refreshWatched(): void {
  const tlbs: u32 = TLB_SUPERVISOR;
  for (let at: u32 = 0; at < 2 * TLB_ENTRIES * TLB_ENTRY; at += TLB_ENTRY) {
    const entry = tlbs + at;
    const tag: u64 = load<u64>(entry, TLB_TAG_READ);
    if (tag == TLB_INVALID) continue;
    if (pageIsWatched(load<u32>(entry, TLB_PHYSICAL) >> 12)) {
      store<u64>(entry, tag | TLB_WATCHED, TLB_TAG_READ);
      store<u64>(entry, TLB_INVALID, TLB_TAG_WRITE);
    } else {
      store<u64>(entry, tag & ~(<u64>TLB_WATCHED), TLB_TAG_READ);
    }
  }
}
