import type { Domain } from './domain.js';
import type { AnyValues, Fields, GuestStruct, Values } from './guest-struct.js';

/** What an operation gets: the domain, the registers and the guest's memory through its page tables. */
export interface Call<F extends Fields = Fields> {
  readonly domain: Domain;
  /** The arguments in order; 32-bit callers have 32 bits of each. */
  readonly registers: readonly bigint[];
  /** The 64-bit ABI. */
  readonly wide: boolean;
  /** Reads the structure at the pointer argument; the log shows it. A bad pointer ends the call with -EFAULT. */
  load(): Values<F>;
  /** Stores the structure where it was read. */
  store(values: Values<F>): void;
  /** Bytes at a guest-linear address; a bad one ends the call with -EFAULT. */
  read(pointer: bigint, bytes: number): Uint8Array;
  write(pointer: bigint, bytes: Uint8Array): void;
  /** A structure at another address than the argument's. */
  readStruct<G extends Fields>(layout: GuestStruct<G>, pointer: bigint): Values<G>;
  writeStruct<G extends Fields>(layout: GuestStruct<G>, pointer: bigint, values: Values<G>): void;
  /** Adds a line to what the log says of the results. */
  show(name: string, text: string): void;
}

/** A result: 0 or more, or one of Errno. */
export type Result = number | bigint;

/**
 * Not done yet: the guest may take interrupts, executes the same instruction again, and the call goes on with these
 * arguments. hypercall_create_continuation() of Xen.
 */
export class Continuation {
  constructor(readonly registers: readonly bigint[]) {}
}

/** Elements of a list that one execution of the instruction does at most; Xen looks whether something else is due. */
export const elementsAtOnce = 512;

/** One sub-operation of a hypercall, or the whole of one that has none. */
export interface Operation {
  readonly number: number;
  /** The name in Xen's public headers. */
  readonly name: string;
  /** What the pointer argument points at. */
  readonly argument: GuestStruct | undefined;
  readonly run: (call: Call) => Result | Continuation;
}

/** A hypercall as data: the dispatcher, the log and the documentation read it. */
export interface Hypercall {
  readonly number: number;
  readonly name: string;
  /** Names of the arguments in their registers' order. */
  readonly registers: readonly string[];
  /** Which argument is the pointer of `Operation.argument`; 1 when left out. */
  readonly pointer?: number;
  /** The number of the sub-operation; absent where the hypercall has only one. */
  readonly select?: (registers: readonly bigint[]) => number;
  readonly operations: readonly Operation[];
  /** Checked before the sub-operation is looked at: a result ends the call. */
  readonly check?: (domain: Domain, registers: readonly bigint[]) => Result | undefined;
  /** What a sub-operation gets that is not listed; -ENOSYS when left out. */
  readonly otherwise?: number;
}

/** An operation with a structure behind its pointer. */
export function withStruct<const F extends Fields>(
  number: number,
  name: string,
  argument: GuestStruct<F>,
  run: (call: Call<F>) => Result | Continuation,
): Operation {
  return { number, name, argument: argument, run: run as (call: Call) => Result };
}

/** An operation whose arguments are in registers alone, or that reads memory itself. */
export function plain(number: number, name: string, run: Operation['run']): Operation {
  return { number, name, argument: undefined, run };
}

/** One made hypercall, as the log shows it. */
export interface HypercallRecord {
  readonly number: number;
  readonly operation: number | undefined;
  readonly name: string;
  readonly registers: readonly (readonly [name: string, value: bigint])[];
  readonly argument: AnyValues | undefined;
  readonly results: Readonly<Record<string, string>>;
  /** Bytes of guest memory that the call took and gave behind its pointers. */
  readonly transferred: number;
  readonly result: bigint;
  /** Guest-linear: where the call returns to. */
  readonly caller: bigint;
  readonly tick: number;
  /** Nothing in Xen answers this number or sub-operation. */
  readonly unknown: boolean;
}
