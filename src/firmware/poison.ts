import { GuestAddressError } from '../memory/guest-memory.js';
import type { FirmwareHost, FirmwareRegister } from './host.js';

/** Registers that a callee may change, but for RAX. UEFI 2.10 section 2.3.4.2. */
const volatileRegisters: readonly FirmwareRegister[] = ['rcx', 'rdx', 'r8', 'r9', 'r10', 'r11'];
const poison = 0xefef_efef_efef_efefn;
const homeSpaceBytes = 32;
const belowStackBytes = 256;

/**
 * Leaves garbage wherever the calling convention allows a firmware to: volatile registers, the 32 bytes of home space
 * above the return address, and the memory below RSP (there is no red zone).
 */
export function clobber(host: FirmwareHost): void {
  for (const name of volatileRegisters) host.setRegister(name, poison);
  const stack = host.getRegister('rsp');
  fill(host, stack + 8n, homeSpaceBytes);
  fill(host, stack - BigInt(belowStackBytes), belowStackBytes);
}

function fill(host: FirmwareHost, address: bigint, length: number): void {
  try {
    host.memory.writeVirtual(address, new Uint8Array(length).fill(0xef));
  } catch (error) {
    if (!(error instanceof GuestAddressError)) throw error; // a stack that ends here has nothing to poison
  }
}
