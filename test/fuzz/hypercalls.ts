import { fromHex } from '../../firmware-tables/hex.js';
import { GuestAddressError } from '../../src/memory/guest-memory.js';
import { Errno } from '../../src/xen/errno.js';
import type { AnyValues, GuestStruct } from '../../src/xen/guest-struct.js';
import { hypercalls } from '../../src/xen/hypercalls/index.js';
import { extremes, Generator, processorSeconds, type Fuzzer } from './generator.js';
import { besideRam, firstPlain, hypercallRamBytes, HypercallMachine, places } from './hypercall-machine.js';

const callsPerSession = 100;
const longestCall = 5; // seconds of the processor
const mostContinuations = 3; // of one call, before the guest is interrupted and does something else
const hypercallPageMsr = 0x4000_0000;
const operations = hypercalls.flatMap((hypercall) =>
  hypercall.operations.map((operation) => ({ hypercall, operation })),
);
const known: ReadonlySet<bigint> = new Set(Object.values(Errno).map((errno) => BigInt(errno)));

const far = [0n, 8n, 0x40n, 0x100n, 0xf80n, 0xfc0n, 0xff0n, 0xff8n, 0xfffn, 0x1000n, 0x1ff8n, -1n, -8n] as const;
const domains = [
  0x7ff0n,
  0x7ff0n,
  0x7ff0n,
  0x7ff0n,
  0x7ff0n,
  0x7ff0n,
  1n,
  1n,
  1n,
  0n,
  2n,
  0x7ff1n,
  0x7ff2n,
  0x7ff4n,
  0xffffn,
] as const;

/** Where the guest may write without a fault, mostly. */
const pointer = (choose: Generator): bigint =>
  choose.once(6)
    ? BigInt.asUintN(64, choose.pick(Object.values(places)) + choose.pick(far))
    : choose.once(20)
      ? choose.pick(extremes)
      : places.plain + BigInt(choose.below(0x600) * 8);

/** Frame numbers: of RAM, of Xen's pages, where there is nothing, and beyond. */
const frame = (choose: Generator): bigint => {
  switch (choose.below(8)) {
    case 0:
      return choose.pick(extremes);
    case 1:
      return 0xfeff8n + BigInt(choose.below(9));
    case 2:
      return 0xfee00n;
    case 3:
    case 4:
      return BigInt(besideRam / 4096 + choose.below(4));
    case 5:
      return BigInt(hypercallRamBytes / 4096 - choose.below(3));
    default:
      return BigInt(firstPlain / 4096 + 8 + choose.below(24));
  }
};

/** A plausible value of a field, by its name. */
function plausible(choose: Generator, name: string): bigint {
  if (/gfn|gpfn|mfn|pfn/.test(name)) return frame(choose);
  if (/dom/.test(name)) return choose.pick(domains);
  if (/port/.test(name)) return BigInt(choose.below(12));
  if (/time|ns$|period/.test(name)) return choose.pick([0n, 500n, 2000n, 1_000_000n, 5_000_000n, 1n << 40n, 1n << 62n]);
  if (/offset/.test(name)) return choose.pick([0n, 64n, 8n, 4n, 0xfc0n, 0xfb8n, 0xff8n]);
  if (/^nr_|count|size$/.test(name)) return BigInt(choose.once(3) ? 1 : choose.below(choose.once(8) ? 70000 : 20));
  if (/vector/.test(name)) return BigInt(choose.below(256));
  if (/index|virq|idx/.test(name)) return BigInt(choose.below(40));
  if (/vcpu/.test(name)) return BigInt(choose.once(4) ? 1 : 0);
  if (/extent_start|buffer|list|gpfns|idxs|errs|ports|^h$|addr/.test(name)) return pointer(choose);
  return BigInt(choose.below(8));
}

function field(choose: Generator, name: string): bigint {
  if (choose.once(12)) return choose.pick(extremes);
  if (choose.once(24)) return choose.bits() >> BigInt(choose.below(64));
  return plausible(choose, name);
}

function structure(choose: Generator, layout: GuestStruct, wide: boolean): Uint8Array {
  const bytes = choose.once(20) ? choose.bytes(layout.size(wide)) : new Uint8Array(layout.size(wide));
  const values: AnyValues = {};
  for (const name of Object.keys(layout.decode(bytes, wide))) values[name] = field(choose, name);
  layout.encodeInto(bytes, values, wide);
  return bytes;
}

/** What a guest does to its own memory; what it cannot write stays. */
function store(machine: HypercallMachine, at: bigint, bytes: Uint8Array): void {
  try {
    machine.memory.readVirtual(at, bytes.length, true);
    machine.memory.writeVirtual(at, bytes);
  } catch (error) {
    if (!(error instanceof GuestAddressError)) throw error;
  }
}

