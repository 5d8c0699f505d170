import { GuestAddressError } from '../memory/guest-memory.js';
import type { Domain } from './domain.js';
import { Errno } from './errno.js';
import type { AnyValues, Fields, GuestStruct, Values } from './guest-struct.js';
import type { XenHost, XenRegister } from './host.js';
import { Continuation, type Call, type Hypercall, type HypercallRecord, type Operation } from './hypercall.js';

/** Where the arguments are. xen/include/public/arch-x86/xen-x86_64.h and xen-x86_32.h. */
const wideRegisters: readonly XenRegister[] = ['rdi', 'rsi', 'rdx', 'r10', 'r8'];
const narrowRegisters: readonly XenRegister[] = ['rbx', 'rcx', 'rdx', 'rsi', 'rdi'];
/** So many unknown calls get a line in the log; a guest can name 2^64. */
const mostLogged = 256;
const RET = 0xc3;
const JMP = 0xe9; // to a return thunk

/** One call's view of the guest: structures in its ABI, at guest-linear addresses. */
class GuestCall implements Call {
  argument: AnyValues | undefined;
  readonly results: Record<string, string> = {};
  /** Bytes of the guest's memory that the call took and gave. */
  transferred = 0;

  constructor(
    readonly domain: Domain,
    private readonly host: XenHost,
    readonly registers: readonly bigint[],
    readonly wide: boolean,
    private readonly layout: GuestStruct | undefined,
    private readonly pointer: bigint,
  ) {}

  load(): Values<Fields> {
    if (this.layout === undefined) throw new Error('this operation has no structure');
    const values = this.readStruct(this.layout, this.pointer);
    this.argument = values;
    return values;
  }

  store(values: Values<Fields>): void {
    if (this.layout === undefined) throw new Error('this operation has no structure');
    this.writeStruct(this.layout, this.pointer, values);
    for (const [name, value] of Object.entries(values)) {
      if (this.argument?.[name] !== value) this.results[name] = hex(value);
    }
  }

  read(pointer: bigint, bytes: number): Uint8Array {
    this.transferred += bytes;
    return this.look(pointer, bytes);
  }

  private look(pointer: bigint, bytes: number): Uint8Array {
    return this.host.memory.readVirtual(this.linear(pointer), bytes, true);
  }

  write(pointer: bigint, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.transferred += bytes.length;
    const address = this.linear(pointer);
    this.host.memory.readVirtual(address, bytes.length, true); // RAM alone, else the guest would write to devices
    this.host.memory.writeVirtual(address, bytes);
  }

  readStruct<G extends Fields>(layout: GuestStruct<G>, pointer: bigint): Values<G> {
    return layout.decode(this.read(pointer, layout.size(this.wide)), this.wide);
  }

  writeStruct<G extends Fields>(layout: GuestStruct<G>, pointer: bigint, values: Values<G>): void {
    const size = layout.size(this.wide);
    const bytes = this.look(pointer, size); // what lies between the fields stays
    layout.encodeInto(bytes, values, this.wide);
    this.write(pointer, bytes);
  }

  show(name: string, text: string): void {
    this.results[name] = text;
  }

  private linear(pointer: bigint): bigint {
    return this.wide ? BigInt.asUintN(64, pointer) : BigInt.asUintN(32, pointer);
  }
}

/** Takes the guest's hypercalls apart, has them done and tells who listens. xen/arch/x86/hvm/hypercall.c. */
export class Dispatcher {
  onCall: ((record: HypercallRecord) => void) | undefined;
  private readonly byNumber: ReadonlyMap<number, Hypercall>;
  private readonly logged = new Set<string>();

  constructor(
    private readonly domain: Domain,
    private readonly host: XenHost,
    hypercalls: readonly Hypercall[],
  ) {
    this.byNumber = new Map(hypercalls.map((hypercall) => [hypercall.number, hypercall]));
  }

  /** The instruction that calls was executed: arguments and result are in the registers. */
  serve(): void {
    const { host } = this;
    const { mode } = host;
    if (mode === 'vm86' || (mode !== 'real' && host.cpl !== 0)) {
      host.setRegister('rax', BigInt.asUintN(64, BigInt(Errno.EPERM)));
      return;
    }
    const wide = mode === 'wide';
    const number = BigInt.asUintN(wide ? 64 : 32, host.getRegister('rax'));
    const registers = (wide ? wideRegisters : narrowRegisters).map((name) =>
      BigInt.asUintN(wide ? 64 : 32, host.getRegister(name)),
    );
    const result = this.call(number, registers, wide);
    if (result instanceof Continuation) {
      result.registers.forEach((value, i) => {
        const name = (wide ? wideRegisters : narrowRegisters)[i];
        if (name !== undefined) host.setRegister(name, BigInt.asUintN(wide ? 64 : 32, value));
      });
      host.repeat();
      return;
    }
    host.setRegister('rax', BigInt.asUintN(wide ? 64 : 32, result));
  }

