/** What the processor core exports: the helpers that generated handlers, the dispatch loop and JavaScript call. */
export { raise, raisePageFault } from './fault';
export { loadPhysical, notifyPhysicalWrite, storePhysical } from './memory/physical';
export { dropAllWriteTags, dropWriteTags, flushAll, flushNonGlobalAndLowerHalf, flushPage } from './memory/tlb';
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
} from './memory/memory-access';
export { setSubFlags } from './integer/flags';
export { effectiveAddress, readOperand, writeOperand, xlat } from './integer/operands';
export { cmps8, cmps16, cmps32, cmps64, lods8, lods16, lods32, lods64, movs8, movs16, movs32, movs64 } from './integer/strings';
export { scas8, scas16, scas32, scas64, stos8, stos16, stos32, stos64 } from './integer/strings';
export { div64, idiv64 } from './integer/divide';
export { cmpxchg16b, cmpxchg8b } from './integer/compare-exchange';
export { enter16, enter32, enter64, popMemory16, popMemory32, popMemory64 } from './integer/stack-frames';
export { popAll16, popAll32, pushAll16, pushAll32 } from './integer/stack-frames';
export { absorbFlags, deliverDebugTrap, materialiseFlags, resetProcessor } from './host-access';
export { undefinedInstruction, updateMode } from './system/mode';
export { readFlags, writeFlags } from './system/flags-register';
export { cli, popf16, popf32, popf64, pushf16, pushf32, pushf64, sti } from './system/flags-register';
export { deliverException } from './system/exceptions';
export { deliverInterrupt, int1, int3, intN, into } from './system/interrupts';
export { farCall32, farCall64, farCallDirect, farJump32, farJump64, farJumpDirect } from './system/far-transfers';
export { iretd, iretq, retfd, retfdImmediate, retfq, retfqImmediate } from './system/far-transfers';
export { movToSegment, swapgs } from './system/segments';
export { lds16, lds32, les16, les32, lfs16, lfs32, lfs64, lgs16, lgs32, lgs64, lss16, lss32, lss64 } from './system/segments';
export { movFromSegment16, movFromSegment32, movFromSegment64 } from './system/segments';
export { popSegment16, popSegment32, popSegment64, pushSegment16, pushSegment32, pushSegment64 } from './system/segments';
export { firmwareGate, hlt, lgdt, lidt, lldt, ltr, sgdt, sidt, verr, verw, vmcall, vmmcall, wbinvd } from './system/system';
export { lar16, lar32, lar64, lsl16, lsl32, lsl64, sldt16, sldt32, sldt64, str16, str32, str64 } from './system/system';
export { clts, invlpg, lmsw, smsw16, smsw32, smsw64 } from './system/control-registers';
export { movFromControl, movFromDebug, movToControl, movToDebug } from './system/control-registers';
export { cpuid, rdmsr, rdpmc, rdrand16, rdrand32, rdrand64, rdtsc, rdtscp, wrmsr } from './system/msrs';
export { syscall, sysenter, sysexitd, sysexitq, sysretd, sysretq } from './system/syscalls';
export { inDx8, inDx16, inDx32, inImmediate8, inImmediate16, inImmediate32, ins8, ins16, ins32 } from './system/ports';
export { outDx8, outDx16, outDx32, outImmediate8, outImmediate16, outImmediate32, outs8, outs16, outs32 } from './system/ports';
export { checkFpu, checkFpuControl, checkMmx, checkSse } from './float/fpu-state';
export { emms, fldcw, fnclex, fninit, fnstcw, fnstsw, fnstswAx, fwait } from './float/fpu-state';
export { fxrstor, fxrstor64, fxsave, fxsave64, ldmxcsr, stmxcsr } from './float/fpu-state';
export { hotRead, hotWrite } from './memory/hot-access';
export { refreshWatched } from './memory/watch';
export { enterMmx, maskmovdqu, maskmovq } from './float/sse-store';
export { sseApproximate, sseArithmetic, sseCompareFlags, sseExact } from './float/sse-float';
export { sseConvertFormat, sseFromInteger, sseToIntegers, sseToMmx, sseToRegister } from './float/sse-float-convert';
export { x87Arithmetic, x87Compare } from './float/x87-arithmetic';
export { x87ConditionalMove, x87Constant, x87Exchange, x87Free, x87Load, x87Nothing, x87Rotate } from './float/x87-transfer';
export { x87Store, x87StoreRegister } from './float/x87-transfer';
export { x87Function } from './float/x87-functions';
export { x87Examine, x87Unary } from './float/x87-unary';
export { fldenv14, fldenv28, fnsave94, fnsave108, fnstenv14, fnstenv28, frstor94, frstor108 } from './float/x87-environment';
