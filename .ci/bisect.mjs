// Finds the first tick at which two runs of one guest differ, and shows both states there.
//
//   node .ci/bisect.mjs IMAGE [--door pvh] [--append TEXT] [--initrd FILE] [--memory MIB] [--profile NAME]
//                       [--a JSON] [--b JSON] [--parts LIST] [--every TICKS] [--until TICK]
//
// --a, --b    the two configurations: MachineOptions as JSON; by default {"compileAfter":"never"} and {}
// --parts     what is compared, of processor,memory,devices,tlb; by default all, without tlb when --a and --b have
//             different tlbEntries
// --every     ticks between two comparisons of the first pass (1000000); each further pass starts again from the entry
//             and looks a hundred times closer, so that no slice but the last pass's comes near the difference
// --until     stop looking at this tick
//
// Exit status: 0 no difference, 1 a difference, 2 usage.
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { register } from 'tsx/esm/api';
import iced from 'iced-x86';

register();
const { doors } = await import('../src/boot/index.ts');
const { profiles } = await import('../src/firmware/index.ts');
const { loadProcessorArtifacts } = await import('../src/host/processor-artifacts.ts');
const { readImage } = await import('../src/loaders/read-image.ts');
const { Machine } = await import('../src/machine.ts');
const { machineState } = await import('../src/snapshot.ts');
const { generalRegisters, segmentNames } = await import('../src/cpu/types.ts');

const print = (line = '') => process.stdout.write(`${line}\n`);
const hex = (value) => `0x${BigInt(value).toString(16)}`;
const plain = (value) => JSON.stringify(value, (_key, v) => (typeof v === 'bigint' ? hex(v) : v));

function fail(message) {
  process.stderr.write(`bisect: ${message}\n`);
  process.exit(2);
}

function arguments_() {
  const text = (value) => ({ type: 'string', default: value });
  const options = {
    door: text('pvh'),
    append: text('console=ttyS0'),
    initrd: { type: 'string' },
    memory: text('512'),
    profile: text('linux'),
    a: text('{"compileAfter":"never"}'),
    b: text('{}'),
    parts: { type: 'string' },
    every: text('1000000'),
    until: text('Infinity'),
  };
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (positionals.length !== 1) fail('name one image');
    return { ...values, image: positionals[0], a: JSON.parse(values.a), b: JSON.parse(values.b) };
  } catch (error) {
    return fail(error.message);
  }
}

const args = arguments_();
const door = doors.find(({ name }) => name === args.door) ?? fail(`no door ${args.door}`);
const profile = profiles.find(({ name }) => name === args.profile) ?? fail(`no profile ${args.profile}`);
const parts = args.parts?.split(',') ?? [
  'processor',
  'memory',
  'devices',
  ...(args.a.tlbEntries === args.b.tlbEntries ? ['tlb'] : []),
];
const image = readImage(readFileSync(args.image));
await image.prepare();
const initrd = args.initrd === undefined ? undefined : readFileSync(args.initrd);
const artifacts = loadProcessorArtifacts();

function start(options) {
  const machine = new Machine({ artifacts, memoryBytes: Number(args.memory) * 2 ** 20, profile, ...options });
  machine.boot(door, image, { commandLine: args.append, modules: [], ...(initrd ? { initrd } : {}) });
  return machine;
}

/** Runs up to a tick; an idle guest's time is moved to its next timer. */
function runTo(machine, tick) {
  while (machine.outcome === undefined && machine.ticks < tick) {
    machine.run(tick - machine.ticks);
    if (!machine.idle) continue;
    const wake = machine.idleUntil();
    if (wake === undefined) return;
    machine.skipTo(Math.min(wake, tick));
  }
}

function differences(a, b) {
  const one = a.digest();
  const other = b.digest();
  const found = parts.filter((part) => one[part] !== other[part]);
  if (plain(a.outcome ?? null) !== plain(b.outcome ?? null) || a.ticks !== b.ticks) found.push('outcome');
  return found;
}

/** The first multiple of `every` above `from` at which the runs differ; undefined when they never do up to `to`. */
function look(from, to, every) {
  const a = start(args.a);
  const b = start(args.b);
  runTo(a, from);
  runTo(b, from);
  for (let tick = from; ; tick = Math.min(tick + every, to)) {
    runTo(a, tick);
    runTo(b, tick);
    const found = differences(a, b);
    if (found.length > 0) return { tick, found, a, b };
    if (tick >= to || (a.outcome !== undefined && b.outcome !== undefined)) return undefined;
    if (a.ticks < tick && b.ticks < tick) return undefined; // both wait for input
  }
}

