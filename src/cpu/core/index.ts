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
export { effectiveAddress, readOperand, writeOperand, xlat } from './operands';
export { cmps8, cmps16, cmps32, cmps64, lods8, lods16, lods32, lods64, movs8, movs16, movs32, movs64 } from './strings';
export { scas8, scas16, scas32, scas64, stos8, stos16, stos32, stos64 } from './strings';
export { div64, idiv64 } from './divide';
export { cmpxchg16b, cmpxchg8b } from './compare-exchange';
export { enter16, enter32, enter64, popMemory16, popMemory32, popMemory64 } from './stack-frames';
export { popAll16, popAll32, pushAll16, pushAll32 } from './stack-frames';
export { absorbFlags, deliverDebugTrap, materialiseFlags, resetProcessor } from './host-access';
export { undefinedInstruction, updateMode } from './mode';
export { readFlags, writeFlags } from './flags-register';
export { cli, popf16, popf32, popf64, pushf16, pushf32, pushf64, sti } from './flags-register';
export { deliverException } from './exceptions';
export { deliverInterrupt, int1, int3, intN, into } from './interrupts';
export { farCall32, farCall64, farCallDirect, farJump32, farJump64, farJumpDirect } from './far-transfers';
export { iretd, iretq, retfd, retfdImmediate, retfq, retfqImmediate } from './far-transfers';
export { movToSegment, swapgs } from './segments';
export { lds16, lds32, les16, les32, lfs16, lfs32, lfs64, lgs16, lgs32, lgs64, lss16, lss32, lss64 } from './segments';
export { movFromSegment16, movFromSegment32, movFromSegment64 } from './segments';
export { popSegment16, popSegment32, popSegment64, pushSegment16, pushSegment32, pushSegment64 } from './segments';
export { firmwareGate, hlt, lgdt, lidt, lldt, ltr, sgdt, sidt, verr, verw, wbinvd } from './system';
export { lar16, lar32, lar64, lsl16, lsl32, lsl64, sldt16, sldt32, sldt64, str16, str32, str64 } from './system';
export { clts, invlpg, lmsw, smsw16, smsw32, smsw64 } from './control-registers';
export { movFromControl, movFromDebug, movToControl, movToDebug } from './control-registers';
export { cpuid, rdmsr, rdpmc, rdrand16, rdrand32, rdrand64, rdtsc, rdtscp, wrmsr } from './msrs';
export { syscall, sysenter, sysexitd, sysexitq, sysretd, sysretq } from './syscalls';
export { inDx8, inDx16, inDx32, inImmediate8, inImmediate16, inImmediate32, ins8, ins16, ins32 } from './ports';
export { outDx8, outDx16, outDx32, outImmediate8, outImmediate16, outImmediate32, outs8, outs16, outs32 } from './ports';
export { checkFpu, checkFpuControl, checkMmx, checkSse } from './fpu-state';
export { emms, fldcw, fnclex, fninit, fnstcw, fnstsw, fnstswAx, fwait } from './fpu-state';
export { fxrstor, fxrstor64, fxsave, fxsave64, ldmxcsr, stmxcsr } from './fpu-state';
export { hotRead, hotWrite } from './hot-access';
export { enterMmx, maskmovdqu, maskmovq } from './sse-store';
export { sseApproximate, sseArithmetic, sseCompareFlags } from './sse-float';
export { sseConvertFormat, sseFromInteger, sseToIntegers, sseToMmx, sseToRegister } from './sse-float-convert';
export { x87Arithmetic, x87Compare } from './x87-arithmetic';
export { x87ConditionalMove, x87Constant, x87Exchange, x87Free, x87Load, x87Nothing, x87Rotate } from './x87-transfer';
export { x87Store, x87StoreRegister } from './x87-transfer';
export { x87Function } from './x87-functions';
export { x87Examine, x87Unary } from './x87-unary';
export { fldenv14, fldenv28, fnsave94, fnsave108, fnstenv14, fnstenv28, frstor94, frstor108 } from './x87-environment';