  /** One call with its arguments; the result is signed. */
  call(number: bigint, registers: readonly bigint[], wide: boolean): bigint | Continuation {
    const hypercall = this.byNumber.get(Number(number));
    if (hypercall === undefined) {
      this.logUnknown(`hypercall ${String(number)}`);
      return this.tell(
        { number: Number(number), name: `hypercall ${String(number)}`, registers, unknown: true },
        Errno.ENOSYS,
      );
    }
    const selected = hypercall.select?.(registers);
    const operation = hypercall.operations.find((known) => known.number === (selected ?? 0));
    const name = operation?.name ?? `${hypercall.name} ${String(selected)}`;
    const facts = { number: hypercall.number, operation: selected, name, hypercall, registers };
    const refused = hypercall.check?.(this.domain, registers);
    if (refused !== undefined) return this.tell({ ...facts, unknown: false }, refused);
    if (operation === undefined) {
      this.logUnknown(`${hypercall.name}, operation ${String(selected)}`);
      return this.tell({ ...facts, unknown: true }, hypercall.otherwise ?? Errno.ENOSYS);
    }
    return this.run(operation, facts, wide);
  }

  /** Calls that were logged, so that a restored machine does not log them again. */
  save(): readonly string[] {
    return [...this.logged];
  }

  restore(logged: readonly string[]): void {
    this.logged.clear();
    for (const what of logged) this.logged.add(what);
  }

  private run(
    operation: Operation,
    facts: Facts & { readonly hypercall: Hypercall },
    wide: boolean,
  ): bigint | Continuation {
    const pointer = facts.registers[facts.hypercall.pointer ?? 1] ?? 0n;
    const call = new GuestCall(this.domain, this.host, facts.registers, wide, operation.argument, pointer);
    let result: bigint | number | Continuation;
    try {
      result = operation.run(call);
    } catch (error) {
      if (!(error instanceof GuestAddressError)) throw error;
      result = Errno.EFAULT;
    }
    if (result instanceof Continuation) return result; // told when it is done
    const { argument, results, transferred } = call;
    return this.tell({ ...facts, argument, results, transferred, unknown: false }, result);
  }

  private tell(facts: Facts & { readonly unknown: boolean }, result: number | bigint): bigint {
    const value = BigInt(result);
    this.onCall?.({
      number: facts.number,
      operation: facts.operation,
      name: facts.name,
      registers: facts.registers
        .slice(0, facts.hypercall?.registers.length ?? facts.registers.length)
        .map((register, i) => [facts.hypercall?.registers[i] ?? `argument ${String(i + 1)}`, register]),
      argument: facts.argument,
      results: facts.results ?? {},
      transferred: facts.transferred ?? 0,
      result: value,
      caller: this.caller(),
      tick: this.host.now(),
      unknown: facts.unknown,
    });
    return value;
  }

  /** Behind the instruction; where a stub returns there, where the stub returns to. */
  private caller(): bigint {
    const { host } = this;
    const [bytes, address] =
      host.mode === 'wide' ? [8, host.getRegister('rsp')] : [4, host.getRegister('rsp') & 0xffff_ffffn];
    try {
      const next = host.memory.readVirtual(host.rip, 1, true)[0];
      if (next !== RET && next !== JMP) return host.rip;
      const view = new DataView(host.memory.readVirtual(address, bytes, true).buffer);
      return bytes === 8 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
    } catch (error) {
      if (error instanceof GuestAddressError) return host.rip;
      throw error;
    }
  }

  private logUnknown(what: string): void {
    if (this.logged.has(what) || this.logged.size >= mostLogged) return;
    this.logged.add(what);
    this.host.log(`not implemented, as no domain tried so far needs it: ${what}; the guest gets -ENOSYS`);
  }
}

interface Facts {
  readonly number: number;
  readonly operation?: number | undefined;
  readonly name: string;
  readonly hypercall?: Hypercall;
  readonly registers: readonly bigint[];
  readonly argument?: AnyValues | undefined;
  readonly results?: Readonly<Record<string, string>>;
  readonly transferred?: number;
}

const hex = (value: number | bigint): string => (value < 10 ? String(value) : `0x${value.toString(16)}`);
