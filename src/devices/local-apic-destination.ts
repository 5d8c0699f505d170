/** Whether an interrupt is for a local APIC. Intel SDM volume 3, 11.6.2 and 11.12.9. */

/** The registers that say who somebody is, as they read in the mode at hand. */
export interface LocalApicIdentity {
  readonly id: number;
  readonly logicalId: number;
  /** DFR: flat or cluster model; xAPIC mode alone has it. */
  readonly format: number;
}

/** 11.6.2: 8 bits, an ID or a logical destination of the flat or the cluster model. */
export function isXapicDestination(destination: number, logical: boolean, own: LocalApicIdentity): boolean {
  if (destination === 0xff) return true;
  if (!logical) return destination === own.id >>> 24;
  const logicalId = own.logicalId >>> 24;
  if (own.format >>> 28 === 0xf) return (destination & logicalId) !== 0;
  return destination >> 4 === logicalId >> 4 && (destination & logicalId & 0xf) !== 0;
}

/**
 * 11.12.9, 11.12.10.2: 32 bits, an ID, or a cluster and one bit for each of its 16 processors. An I/O APIC names 8 bits
 * only, all ones being everybody still.
 */
export function isX2apicDestination(destination: number, logical: boolean, own: LocalApicIdentity): boolean {
  if (destination === 0xffff_ffff || destination === 0xff) return true;
  if (!logical) return destination === own.id;
  return destination >>> 16 === own.logicalId >>> 16 && (destination & own.logicalId & 0xffff) !== 0;
}
