import { GuestAddressError } from '../memory/guest-memory.js';
import { gateBytes, gateCode } from './gate.js';
import type { GuestAccess } from './guest-access.js';
import type { FirmwareEvent } from './log/firmware-event.js';
import type { FirmwareHost } from './host.js';

/** Exceptions by vector. Intel SDM volume 3, table 6-1. */
const names: Readonly<Record<number, string>> = {
  0: 'divide error',
  1: 'debug',
  2: 'NMI',
  3: 'breakpoint',
  4: 'overflow',
  5: 'bound range',
  6: 'invalid opcode',
  7: 'no FPU',
  8: 'double fault',
  10: 'invalid TSS',
  11: 'segment not present',
  12: 'stack fault',
  13: 'general protection',
  14: 'page fault',
  16: 'x87 error',
  17: 'alignment check',
  18: 'machine check',
  19: 'SIMD floating point',
  20: 'virtualization',
  21: 'control protection',
};
const withErrorCode: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);

/** The number of the gate that stands at an address; undefined when other code does. */
function gateAt(guest: GuestAccess, address: bigint): number | undefined {
  try {
    const code = guest.read(address, gateBytes);
    const gate = (code[4] ?? 0) | ((code[5] ?? 0) << 8);
    return gateCode(gate).every((byte, index) => code[index] === byte) ? gate : undefined;
  } catch (error) {
    if (error instanceof GuestAddressError) return undefined;
    throw error;
  }
}

/**
 * Ends the run with what the exception frame at RSP says, and tells it to the log; `nameOf` names a gate's service, for one that faulted.
 * Intel SDM volume 3, 6.14.2.
 */
export function reportException(
  host: FirmwareHost,
  guest: GuestAccess,
  vector: number,
  nameOf: (gate: number) => string | undefined,
): FirmwareEvent {
  const what = names[vector] ?? (vector < 32 ? 'reserved exception' : 'unexpected interrupt');
  const details: Record<string, string> = { Vector: `${String(vector)} (${what})` };
  let rip: bigint | undefined;
  let where: string;
  try {
    let frame = host.getRegister('rsp');
    let code = '';
    if (withErrorCode.has(vector)) {
      details['ErrorCode'] = `0x${guest.readU64(frame).toString(16)}`;
      code = `, error code ${details['ErrorCode']}`;
      frame += 8n;
    }
    rip = guest.readU64(frame);
    const gate = gateAt(guest, rip);
    const service = gate === undefined ? undefined : nameOf(gate);
    if (service !== undefined) details['Service'] = service;
    where = `${service === undefined ? '' : ` in ${service}`} at RIP 0x${rip.toString(16)}${code}`;
  } catch (error) {
    if (!(error instanceof GuestAddressError)) throw error;
    where = ' at an unknown RIP (its stack cannot be read)';
  }
  if (vector === 14) details['Address'] = `0x${host.getRegister('cr2').toString(16)}`;
  const address = vector === 14 ? `, address ${details['Address'] ?? ''}` : '';
  host.crash(`exception ${String(vector)} (${what})${where}${address}, while the firmware's IDT was loaded`);
  return { event: 'exception', details, address: rip, tick: host.now() };
}
