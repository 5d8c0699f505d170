import { Fadt, FadtBootArch, FadtFlag } from '../../firmware-tables/acpi/fadt.js';
import { AddressSpace } from '../../firmware-tables/acpi/generic-address.js';
import {
  MadtBody,
  MadtIoApic,
  MadtLocalApic,
  MadtType,
  madtLocalApicEnabled,
} from '../../firmware-tables/acpi/madt.js';
import { Rsdp, rsdpLegacyBytes } from '../../firmware-tables/acpi/rsdp.js';
import { TableHeader } from '../../firmware-tables/acpi/table-header.js';
import { XsdtEntry } from '../../firmware-tables/acpi/xsdt.js';
import { softOffType } from './acpi-sleep.js';
import { device, edgeInterrupt, eisaId, integer, ioPorts, named, packageOf, resources, scope } from './aml.js';
import { com1Interrupt, ports } from './ports.js';
import { resetValue } from './reset-ports.js';

export interface AcpiOptions {
  /** Guest-physical addresses of the interrupt controllers' windows. */
  readonly localApic: number;
  readonly ioApic: number;
}

export interface AcpiTables {
  /** Guest-physical address of the RSDP. */
  readonly rsdp: number;
  /** Everything from `base` on: RSDP, XSDT, FADT, MADT, DSDT. */
  readonly bytes: Uint8Array;
}

const oem = { id: ascii('EFIKIT'), table: ascii('EFIKITPC'), creator: ascii('EFIK') } as const;
const checksumOffset = TableHeader.offsetOf('Checksum');
const alignment = 16;

/**
 * The tables of this machine for guest-physical address `base` (a multiple of 16): hardware-reduced ACPI, one
 * processor, one I/O APIC, COM1. ACPI 6.5 chapters 4.1 and 5.2.
 */
export function buildAcpiTables(base: number, options: AcpiOptions): AcpiTables {
  const dsdt = table('DSDT', 2, dsdtBody());
  const madt = table('APIC', 5, madtBody(options));
  const place = placer(base + Rsdp.size);
  const dsdtAt = place(dsdt);
  const madtAt = place(madt);
  const fadt = fadtTable(dsdtAt.address);
  const fadtAt = place(fadt);
  const entries = [fadtAt, madtAt].map(({ address }) => XsdtEntry.encode({ Address: address }));
  const xsdtAt = place(table('XSDT', 1, concatenate(entries)));
  const placed = [dsdtAt, madtAt, fadtAt, xsdtAt];
  const bytes = new Uint8Array(xsdtAt.address + xsdtAt.bytes.length - base);
  bytes.set(rsdp(xsdtAt.address));
  for (const { address, bytes: content } of placed) bytes.set(content, address - base);
  return { rsdp: base, bytes };
}

/** The DSDT's terms: COM1, and what to write into the sleep register for soft-off. */
function dsdtBody(): Uint8Array {
  const com1 = device(
    'COM1',
    named('_HID', eisaId('PNP0501')), // 16550A-compatible serial port
    named('_UID', integer(1)),
    named('_CRS', resources(ioPorts(ports.com1, ports.com1Bytes), edgeInterrupt(com1Interrupt))),
  );
  const softOff = named('\\_S5', packageOf(integer(softOffType), integer(0), integer(0), integer(0)));
  return Uint8Array.from([...scope('\\_SB', com1), ...softOff]);
}

function madtBody({ localApic, ioApic }: AcpiOptions): Uint8Array {
  return concatenate([
    MadtBody.encode({ LocalInterruptControllerAddress: localApic, Flags: 0 }),
    MadtLocalApic.encode({ Type: MadtType.localApic, Length: MadtLocalApic.size, Flags: madtLocalApicEnabled }),
    MadtIoApic.encode({ Type: MadtType.ioApic, Length: MadtIoApic.size, IOAPICAddress: ioApic }),
  ]);
}

function fadtTable(dsdt: number): Uint8Array {
  const port = (address: number) => ({
    AddressSpaceID: AddressSpace.systemIo,
    RegisterBitWidth: 8,
    AccessSize: 1,
    Address: address,
  });
  const bytes = Fadt.encode({
    Header: header('FACP', 6, Fadt.size),
    P_LVL2_LAT: 0xffff,
    P_LVL3_LAT: 0xffff,
    // A clock at ports 0x70 and 0x71 answers whoever asks, but no driver is to look for its interrupt.
    IAPC_BOOT_ARCH: FadtBootArch.VGA_NOT_PRESENT | FadtBootArch.CMOS_RTC_NOT_PRESENT,
    Flags:
      FadtFlag.WBINVD |
      FadtFlag.PWR_BUTTON |
      FadtFlag.SLP_BUTTON |
      FadtFlag.FIX_RTC |
      FadtFlag.RESET_REG_SUP |
      FadtFlag.HEADLESS |
      FadtFlag.HW_REDUCED_ACPI,
    RESET_REG: port(ports.resetControl),
    RESET_VALUE: resetValue,
    FADTMinorVersion: 5,
    X_DSDT: dsdt,
    SLEEP_CONTROL_REG: port(ports.sleepControl),
    SLEEP_STATUS_REG: port(ports.sleepStatus),
  });
  return withChecksum(bytes, checksumOffset, bytes.length);
}

function rsdp(xsdt: number): Uint8Array {
  const bytes = Rsdp.encode({
    Signature: ascii('RSD PTR '),
    OEMID: oem.id,
    Revision: 2,
    Length: Rsdp.size,
    XsdtAddress: xsdt,
  });
  withChecksum(bytes, Rsdp.offsetOf('Checksum'), rsdpLegacyBytes);
  return withChecksum(bytes, Rsdp.offsetOf('ExtendedChecksum'), Rsdp.size);
}

function table(signature: string, revision: number, body: Uint8Array): Uint8Array {
  const length = TableHeader.size + body.length;
  const bytes = concatenate([TableHeader.encode(header(signature, revision, length)), body]);
  return withChecksum(bytes, checksumOffset, length);
}

function header(signature: string, revision: number, length: number) {
  return {
    Signature: ascii(signature),
    Length: length,
    Revision: revision,
    OEMID: oem.id,
    OEMTableID: oem.table,
    OEMRevision: 1,
    CreatorID: oem.creator,
    CreatorRevision: 1,
  };
}

/** Sets the byte at `offset` so that the first `length` bytes sum to 0. */
function withChecksum(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  bytes[offset] = 0;
  bytes[offset] = -bytes.subarray(0, length).reduce((sum, byte) => sum + byte, 0);
  return bytes;
}

function placer(first: number): (bytes: Uint8Array) => { readonly address: number; readonly bytes: Uint8Array } {
  let next = first;
  return (bytes) => {
    const address = Math.ceil(next / alignment) * alignment;
    next = address + bytes.length;
    return { address, bytes };
  };
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
