/** What the processor asks of the machine, handed on to the parts of it. */
import { cpuid } from './cpu/cpuid.js';
import type { ProcessorBus } from './cpu/types.js';
import type { Machine } from './machine.js';
import type { PlatformDescription } from './platform-description.js';
import { xenCpuid } from './xen/cpuid.js';
import { tscScale } from './xen/domain-time.js';
import { isXenMsr } from './xen/hypercall-page.js';

/** The bus of a machine that is being made: nothing is asked before it stands. */
export function machineBus(
  machine: Machine,
  { x2apic, mtrr }: PlatformDescription,
  log: (line: string) => void,
): ProcessorBus {
  return {
    readPort: (port, bytes) => machine.platform.ports.readPort(port, bytes),
    writePort: (port, bytes, value) => {
      machine.platform.ports.writePort(port, bytes, value);
    },
    readMmio: (address, bytes) =>
      machine.xen?.frames.readMmio(address, bytes) ?? machine.platform.readMmio(address, bytes),
    writeMmio: (address, bytes, value) => {
      if (machine.xen?.frames.writeMmio(address, bytes, value) !== true)
        machine.platform.writeMmio(address, bytes, value);
    },
    acknowledgeInterrupt: () => {
      const vector = machine.xen?.callbackVector() ?? machine.platform.localApic.acknowledge();
      if (vector !== undefined) machine.xen?.resumed();
      return vector;
    },
    readMsr: (index) => (isXenMsr(index) ? machine.xen?.readMsr(index) : machine.platform.readMsr(index)),
    writeMsr: (index, value) =>
      isXenMsr(index) ? machine.xen?.writeMsr(index, value) === true : machine.platform.writeMsr(index, value),
    readTaskPriority: () => machine.platform.localApic.readTaskPriority(),
    writeTaskPriority: (value) => {
      machine.platform.localApic.writeTaskPriority(value);
    },
    cpuid: (leaf, subleaf) => {
      const { xen } = machine;
      const ofXen = xen && xenCpuid(leaf, subleaf, { domain: xen.number, tsc: tscScale });
      return ofXen ?? cpuid(leaf, subleaf, { x2apic, mtrr, hypervisor: xen !== undefined });
    },
    random: () => machine.random.next64(),
    gate: (service) => {
      machine.firmware.serve(service);
    },
    hypercall: () => {
      machine.xen?.hypercall();
    },
    unimplemented: (what) => {
      log(`not implemented, as no guest tried so far needs it: ${what}; the guest gets a fault`);
    },
  };
}
