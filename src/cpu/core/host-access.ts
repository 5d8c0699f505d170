/** What JavaScript asks of the processor between runs: reset, flags as a value, debug traps. */
import {
  CR0,
  CR4,
  DR6,
  DR7,
  FLAGS_AUX,
  FLAGS_RESULT,
  FLAGS_SYSTEM,
  FX,
  FX_MXCSR,
  MSR_MISC_ENABLE,
  MSR_PAT,
  SCRATCH,
  SHADOW_TICK,
} from '../state-layout';
import { deliverException } from './system/exceptions';
import { raise, VECTOR_DB } from './fault';
import { ALL_FLAGS, readFlags, writeFlags } from './system/flags-register';

const DR6_SINGLE_STEP: u64 = 0x4000;

/** RFLAGS to SCRATCH. */
export function materialiseFlags(): void {
  store<u64>(SCRATCH, readFlags());
}

/** RFLAGS from SCRATCH, every bit. */
export function absorbFlags(): void {
  writeFlags(load<u64>(SCRATCH), ALL_FLAGS);
}

/** The #DB trap after an instruction that began with TF set. Intel SDM volume 3, 17.3.1.4. 1 after a triple fault. */
export function deliverDebugTrap(): i32 {
  store<u64>(DR6, load<u64>(DR6) | DR6_SINGLE_STEP);
  raise(VECTOR_DB, 0, 0);
  return deliverException();
}

/** Registers as after INIT, as far as boot protocols do not set them. Intel SDM volume 3, table 9-1. */
export function resetProcessor(): void {
  store<u64>(FLAGS_SYSTEM, 2);
  store<u64>(FLAGS_RESULT, 1);
  store<u64>(FLAGS_AUX, 0);
  store<u64>(CR0, 0x11);
  store<u64>(CR4, 0);
  store<u64>(DR6, 0xffff_0ff0);
  store<u64>(DR7, 0x400);
  store<u16>(FX, 0x37f);
  store<u32>(FX_MXCSR, 0x1f80);
  store<u32>(FX_MXCSR + 4, 0xffff);
  store<u64>(MSR_PAT, 0x0007_0406_0007_0406);
  store<u64>(MSR_MISC_ENABLE, 1);
  store<f64>(SHADOW_TICK, -1);
}
