/** What the processor core exports: the helpers that generated handlers, the dispatch loop and JavaScript call. */
export { raise, raisePageFault } from './fault';
export { loadPhysical, notifyPhysicalWrite, storePhysical } from './physical';
export { dropAllWriteTags, dropWriteTags, flushAll, flushNonGlobalAndLowerHalf, flushPage } from './tlb';
export {
  fetchTranslate,
  fetchTranslateAt,
  load128Slow,
  loadForWriteSlow,
  loadSlow,
  loadSystem,
  prepareRead,
  prepareWrite,
  probeSystemWrite,
  store128Slow,
  storeSlow,
  storeSystem,
  translateSupervisor,
} from './memory-access';
export { setSubFlags } from './flags';
export { effectiveAddress, readOperand, writeOperand } from './operands';
export { cmps8, cmps16, cmps32, cmps64, lods8, lods16, lods32, lods64, movs8, movs16, movs32, movs64 } from './strings';
export { scas8, scas16, scas32, scas64, stos8, stos16, stos32, stos64 } from './strings';
