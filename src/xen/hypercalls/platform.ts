import { Errno } from '../errno.js';
import { GuestStruct } from '../guest-struct.js';
import { plain, type Call, type Hypercall, type Result } from '../hypercall.js';

/** What Xen tells its initial domain of the EFI firmware that started Xen; the domain makes a System Table of it. */
export interface HostFirmware {
  /** Revision of the specification: major << 16 | minor * 10. */
  readonly revision: number;
  readonly vendor: string;
  readonly vendorRevision: number;
  /** Guest-physical address and entries of EFI's configuration table. */
  readonly configurationTable: { readonly address: number; readonly entries: number };
}

const interfaceVersion = 0x0300_0001; // XENPF_INTERFACE_VERSION
const opBytes = 136; // struct xen_platform_op: command, version, 128 bytes
const XENPF_efi_runtime_call = 49;
const XENPF_firmware_info = 50;

const FirmwareType = { diskInfo: 1, diskMbrSignature: 2, vbeDdcInfo: 3, efiInfo: 4, keyboardShiftFlags: 5 } as const;
const EfiInfo = { version: 0, configurationTable: 1, vendor: 2, memory: 3, runtimeVersion: 4, pciRom: 5 } as const;

/** Commands by name, for the log. xen/include/public/platform.h. */
const names: Readonly<Record<number, string>> = {
  17: 'XENPF_settime32',
  31: 'XENPF_add_memtype',
  48: 'XENPF_get_cpu_version',
  [XENPF_efi_runtime_call]: 'XENPF_efi_runtime_call',
  [XENPF_firmware_info]: 'XENPF_firmware_info',
  51: 'XENPF_enter_acpi_sleep',
  54: 'XENPF_set_processor_pminfo',
  55: 'XENPF_get_cpuinfo',
  62: 'XENPF_settime64',
  64: 'XENPF_get_dom0_console',
};

const Header = new GuestStruct('xen_platform_op', { cmd: 'u32', interface_version: 'u32' });
const FirmwareInfo = new GuestStruct('xenpf_firmware_info', { type: 'u32', index: 'u32' });
const Version = new GuestStruct('xenpf_efi_info.version', { version: 'u32' });
const Configuration = new GuestStruct('xenpf_efi_info.cfg', { addr: 'u64', nent: 'u32' });
const Vendor = new GuestStruct('xenpf_efi_info.vendor', { revision: 'u32', bufsz: 'u32', name: 'pointer' });
const headerBytes = 8;
const infoBytes = 8;

/**
 * HYPERVISOR_platform_op: for the initial domain, to which Xen tells what the machine's firmware told Xen. Of its
 * commands, XENPF_firmware_info is served; without EFI underneath (no HostFirmware) as on a PC with a BIOS that has
 * nothing to tell. xen/arch/x86/platform_hypercall.c, xen/common/efi/runtime.c.
 */
export const platformOp: Hypercall = {
  number: 7,
  name: 'platform_op',
  registers: ['u_op'],
  pointer: 0,
  operations: [
    plain(0, 'platform_op', (call) => {
      const at = call.registers[0] ?? 0n;
      call.read(at, opBytes);
      const { cmd, interface_version: version } = call.readStruct(Header, at);
      call.show('cmd', names[cmd] ?? String(cmd));
      if (version !== interfaceVersion) return Errno.EACCES;
      if (!call.domain.isInitial) return Errno.EPERM;
      if (cmd === XENPF_firmware_info) return firmwareInfo(call, at + BigInt(headerBytes));
      if (cmd === XENPF_efi_runtime_call) return Errno.EOPNOTSUPP; // Xen started with efi=no-rs
      return Errno.ENOSYS;
    }),
  ],
};

function firmwareInfo(call: Call, at: bigint): Result {
  const { type, index } = call.readStruct(FirmwareInfo, at);
  switch (type) {
    case FirmwareType.diskInfo: // no disk
    case FirmwareType.diskMbrSignature:
    case FirmwareType.vbeDdcInfo: // no screen
      call.show('type', 'BIOS');
      return Errno.ESRCH;
    case FirmwareType.efiInfo:
      return efiInfo(call, index, at + BigInt(infoBytes));
    case FirmwareType.keyboardShiftFlags:
      call.show('type', 'XEN_FW_KBD_SHIFT_FLAGS');
      if (index !== 0) return Errno.ESRCH;
      call.write(at + BigInt(infoBytes), Uint8Array.of(0));
      return 0;
    default:
      return Errno.EINVAL;
  }
}

function efiInfo(call: Call, index: number, at: bigint): Result {
  const { hostFirmware } = call.domain;
  const name = Object.entries(EfiInfo).find(([, number]) => number === index)?.[0];
  call.show('efi', name ?? String(index));
  if (hostFirmware === undefined) return Errno.ENOSYS;
  switch (index) {
    case EfiInfo.version:
      call.writeStruct(Version, at, { version: hostFirmware.revision });
      return 0;
    case EfiInfo.configurationTable: {
      const { address, entries } = hostFirmware.configurationTable;
      call.writeStruct(Configuration, at, { addr: BigInt(address), nent: entries });
      return 0;
    }
    case EfiInfo.vendor:
      return vendor(call, hostFirmware, at);
    case EfiInfo.memory: // no memory map is kept
    case EfiInfo.pciRom:
      return Errno.ESRCH;
    case EfiInfo.runtimeVersion:
      return Errno.EOPNOTSUPP;
    default:
      return Errno.EINVAL;
  }
}

/** The firmware's name in UTF-16 with its NUL, as far as the buffer goes. */
function vendor(call: Call, { vendor: text, vendorRevision }: HostFirmware, at: bigint): Result {
  const asked = call.readStruct(Vendor, at);
  const units = Array.from({ length: text.length + 1 }, (_, i) => (i < text.length ? text.charCodeAt(i) : 0));
  const bytes = new Uint8Array(Uint16Array.from(units).buffer);
  call.write(asked.name, bytes.subarray(0, asked.bufsz - (asked.bufsz % 2)));
  call.writeStruct(Vendor, at, { ...asked, revision: vendorRevision });
  return 0;
}
