// Two counts side by side: totals by stretch, functions that differ, and what of the difference has a cause with a name.
import { causes } from './causes.mjs';

/** What a fault enters: QEMU counts the instruction that faults, we do not. arch/x86/include/asm/idtentry.h, head_64.S. */
const faultEntries = [
  'early_idt_handler_common',
  'asm_exc_page_fault',
  'asm_exc_general_protection',
  'asm_exc_invalid_op',
  'asm_exc_device_not_available',
  'asm_exc_stack_segment',
  'asm_exc_divide_error',
];
const timerEntry = 'asm_sysvec_apic_timer_interrupt';

/** Names of what is at a common address of machines.mjs: a function of the kernel, the EFI stub, the firmware. */
export class Names {
  #known = new Map();
  #addresses = new Map();

  constructor(symbols) {
    this.symbols = symbols;
  }

  of(address) {
    if (address === 'firmware') return address;
    if (address.startsWith('image+')) return 'EFI stub';
    let name = this.#known.get(address);
    if (name === undefined) {
      name = this.symbols.nearest(BigInt(`0x${address}`))?.symbol.name ?? `0x${address}`;
      this.#known.set(address, name);
    }
    return name;
  }

  /** The hexadecimal address of a symbol; undefined when there is none. */
  addressOf(symbol) {
    if (!this.#addresses.has(symbol)) this.#addresses.set(symbol, this.symbols.find(symbol)?.address.toString(16));
    return this.#addresses.get(symbol);
  }
}

const sum = (values) => values.reduce((total, value) => total + value, 0);
const executed = (counts, names, symbol) => counts.get(names.addressOf(symbol)) ?? 0;

/** What a stretch counts for the guest's own instructions: without the firmware, and without what faulted. */
function figuresOf(stretch, names, { countsFaults }) {
  const { counts } = stretch;
  const faults = sum(faultEntries.map((entry) => executed(counts, names, entry)));
  return {
    retired: sum([...counts.values()]) - (counts.get('firmware') ?? 0) - (countsFaults ? faults : 0),
    faults,
    timer: executed(counts, names, timerEntry),
    ...(stretch.lastPasses === undefined ? {} : { lastPasses: stretch.lastPasses }),
  };
}

function byFunction(stretches, names) {
  const functions = new Map();
  for (const { counts } of stretches) {
    for (const [address, count] of counts) {
      const name = names.of(address);
      if (name !== 'firmware') functions.set(name, (functions.get(name) ?? 0) + count);
    }
  }
  return functions;
}

/** Functions with different counts, the largest difference first. */
function differences(ours, qemu) {
  return [...new Set([...ours.keys(), ...qemu.keys()])]
    .map((name) => ({ name, ours: ours.get(name) ?? 0, qemu: qemu.get(name) ?? 0 }))
    .filter((one) => one.ours !== one.qemu)
    .sort((a, b) => Math.abs(b.qemu - b.ours) - Math.abs(a.qemu - a.ours));
}

/** Differences under the causes that name their functions; `rest` has those that none names. */
function explained(functions) {
  const named = new Map(causes.map(({ name }) => [name, { name, ours: 0, qemu: 0, functions: [] }]));
  const rest = [];
  for (const one of functions) {
    const cause = causes.find(({ functions: pattern }) => pattern.test(one.name));
    if (cause === undefined) rest.push(one);
    else {
      const entry = named.get(cause.name);
      entry.ours += one.ours;
      entry.qemu += one.qemu;
      entry.functions.push(one.name);
    }
  }
  return {
    causes: [...named.values()]
      .filter(({ functions: found }) => found.length > 0)
      .map((entry) => ({ ...entry, functions: entry.functions.slice(0, 8) })),
    rest: {
      ours: sum(rest.map((one) => one.ours)),
      qemu: sum(rest.map((one) => one.qemu)),
      functions: rest.slice(0, 12),
    },
  };
}

/** The parts of a boot: from the first mark's stretch to the one that ends at the mark. */
function parts(stretches) {
  const end = stretches.findIndex(({ name }) => name === 'start_kernel') + 1;
  return { early: stretches.slice(0, end), late: stretches.slice(end) };
}

/** One boot as results.json keeps it. Marks that one side did not pass are an error: the stretches would not compare. */
export function compared({ ours, alike, qemu }, names) {
  const orderOf = (stretches) => stretches.map(({ name }) => name).join(' ');
  const orders = new Set([ours, alike, qemu].map(orderOf));
  if (orders.size !== 1)
    throw new Error(`the machines passed the marks in different orders: ${[...orders].join('; ')}`);
  const stretches = ours.map((stretch, index) => ({
    name: stretch.name,
    ours: figuresOf(stretch, names, { countsFaults: false }),
    alike: figuresOf(alike[index], names, { countsFaults: false }),
    qemu: figuresOf(qemu[index], names, { countsFaults: true }),
    mostly: differences(byFunction([alike[index]], names), byFunction([qemu[index]], names)).slice(0, 4),
  }));
  const [mine, theirs] = [parts(alike), parts(qemu)];
  const functions = Object.fromEntries(
    Object.keys(mine).map((part) => [
      part,
      explained(differences(byFunction(mine[part], names), byFunction(theirs[part], names))),
    ]),
  );
  return { stretches, functions };
}

const retired = (stretches, names) =>
  sum(stretches.map((one) => figuresOf(one, names, { countsFaults: true }).retired));

/** Two runs of QEMU that differ in one setting: their totals from start_kernel on, and the functions behind the difference. */
export function variation(usual, other, names) {
  const [before, after] = [parts(usual).late, parts(other).late];
  return {
    usual: retired(before, names),
    other: retired(after, names),
    mostly: differences(byFunction(before, names), byFunction(after, names))
      .slice(0, 3)
      .map(({ name, ours, qemu }) => ({ name, usual: ours, other: qemu })),
  };
}

/** One stretch instruction by instruction: how many have equal counts, and those that have not. */
export function instructionByInstruction(ours, qemu, belongs) {
  const addresses = [...new Set([...ours.counts.keys(), ...qemu.counts.keys()])].filter(belongs);
  const all = addresses.map((address) => ({
    address,
    ours: ours.counts.get(address) ?? 0,
    qemu: qemu.counts.get(address) ?? 0,
  }));
  const differing = all.filter((one) => one.ours !== one.qemu);
  return {
    addresses: all.length,
    ours: sum(all.map((one) => one.ours)),
    qemu: sum(all.map((one) => one.qemu)),
    differing: differing.sort((a, b) => (a.address < b.address ? -1 : 1)),
  };
}
