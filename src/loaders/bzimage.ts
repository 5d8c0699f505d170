import {
  bootFlag,
  headerMagic,
  SetupHeader,
  setupHeaderOffset,
  XLoadFlag,
} from '../../firmware-tables/linux/setup-header.js';
import { asciiAt, damaged, hex, requireRange } from './bounds.js';
import { ImageError, type LinuxSetup } from './image.js';

/** Boot protocol 2.12 (Linux 3.8) is the first with xloadflags, which says whether the kernel has a 64-bit entry. */
const oldestVersion = 0x20c;

const fieldAt = (name: Parameters<typeof SetupHeader.offsetOf>[0]): number =>
  setupHeaderOffset + SetupHeader.offsetOf(name);

export function isBzImage(bytes: Uint8Array): boolean {
  if (bytes.length < fieldAt('version')) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return (
    view.getUint32(fieldAt('header'), true) === headerMagic && view.getUint16(fieldAt('boot_flag'), true) === bootFlag
  );
}

/** Reads and checks the setup header of a bzImage. Linux Documentation/arch/x86/boot.rst. Throws ImageError. */
export function readSetup(bytes: Uint8Array): LinuxSetup {
  requireRange(bytes, setupHeaderOffset, SetupHeader.size, 'bzImage setup header');
  const header = SetupHeader.decode(bytes, setupHeaderOffset);
  if (header.version < oldestVersion) {
    throw new ImageError(
      `bzImage boot protocol version (offset ${hex(fieldAt('version'))}) is ${String(header.version >> 8)}.${String(header.version & 0xff)}: ` +
        'at least 2.12 is needed, take a kernel of Linux 3.8 or later',
      fieldAt('version'),
    );
  }
  if ((header.xloadflags & XLoadFlag.kernel64) === 0) {
    throw new ImageError(
      `bzImage xloadflags (offset ${hex(fieldAt('xloadflags'))}) lack KERNEL_64: a 32-bit kernel; take the amd64 build`,
      fieldAt('xloadflags'),
    );
  }
  const setupBytes = ((header.setup_sects === 0 ? 4 : header.setup_sects) + 1) * 512;
  requireRange(bytes, setupBytes, header.syssize * 16, 'bzImage protected-mode part (syssize)');
  const payloadOffset = setupBytes + header.payload_offset;
  requireRange(bytes, payloadOffset, header.payload_length, 'bzImage payload (payload_offset, payload_length)');
  const alignment = header.kernel_alignment;
  if (alignment < 0x1000 || (alignment & (alignment - 1)) !== 0 || alignment > 0x4000_0000) {
    throw new ImageError(
      `bzImage kernel_alignment (offset ${hex(fieldAt('kernel_alignment'))}) is ${hex(alignment)}, no power of two of at least 4096: ${damaged}`,
      fieldAt('kernel_alignment'),
    );
  }
  if (header.pref_address > 0xffff_ffffn || header.init_size < header.syssize * 16) {
    throw new ImageError(
      `bzImage pref_address ${hex(header.pref_address)} or init_size ${hex(header.init_size)} (offset ${hex(fieldAt('pref_address'))}) makes no sense: ${damaged}`,
      fieldAt('pref_address'),
    );
  }
  const version = header.kernel_version === 0 ? '' : asciiAt(bytes, header.kernel_version + 0x200, 256);
  return {
    version: header.version,
    setupBytes,
    payloadOffset,
    payloadBytes: header.payload_length,
    initSize: header.init_size,
    prefAddress: Number(header.pref_address),
    kernelAlignment: alignment,
    relocatable: header.relocatable_kernel !== 0,
    xloadflags: header.xloadflags,
    commandLineBytes: header.cmdline_size,
    initrdAddressMax: header.initrd_addr_max,
    ...(version === '' ? {} : { kernelVersion: version }),
  };
}
