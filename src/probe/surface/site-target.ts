import { GuestAddressError } from '../../memory/guest-memory.js';
import { physicalAddress } from '../../symbols/page-walk.js';
import type { ProbedRun } from '../probed-run.js';
import { nobody, type SiteTarget } from './read-sites.js';

const pageBytes = 4096;
const longMode = 1n << 10n; // EFER.LMA
const paging = 1n << 31n; // CR0.PG

/** Where guest-linear bytes lie, as the guest maps them now; undefined where they are not mapped, or not in one piece. */
export function physicalOf({ machine }: ProbedRun, address: bigint, bytes: number): number | undefined {
  const { cr0, cr3, efer } = machine.processor.registers;
  if ((cr0 & paging) === 0n) return Number(address);
  if ((efer & longMode) === 0n) return undefined; // 32-bit page tables: nobody here uses them
  const read = (at: number, length: number): Uint8Array => machine.memory.readPhysical(at, length);
  try {
    const first = physicalAddress(read, cr3, address);
    if (first === undefined) return undefined;
    const within = Number(address & BigInt(pageBytes - 1));
    for (let done = pageBytes - within; done < bytes; done += pageBytes)
      if (physicalAddress(read, cr3, address + BigInt(done)) !== first + done) return undefined;
    return first;
  } catch (error) {
    if (error instanceof GuestAddressError) return undefined;
    throw error;
  }
}

/** Bytes at a guest-linear address, as far as they lie in RAM on one page. */
function bytesAt(run: ProbedRun, address: bigint, bytes: number): Uint8Array | undefined {
  const length = Math.min(bytes, pageBytes - Number(address & BigInt(pageBytes - 1)));
  const physical = physicalOf(run, address, length);
  if (physical === undefined) return undefined;
  try {
    return run.machine.memory.readPhysical(physical, length);
  } catch (error) {
    if (error instanceof GuestAddressError) return undefined;
    throw error;
  }
}

/** The guest as its readers are named by. It only looks: no accessed bit is set, and no device is asked. */
export function siteTarget(run: ProbedRun): SiteTarget {
  const { registers } = run.machine.processor;
  const functionOf = (name: string): string => name.replace(/\+0x[0-9a-f]+$/, '');
  return {
    phase: () => run.phase,
    nameOf: (instruction) => {
      const place = run.code.placeOf(instruction, registers.cpl === 3);
      if (place.area !== 'elsewhere' && place.area !== 'modules')
        return run.names.unit(place, run.firmware !== undefined).name;
      return functionOf(run.callers.nameOf(instruction) ?? nobody);
    },
    destinationOf: (physical, bytes) => {
      const from = registers.get('rsi');
      const source = physicalOf(run, from, 1);
      if (source === undefined) return undefined;
      return physicalOf(run, BigInt.asUintN(64, registers.get('rdi') + BigInt(physical - source)), bytes);
    },
    codeAt: (instruction, bytes) => bytesAt(run, instruction, bytes),
    stackTop: () => {
      const bytes = bytesAt(run, registers.get('rsp'), 8);
      return bytes?.length === 8 ? new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true) : undefined;
    },
  };
}
