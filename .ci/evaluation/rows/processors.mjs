// "Secondary processors: by a PV interface or as bare metal". The machine has one processor, so what is measured is what a kernel does
// to start a second one that the MADT promises, until nothing answers; and the size of what the PV interface wants.
import { Buffer } from 'node:buffer';
import { built, efikit, kernelImage, lastLines, said } from './machine.mjs';

const { loadProcessorArtifacts, noInput, runMachine } = await built('src/node.js');
const artifacts = loadProcessorArtifacts();

const memoryBytes = 512 * 2 ** 20;
const headerBytes = 36; // of every ACPI table. ACPI 6.5 section 5.2.6
const localApicEntryBytes = 8; // MADT entry type 0. ACPI 6.5 section 5.2.12.2

/** How a processor is started by VCPUOP_initialise and VCPUOP_up. Xen public/vcpu.h, public/hvm/hvm_vcpu.h. */
const hypercallWay = {
  hypercalls: ['vcpu_op.VCPUOP_initialise', 'vcpu_op.VCPUOP_up'],
  perProcessor: 2,
  // vcpu_hvm_context: mode and padding, then the larger of the two states, that of 32-bit mode.
  structureBytes: 8 + Math.max(32 + 4 + 4 + 12 + 4 + 8 + 5 * 4 + 5 * 4 + 5 * 2 + 6, 14 * 8),
  fields32: 8 + 6 + 15,
  fields64: 14,
  startsIn: '32-bit protected or 64-bit mode, with registers as the caller wants them: no trampoline below 1 MiB',
};

const checksum = (table) => (256 - (table.reduce((sum, byte) => sum + byte, 0) & 255)) & 255;

function readTable(memory, address) {
  const length = Buffer.from(memory.readPhysical(address, headerBytes)).readUInt32LE(4);
  return Buffer.from(memory.readPhysical(address, length));
}

function writeTable(memory, address, table) {
  table[9] = 0;
  table[9] = checksum(table);
  memory.writePhysical(address, table);
}

/** Puts a copy of the MADT with one more local APIC behind the other tables, and lets the XSDT name it. */
function promiseSecondProcessor({ memory, rsdp, map }, apicId) {
  const xsdtAt = Number(Buffer.from(memory.readPhysical(rsdp + 24, 8)).readBigUInt64LE());
  const xsdt = readTable(memory, xsdtAt);
  for (let at = headerBytes; at < xsdt.length; at += 8) {
    const old = readTable(memory, Number(xsdt.readBigUInt64LE(at)));
    if (old.toString('latin1', 0, 4) !== 'APIC') continue;
    const entry = Buffer.from([0, localApicEntryBytes, 1, apicId, 1, 0, 0, 0]);
    const madt = Buffer.concat([old, entry]);
    madt.writeUInt32LE(madt.length, 4);
    const place = map.acpi.end - 0x1000;
    writeTable(memory, place, madt);
    xsdt.writeBigUInt64LE(BigInt(place), at);
    writeTable(memory, xsdtAt, xsdt);
    return;
  }
  throw new Error('the ACPI tables have no MADT');
}

const ICR = { mmioLow: 0xfee0_0300, mmioHigh: 0xfee0_0310, msr: 0x830 };
const deliveryModes = { 0: 'fixed', 4: 'NMI', 5: 'INIT', 6: 'start-up' };

/** What a write of the interrupt command register says. Intel SDM volume 3, 11.6.1. */
function describeIcr(value) {
  const low = Number(value & 0xffff_ffffn);
  const mode = deliveryModes[(low >> 8) & 7] ?? 'other';
  const level = (low >> 14) & 1 ? 'assert' : 'deassert';
  return mode === 'start-up'
    ? `start-up, vector 0x${(low & 255).toString(16)}`
    : mode === 'INIT'
      ? `INIT, ${level}`
      : mode;
}

