import { guidText } from '../../firmware-tables/guid.js';
import { GuestAddressCause, GuestAddressError, type GuestMemory } from '../memory/guest-memory.js';

/** Longest CHAR16 string that a service reads, in characters without the NUL. */
const longestString = 32_767;

/**
 * Guest memory through the guest's own page tables, in the units of EFI. Every method throws GuestAddressError when the
 * guest's pointer is bad: the gate then faults as a firmware's own instruction would, and a length that no buffer can
 * have gives EFI_INVALID_PARAMETER.
 */
export class GuestAccess {
  /** Told of each access of known length, before it is made; of strings only when they are written. */
  onAccess: ((address: bigint, length: number, write: boolean) => void) | undefined;

  /** `ramOnly`: no read asks a device, for what the guest must not notice. */
  constructor(
    private readonly memory: GuestMemory,
    private readonly ramOnly = false,
  ) {}

  read(address: bigint, length: number): Uint8Array {
    // Before a buffer of that length is made: a guest may ask for more than the host has.
    if (length > this.memory.ramBytes) throw new GuestAddressError(address, length, GuestAddressCause.notRam);
    this.onAccess?.(address, length, false);
    return this.memory.readVirtual(address, length, this.ramOnly);
  }

  write(address: bigint, bytes: Uint8Array): void {
    this.onAccess?.(address, bytes.length, true);
    this.memory.writeVirtual(address, bytes);
  }

  readU32(address: bigint): number {
    return new DataView(this.read(address, 4).buffer).getUint32(0, true);
  }

  writeU32(address: bigint, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.write(address, bytes);
  }

  readU64(address: bigint): bigint {
    const bytes = this.read(address, 8);
    return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  }

  writeU64(address: bigint, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.write(address, bytes);
  }

  readGuid(address: bigint): string {
    return guidText(this.read(address, 16));
  }

  /**
   * A NUL-terminated CHAR16 string without its NUL; undefined when none ends within `limit` characters. Pages behind
   * the NUL are not touched.
   */
  readString16(address: bigint, limit = longestString): string | undefined {
    let text = '';
    let at = address;
    while (text.length <= limit) {
      const toPageEnd = 4096 - Number(at & 0xfffn);
      const bytes = this.memory.readVirtual(at, toPageEnd === 1 ? 2 : toPageEnd & ~1, this.ramOnly);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let i = 0; i < bytes.length; i += 2) {
        const unit = view.getUint16(i, true);
        if (unit === 0) return text.length <= limit ? text : undefined;
        text += String.fromCharCode(unit);
      }
      at += BigInt(bytes.length);
    }
    return undefined;
  }

  /** Throws unless all of `length` bytes can be written; nothing changes. */
  requireWritable(address: bigint, length: number): void {
    if (length > this.memory.ramBytes) throw new GuestAddressError(address, length, GuestAddressCause.notRam);
    this.memory.requireWritable(address, length);
  }
}

/** UTF-16 code units, little endian, with a NUL behind. */
export function string16Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array((text.length + 1) * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), true);
  return bytes;
}

/** Length argument of a guest as a number. Throws GuestAddressError when no buffer can be that long. */
export function byteCount(length: bigint, address: bigint): number {
  if (length > 0xffff_ffffn) throw new GuestAddressError(address, Number(length), GuestAddressCause.notRam);
  return Number(length);
}