/** A few instructions from RIP on. */
function disassemble(machine, count = 4) {
  const { registers } = machine.processor;
  const long = (registers.segment('cs').attributes & 0x2000) !== 0;
  const at = registers.rip + (long ? 0n : registers.segment('cs').base);
  let bytes;
  for (const length of [64, Number(4096n - (at & 0xfffn))]) {
    try {
      bytes ??=
        (registers.cr0 & 0x8000_0000n) !== 0n
          ? machine.memory.readVirtual(at, length)
          : machine.memory.readPhysical(Number(at), length);
    } catch (error) {
      if (length !== 64) return [`${hex(at)}  ${error.message}`];
    }
  }
  const decoder = new iced.Decoder(long ? 64 : 32, bytes, iced.DecoderOptions.None);
  decoder.ip = at;
  const formatter = new iced.Formatter(iced.FormatterSyntax.Intel);
  return Array.from({ length: count }, () => {
    const instruction = decoder.decode();
    return `${hex(instruction.ip)}  ${formatter.format(instruction)}`;
  });
}

function processorFacts({ processor, ticks, outcome }) {
  const { registers } = processor;
  const facts = { ticks, extraTicks: processor.extraTicks, halted: processor.halted, outcome: plain(outcome ?? null) };
  for (const name of ['rip', 'rflags', 'cr0', 'cr2', 'cr3', 'cr4', 'efer']) facts[name] = hex(registers[name]);
  facts.cpl = registers.cpl;
  for (const name of generalRegisters) facts[name] = hex(registers.get(name));
  for (const name of segmentNames) facts[name] = plain(registers.segment(name));
  for (const name of ['gdtr', 'idtr', 'ldtr', 'tr']) facts[name] = plain(registers[name]);
  const state = processor.state.fxsave();
  for (let i = 0; i < 32; i++)
    facts[`fxsave+${i * 16}`] = Buffer.from(state.subarray(i * 16, i * 16 + 16)).toString('hex');
  return facts;
}

function deviceFacts(machine) {
  const { events, random, platform, firmware } = machineState(machine);
  return Object.fromEntries(
    Object.entries({ events, random, ...platform, firmware }).map(([name, value]) => [name, plain(value)]),
  );
}

function showFacts(a, b) {
  for (const [name, value] of Object.entries(a)) {
    if (value === b[name]) continue;
    print(`  ${name}`);
    print(`    a ${value}`);
    print(`    b ${b[name]}`);
  }
}

function showMemory(a, b) {
  const pages = [...new Set([...a.processor.ramPages.written(), ...b.processor.ramPages.written()])].sort(
    (x, y) => x - y,
  );
  let shown = 0;
  for (const page of pages) {
    const one = a.processor.ramPages.page(page);
    const other = b.processor.ramPages.page(page);
    if (Buffer.compare(one, other) === 0) continue;
    const at = one.findIndex((byte, i) => byte !== other[i]) & ~7;
    if (shown++ === 8) return print('  ...');
    print(`  guest-physical ${hex(a.processor.ramPages.address(page) + at)}`);
    print(`    a ${Buffer.from(one.subarray(at, at + 16)).toString('hex')}`);
    print(`    b ${Buffer.from(other.subarray(at, at + 16)).toString('hex')}`);
  }
  return undefined;
}

let every = Number(args.every);
let low = 0;
let high = Number(args.until);
let found;
for (;;) {
  const result = look(low, high, every);
  if (result === undefined) {
    if (found === undefined) {
      print(`no difference in ${parts.join(', ')} (a ${plain(args.a)}, b ${plain(args.b)})`);
      process.exit(0);
    }
    print(
      `the difference in (${low}, ${high}] vanishes when the guest is stopped every ${every} ticks; this is as close as it gets`,
    );
    break;
  }
  found = result;
  process.stderr.write(`bisect: differs at tick ${result.tick} (${result.found.join(', ')}), looked every ${every}\n`);
  high = result.tick;
  low = Math.max(low, result.tick - every);
  if (every === 1 || result.tick === 0) break;
  every = Math.max(1, Math.floor(every / 100));
}

const { a, b } = found;
print(`first difference: tick ${found.tick}, in ${found.found.join(', ')}`);
print(`a ${plain(args.a)}`);
print(`b ${plain(args.b)}`);
const before = start(args.a);
runTo(before, Math.max(0, found.tick - 1));
print(`\nat tick ${before.ticks}, where they still agree, next in a:`);
for (const line of disassemble(before)) print(`  ${line}`);
for (const [name, machine] of [
  ['a', a],
  ['b', b],
]) {
  print(`at tick ${machine.ticks}, ${name}:`);
  for (const line of disassemble(machine)) print(`  ${line}`);
}
print('\nprocessor');
showFacts(processorFacts(a), processorFacts(b));
print('memory');
showMemory(a, b);
print('devices and firmware');
showFacts(deviceFacts(a), deviceFacts(b));
process.exit(1);