/** Boots until the kernel has given up or long after the last start-up interrupt. */
async function attempt(kernel, { door, apicId, xen, platform }) {
  const image = await kernelImage(kernel);
  const icr = [];
  let ends = Infinity;
  let text = '';
  const hypercalls = [];
  const machine = new efikit.Machine({
    artifacts,
    memoryBytes,
    profile: efikit.linux,
    strict: true,
    ...(platform && { platform }),
    ...(xen && { xen }),
    onHypercall: ({ name, registers, result }) => {
      if (!text.includes('Bringing up secondary CPUs')) return;
      const given = registers.map(([key, value]) => `${key}=0x${value.toString(16)}`).join(' ');
      if (hypercalls.length < 24) hypercalls.push(`${name} ${given} -> ${BigInt.asIntN(64, result)}`);
    },
    onTouch: ({ kind, address, value }) => {
      const isWrite =
        (kind === 'mmio-write' && (address === ICR.mmioLow || address === ICR.mmioHigh)) ||
        (kind === 'wrmsr' && address === ICR.msr);
      if (!isWrite) return;
      const what = address === ICR.mmioHigh ? 'destination' : describeIcr(value);
      icr.push({
        by: kind,
        register: `0x${address.toString(16)}`,
        value: `0x${value.toString(16)}`,
        what,
        instructions: machine.instructions,
      });
      if (/start-up/.test(what)) ends = machine.instructions + 50e6;
    },
  });
  machine.onConsole = (byte) => {
    text += String.fromCharCode(byte);
  };
  machine.boot(efikit[door], image, {
    commandLine: 'console=ttyS0 ignore_loglevel',
    modules: [],
    initrd: efikit.defaultInitramfs(),
  });
  promiseSecondProcessor(machine, apicId);
  while (machine.outcome === undefined && machine.instructions < Math.min(ends, 3e9)) {
    await runMachine(machine, { input: noInput, maxInstructions: machine.instructions + 10e6 });
    if (machine.outcome?.outcome === 'limit') machine.outcome = undefined;
  }
  const lines = text.split(/\r?\n/).map((line) => line.replace(/^\[ *\d+\.\d+\] /, ''));
  const kinds = {};
  for (const { what } of icr) kinds[what] = (kinds[what] ?? 0) + 1;
  const starting = icr.filter(({ what }) => /INIT|start-up/.test(what));
  return {
    outcome: machine.outcome?.outcome ?? 'stopped after the last start-up interrupt',
    reason: machine.outcome?.reason ?? null,
    instructions: machine.instructions,
    icrWrites: kinds,
    sequence: starting.slice(0, 12),
    ...(starting.length > 1 && { instructionsOfSequence: starting.at(-1).instructions - starting[0].instructions }),
    ...(xen && { hypercallsOfTheSecond: hypercalls }),
    said: said(lines, /(smp:|smpboot:|CPU1|Allowing \d+ CPUs|APIC ID|Processor 1)/).slice(0, 12),
    ...(starting.length === 0 && { last: lastLines(lines, 24) }),
  };
}

export async function measure(say) {
  const found = {};
  for (const kernel of ['6.1-cloud', '6.12-cloud']) {
    for (const [name, setup] of [
      ['efi', { door: 'efi', apicId: 1 }],
      ['pvh', { door: 'pvh', apicId: 1 }],
      ['pvh, Xen', { door: 'pvh', apicId: 2, xen: {}, platform: efikit.platforms['xen-uart'] }],
    ]) {
      const row = await attempt(kernel, setup);
      (found[kernel] ??= {})[name] = row;
      say(`${kernel}, ${name}: ${JSON.stringify(row.icrWrites)}`);
    }
  }
  return {
    bareMetal: found,
    pv: hypercallWay,
    notMeasured:
      'a second processor that answers: the machine has one. Instructions of its start, the trampoline it reads and its own calls are therefore not counted.',
  };
}
