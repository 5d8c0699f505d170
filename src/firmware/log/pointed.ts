import { guidName } from '../../../firmware-tables/uefi/guids.js';
import { GuestAddressError } from '../../memory/guest-memory.js';
import { devicePathText, readDevicePathNodes } from './device-path.js';
import type { GuestAccess } from '../guest-access.js';
import type { ArgKind } from '../service.js';

/** Characters of a string that the log looks for an end of. */
const longestText = 1024;

/**
 * What a pointer points at, for the log only: a pointer that cannot be followed is the service's to refuse, and is
 * undefined here. So is one whose kind does not say what is there.
 */
export function pointedText(guest: GuestAccess, kind: ArgKind, address: bigint): string | undefined {
  if (address === 0n) return undefined;
  try {
    switch (kind) {
      case 'uintnAt':
        return `0x${guest.readU64(address).toString(16)}`;
      case 'guidAt':
        return guidName(guest.readGuid(address));
      case 'string16At': {
        const text = guest.readString16(address, longestText);
        return text === undefined ? undefined : JSON.stringify(text);
      }
      case 'devicePath':
        return pathText(guest, address);
      case 'devicePathAt':
        return pathText(guest, guest.readU64(address));
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof GuestAddressError) return undefined;
    throw error;
  }
}

function pathText(guest: GuestAccess, address: bigint): string | undefined {
  const nodes = address === 0n ? undefined : readDevicePathNodes(guest, address);
  return nodes && devicePathText(nodes);
}
