import type { Machine } from '../../src/machine.js';

/** One call of a runtime service after SetVirtualAddressMap. */
export interface RuntimeCall {
  /** Guest-virtual address of the instruction behind the gate. */
  readonly rip: bigint;
  /** Guest-virtual address of the stack. */
  readonly rsp: bigint;
  /** The guest-virtual addresses that the firmware followed for the call. */
  readonly followed: bigint[];
}

/**
 * Watches where a machine's firmware is called and which addresses it follows, once it has a virtual address map. The
 * lower half of the page tables in force is unmapped at each call: Linux keeps a set of tables for such calls, with the
 * run-time memory at its physical addresses as well, which nobody may need any more. UEFI 2.10 section 8.4.
 */
export function watchRuntimeCalls(machine: Machine): readonly RuntimeCall[] {
  const { firmware, memory, processor } = machine;
  const serve = firmware.serve.bind(firmware);
  const readVirtual = memory.readVirtual.bind(memory);
  const writeVirtual = memory.writeVirtual.bind(memory);
  const requireWritable = memory.requireWritable.bind(memory);
  const calls: RuntimeCall[] = [];
  let current: RuntimeCall | undefined;
  firmware.serve = (gate) => {
    if (firmware.virtualMap !== undefined) {
      current = { rip: processor.registers.rip, rsp: firmware.host.getRegister('rsp'), followed: [] };
      calls.push(current);
      unmapLowerHalf(machine);
    }
    serve(gate);
    current = undefined;
  };
  memory.readVirtual = (address, length, ramOnly) => {
    current?.followed.push(address);
    return readVirtual(address, length, ramOnly);
  };
  memory.writeVirtual = (address, bytes) => {
    current?.followed.push(address);
    writeVirtual(address, bytes);
  };
  memory.requireWritable = (address, length) => {
    current?.followed.push(address);
    requireWritable(address, length);
  };
  return calls;
}

/** Makes entries 0 to 255 of the PML4 that CR3 names absent. Intel SDM volume 3, 4.5. */
function unmapLowerHalf({ processor, memory }: Machine): void {
  memory.writePhysical(Number(processor.registers.cr3 & 0xf_ffff_ffff_f000n), new Uint8Array(256 * 8));
}