/** One hypercall with its structure in memory. */
function choice(choose: Generator, machine: HypercallMachine): { number: bigint; registers: bigint[] } {
  const wide = machine.mode === 'wide';
  if (choose.once(12)) {
    const number = choose.pick([
      BigInt(choose.below(64)),
      BigInt(choose.below(256)),
      choose.pick(extremes),
      choose.bits(),
    ]);
    return {
      number,
      registers: Array.from({ length: 5 }, () => field(choose, choose.pick(['h', 'port', 'gfn', 'x']))),
    };
  }
  const { hypercall, operation } = choose.pick(operations);
  const at = pointer(choose);
  const registers = hypercall.registers.map((name) => field(choose, name));
  while (registers.length < 5) registers.push(choose.bits());
  if (hypercall.select !== undefined) {
    const start = hypercall.number === 12 && choose.once(10) ? BigInt(choose.below(20)) << 6n : 0n;
    registers[0] = choose.once(15) ? BigInt(choose.below(64)) : BigInt(operation.number) | start;
  }
  registers[hypercall.pointer ?? 1] = at;
  if (operation.argument !== undefined) store(machine, at, structure(choose, operation.argument, wide));
  else if (choose.once(3)) store(machine, at, choose.bytes(8 + choose.below(64)));
  if (hypercall.number === 24 && !choose.once(8)) registers[1] = 0n;
  if (hypercall.number === 13) fillList(choose, machine, registers);
  if (hypercall.number === 21 && !choose.once(4)) registers[1] = 5n;
  if (choose.once(60)) registers[hypercall.pointer ?? 1] = choose.pick([places.aliases, places.highAliases]);
  return { number: BigInt(hypercall.number), registers };
}

/** Entries of a multicall, or a list that is one page again and again. */
function fillList(choose: Generator, machine: HypercallMachine, registers: bigint[]): void {
  const size = machine.mode === 'wide' ? 64 : 32;
  const hostile = choose.once(16);
  const at = hostile ? choose.pick([places.aliases, places.highAliases]) : places.plain + 0x2000n;
  const count = hostile ? 64 : 1 + choose.below(6);
  const word = (value: bigint): Uint8Array => {
    const bytes = new Uint8Array(size / 8);
    for (let i = 0; i < bytes.length; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 0xffn);
    return bytes;
  };
  for (let i = 0; i < count; i++) {
    const { number, registers: given } = hostile
      ? {
          number: BigInt(choose.pick([17, 29, 32, 12, 20])),
          registers: [BigInt(choose.below(10)), places.plain, 0xffff_ffffn],
        }
      : entry(choose, machine);
    [number, 0n, ...given.slice(0, 5)].forEach((value, k) => {
      store(machine, at + BigInt(i * size + (k * size) / 8), word(value));
    });
  }
  [registers[0], registers[1]] = [at, hostile ? choose.pick([64n, 0x1000_0000n, 0xffff_ffffn]) : BigInt(count)];
}

function entry(choose: Generator, machine: HypercallMachine): { number: bigint; registers: bigint[] } {
  const { hypercall, operation } = choose.pick(operations);
  const registers = hypercall.registers.map((name) => field(choose, name));
  if (hypercall.select !== undefined) registers[0] = BigInt(operation.number);
  const at = places.plain + 0x3000n + BigInt(choose.below(0x1c0) * 8);
  registers[hypercall.pointer ?? 1] = at;
  if (operation.argument !== undefined)
    store(machine, at, structure(choose, operation.argument, machine.mode === 'wide'));
  return { number: BigInt(hypercall.number), registers };
}

/** What happens between two calls. */
function between(choose: Generator, machine: HypercallMachine): void {
  const { domain } = machine;
  switch (choose.below(16)) {
    case 0: // garbage in a ring: the indices are at the end of what is used
      machine.special.write(
        0xfeff8000 + choose.pick([4, 7]) * 4096 + choose.pick([0, 1024, 2048, 3072, 4000]),
        choose.bytes(16 + choose.below(64)),
      );
      break;
    case 1: // in one of Xen's pages, wherever they are
      store(machine, choose.pick([places.sharedInfo, places.plain]) + BigInt(choose.below(0x2ff0)), choose.bytes(16));
      break;
    case 2:
      machine.memory.writePhysical(firstPlain + 8 * 4096 + choose.below(24 * 4096 - 64), choose.bytes(64));
      break;
    case 3:
    case 4:
      machine.nextEvent();
      break;
    case 5:
      domain.console.type(choose.bytes(1 + choose.below(40)));
      break;
    case 6:
      domain.writeMsr(hypercallPageMsr, choose.once(3) ? field(choose, 'x') : frame(choose) << 12n);
      break;
    case 7:
      if (domain.callbackVector() !== undefined) domain.resumed();
      break;
    case 8:
      machine.tscOffset = choose.bits() >> BigInt(choose.below(64));
      break;
    case 9:
      machine.mode = choose.pick(['wide', 'wide', 'narrow', 'real', 'vm86']);
      break;
    case 10:
      machine.cpl = choose.once(5) ? 3 : 0;
      break;
    case 11:
      domain.frames.readMmio(besideRam + choose.below(3 * 4096), choose.pick([1, 2, 4]));
      domain.frames.writeMmio(besideRam + choose.below(3 * 4096), choose.pick([1, 2, 4]), choose.below(2 ** 32));
      break;
    case 12:
      machine.tick += choose.pick([1, 1000, 1_000_000, 10_000_000_000]);
      break;
    default:
  }
}

