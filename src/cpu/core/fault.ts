/** How helpers raise an exception: the FAULT_* fields, which deliverException() consumes. Intel SDM volume 3, 6.15. */
import {
  FAULT_ADDRESS,
  FAULT_ERROR,
  FAULT_HAS_ERROR,
  FAULT_PENDING,
  FAULT_VECTOR,
  STATUS_FAULT,
} from '../state-layout';

export const VECTOR_DE = 0;
export const VECTOR_DB = 1;
export const VECTOR_BP = 3;
export const VECTOR_OF = 4;
export const VECTOR_UD = 6;
export const VECTOR_NM = 7;
export const VECTOR_DF = 8;
export const VECTOR_TS = 10;
export const VECTOR_NP = 11;
export const VECTOR_SS = 12;
export const VECTOR_GP = 13;
export const VECTOR_PF = 14;
export const VECTOR_MF = 16;
export const VECTOR_XM = 19;

// Error code of a page fault. Intel SDM volume 3, 4.7.
export const PF_PRESENT = 1;
export const PF_WRITE = 2;
export const PF_USER = 4;
export const PF_RESERVED = 8;
export const PF_FETCH = 16;

/** Raises an exception; the answer is STATUS_FAULT, so that a helper can return it. */
export function raise(vector: i32, errorCode: u32, hasError: i32): i32 {
  store<u32>(FAULT_PENDING, 1);
  store<u32>(FAULT_VECTOR, vector);
  store<u32>(FAULT_ERROR, errorCode);
  store<u32>(FAULT_HAS_ERROR, hasError);
  return STATUS_FAULT;
}

/** Raises #PF; `address` becomes CR2 when it is delivered. Intel SDM volume 3, 6.15 (interrupt 14). */
export function raisePageFault(address: u64, error: u32): i32 {
  store<u64>(FAULT_ADDRESS, address);
  return raise(VECTOR_PF, error, 1);
}

/** #GP(0), or #SS(0) for an access on the stack segment: what a non-canonical address gets. Intel SDM volume 1, 3.3.7.1. */
export function raiseNonCanonical(stack: i32): i32 {
  return raise(stack ? VECTOR_SS : VECTOR_GP, 0, 1);
}

// @ts-ignore: decorator
@inline
export function faultPending(): bool {
  return load<u32>(FAULT_PENDING) != 0;
}
