import { layout } from '../memory/layout.js';
import { PAGE_BYTES, PageMemory } from './page-memory.js';

/** Which special page is what, from the first on. Xen tools/libs/guest/xg_dom_x86.c, SPECIALPAGE_*. */
export const SpecialPage = {
  paging: 0,
  access: 1,
  sharing: 2,
  bufferedIoreq: 3,
  xenstore: 4,
  ioreq: 5,
  identityPageTable: 6,
  console: 7,
} as const;

/** The frame number of a special page, as HVM parameters name it. */
export const specialFrame = (page: number): number => layout.specialPages / PAGE_BYTES + page;

/** The eight pages that the toolstack of Xen gives to an HVM or PVH domain beside its RAM: rings, mostly. */
export class SpecialPages extends PageMemory {
  constructor() {
    super(layout.specialPages, layout.specialPagesBytes / PAGE_BYTES);
  }
}