/** What a kernel does first: the pages, vcpu_info, FIFO, vectors. Each of it at times. */
function prepare(choose: Generator, machine: HypercallMachine): void {
  const put = (text: string): void => {
    store(machine, places.plain, fromHex(text));
  };
  const le = (value: number | bigint, bytes: number): string =>
    Array.from({ length: bytes }, (_, i) =>
      Number((BigInt(value) >> BigInt(8 * i)) & 0xffn)
        .toString(16)
        .padStart(2, '0'),
    ).join('');
  const call = (number: number, ...registers: bigint[]): void => void machine.call(BigInt(number), registers);
  const gfn = choose.once(2) ? besideRam / 4096 : firstPlain / 4096 + 8;
  if (!choose.once(4)) {
    put(le(0x7ff0, 2) + le(0, 2) + le(0, 4) + le(0, 8) + le(gfn, 8));
    call(12, 7n, places.plain);
  }
  if (choose.once(2)) {
    put(le(gfn + 1, 8) + le(64, 4) + le(0, 4));
    call(24, 10n, 0n, places.plain);
  }
  if (choose.once(2)) {
    put(le(firstPlain / 4096 + 10, 8) + le(0, 8) + le(0, 8));
    call(32, 11n, places.plain);
    put(le(firstPlain / 4096 + 11, 8));
    call(32, 12n, places.plain);
  }
  if (choose.once(2)) {
    put(le(0, 4) + le(0xf3, 4));
    call(34, 23n, places.plain);
  }
}

/** One session; `restoring` puts the domain into a new one now and then. Answers what it came to. */
function run(machine: HypercallMachine, seed: number, restoring: boolean): Readonly<Record<string, string>> {
  const choose = new Generator(seed);
  const when = new Generator(seed + 1); // apart, lest restoring change what is called
  machine.begin();
  prepare(choose, machine);
  for (let i = 0; i < callsPerSession; i++) {
    for (let times = choose.below(3); times > 0; times--) between(choose, machine);
    if (restoring && when.once(12)) machine.saveAndRestore();
    const { number, registers } = choice(choose, machine);
    const what = `call ${String(i)}, ${machine.mode} ${String(number)}(${registers.map((value) => `0x${value.toString(16)}`).join(', ')})`;
    const started = processorSeconds();
    let result: bigint;
    try {
      result = machine.call(number, registers);
      for (let times = 0; machine.repeated && times < mostContinuations; times++) {
        if (restoring && when.once(2)) machine.saveAndRestore();
        result = machine.again();
      }
    } catch (error) {
      throw new Error(`${what}: ${String(error)}`, { cause: error });
    }
    const seconds = processorSeconds() - started;
    if (seconds > longestCall) throw new Error(`${what}: took ${seconds.toFixed(1)} s`);
    const bits = machine.mode === 'wide' || machine.mode === 'vm86' || machine.cpl !== 0 ? 64 : 32;
    const signed = BigInt.asIntN(bits, result);
    if (!machine.repeated && signed < 0n && !known.has(signed)) {
      throw new Error(`${what}: returned ${String(signed)}, no error of Xen`);
    }
  }
  machine.requireGuard();
  return machine.digest();
}

/**
 * Every hypercall with arguments of any kind, in every mode and state of the domain: one of Xen's errors comes back or
 * a result, no byte outside RAM and the domain's pages is touched, nothing takes long, the same calls always come to the
 * same, and a domain that was saved and restored goes on as one that was not.
 */
export function hypercallFuzzer(): Fuzzer {
  let machine: HypercallMachine | undefined;
  return {
    name: 'hypercalls',
    fixedInputs: 20_000,
    session(seed) {
      machine ??= new HypercallMachine();
      const first = run(machine, seed, false);
      const second = run(machine, seed, true);
      const parted = Object.keys({ ...first, ...second }).filter((part) => first[part] !== second[part]);
      if (parted.length > 0) {
        throw new Error(`a domain that was saved and restored came to another state: ${parted.join(', ')}`);
      }
      return 2 * callsPerSession;
    },
  };
}
