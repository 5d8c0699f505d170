// Counts of efikit: the same guest on our machine, its counters read at the same marks.
import { readFileSync } from 'node:fs';
import { built, memoryMiB } from './settings.mjs';

const slice = 5_000_000; // ticks
const mostTicks = 20e9; // a boot takes one to two billion

/** Adds up what was retired since the last take, by address in hexadecimal. */
function countsOf(processor) {
  const { addresses, counts } = processor.takeCounts();
  const sums = new Map();
  for (let i = 0; i < addresses.length; i++) {
    const address = addresses[i].toString(16);
    sums.set(address, (sums.get(address) ?? 0) + counts[i]);
  }
  return sums;
}

/** Notes the counts at marks. */
class Reader {
  stretches = [];
  #before = 0;

  constructor(machine) {
    this.machine = machine;
  }

  /** Marks the point before the first execution of a guest-physical address. */
  at(name, physical) {
    const { processor } = this.machine;
    processor.setBreakpoint(physical, () => {
      processor.setBreakpoint(physical, undefined);
      this.take(name);
    });
  }

  take(name) {
    const { instructions, processor } = this.machine;
    this.stretches.push({
      name,
      address: processor.registers.rip.toString(16),
      instructions: instructions - this.#before,
      counts: countsOf(processor),
    });
    this.#before = instructions;
  }
}

function runToEnd(machine) {
  while (machine.outcome === undefined && machine.ticks < mostTicks) {
    machine.run(slice);
    if (machine.outcome === undefined && machine.idle) {
      const next = machine.idleUntil();
      if (next === undefined) throw new Error('the guest waits for ever');
      machine.skipTo(next);
    }
  }
}

/**
 * Points in the EFI stub: behind the calls between which it unpacks the kernel, and behind the one that ends boot services.
 * The stub runs identity-mapped.
 */
const stubMarks = {
  unpacking: ({ name, args }) => name === 'AllocatePages' && args.Type === 'AllocateAddress',
  unpacked: ({ name }) => name === 'LocateDevicePath',
  'exit-boot-services': ({ name, status }) => name === 'ExitBootServices' && status === 0n,
};

/** The processor identification of a QEMU without these: no deadline timer, and no leaf that tells the frequencies. */
function likeQemu(machine) {
  const { bus } = machine.processor;
  const own = bus.cpuid;
  const deadlineTimer = 1 << 24; // leaf 1, ECX
  bus.cpuid = (leaf, subleaf) => {
    const [eax, ebx, ecx, edx] = own(leaf, subleaf);
    if (leaf >>> 0 === 0x15) return [0, 0, 0, 0];
    return leaf >>> 0 === 1 ? [eax, ebx, (ecx & ~deadlineTimer) >>> 0, edx] : [eax, ebx, ecx, edx];
  };
}

/**
 * Boots a kernel to its first user instruction. `marks`: [{name, physical}]. With `asQemu` CPUID says what QEMU's says
 * where the kernel does other work for it. Answers the stretches, the image's place and
 * what was marked in it.
 */
export async function efikitKernel({ kernel, door, append, initrd, marks, asQemu = false, tier }) {
  const [{ readImage }, { ObservedBoot }, { linux }, { loadProcessorArtifacts }] = await Promise.all(
    ['loaders/read-image.js', 'probe/observed-boot.js', 'firmware/profiles.js', 'host/processor-artifacts.js'].map(
      (module) => import(built(module)),
    ),
  );
  const image = readImage(readFileSync(kernel));
  await image.prepare();
  const inStub = [];
  let text = '';
  let reader;
  const boot = ObservedBoot.start({
    artifacts: loadProcessorArtifacts(),
    door,
    image,
    profile: linux,
    strict: false,
    observing: true,
    ...(tier === undefined ? {} : { tier }),
    memoryBytes: memoryMiB * 2 ** 20,
    kernelPhases: false,
    options: { commandLine: append, modules: [], initrd: readFileSync(initrd) },
    until: 'user-space',
    observer: {
      console: (byte) => (text += String.fromCharCode(byte)),
      call: (call) => {
        const mark = Object.keys(stubMarks).find((name) => stubMarks[name](call));
        if (mark === undefined || inStub.some(({ name }) => name === mark)) return;
        inStub.push({ name: mark, address: call.caller });
        reader.at(mark, Number(call.caller));
      },
      phase: ({ name }) => {
        if (name === 'user-space') reader.take('user-space');
      },
    },
  });
  const { machine } = boot;
  if (asQemu) likeQemu(machine);
  reader = new Reader(machine);
  for (const { name, physical } of marks) reader.at(name, physical);
  const base = door === 'efi' ? machine.processor.registers.rip - BigInt(image.pe.entryPoint) : undefined;
  runToEnd(machine);
  const { outcome, reason } = boot.outcome ?? { outcome: 'limit' };
  if (outcome !== 'reached') throw new Error(`${kernel} through ${door} ended as ${outcome}: ${reason}`);
  return { stretches: reader.stretches, base, inStub, text };
}

/** Runs a bare guest from its PVH entry until it powers off; `end` is the address behind its last instruction. */
export async function efikitBare({ image: file, append, megabytes }) {
  const [{ readImage }, { Machine }, { pvh }, { loadProcessorArtifacts }] = await Promise.all(
    ['loaders/read-image.js', 'machine.js', 'boot/pvh.js', 'host/processor-artifacts.js'].map(
      (module) => import(built(module)),
    ),
  );
  const machine = new Machine({
    artifacts: loadProcessorArtifacts(),
    memoryBytes: megabytes * 2 ** 20,
    observing: true,
  });
  let text = '';
  machine.onConsole = (byte) => (text += String.fromCharCode(byte));
  const image = readImage(readFileSync(file));
  machine.boot(pvh, image, { commandLine: append, modules: [] });
  const entry = machine.processor.registers.rip;
  const reader = new Reader(machine);
  runToEnd(machine);
  reader.take('end');
  return { stretches: reader.stretches, entry, end: machine.processor.registers.rip, outcome: machine.outcome, text };
}
