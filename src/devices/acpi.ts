import { Fadt, FadtBootArch, FadtFlag } from '../../firmware-tables/acpi/fadt.js';
import { AddressSpace } from '../../firmware-tables/acpi/generic-address.js';
import {
  MadtBody,
  MadtIoApic,
  MadtLocalApic,
  MadtType,
  madtLocalApicEnabled,
} from '../../firmware-tables/acpi/madt.js';
import { Rsdp } from '../../firmware-tables/acpi/rsdp.js';
import { XsdtEntry } from '../../firmware-tables/acpi/xsdt.js';
import { concatenate } from '../bytes/concatenate.js';
import { AcpiBuilder, headerPart, withTableChecksum, type AcpiMaker, type AcpiTables } from './acpi-builder.js';
import { softOffType } from './acpi-sleep.js';
import { device, edgeInterrupt, eisaId, integer, ioPorts, named, packageOf, resources, scope } from './aml.js';
import { com1Interrupt, ports } from './ports.js';
import { resetValue } from './reset-ports.js';

export interface AcpiOptions {
  /** Guest-physical addresses of the interrupt controllers' windows. */
  readonly localApic: number;
  /** undefined: there is no I/O APIC. */
  readonly ioApic: number | undefined;
  /** IAPC_BOOT_ARCH of the FADT: FadtBootArch. Neither VGA nor a CMOS clock when left out. */
  readonly bootArch?: number;
}

const maker: AcpiMaker = { oem: 'EFIKIT', table: 'EFIKITPC', revision: 1, creator: 'EFIK', creatorRevision: 1 };

/** A clock at ports 0x70 and 0x71 answers whoever asks, but no driver is to look for its interrupt. */
const headlessBootArch = FadtBootArch.VGA_NOT_PRESENT | FadtBootArch.CMOS_RTC_NOT_PRESENT;

/**
 * The tables of the small PC for guest-physical address `base` (a multiple of 16): hardware-reduced ACPI, one
 * processor, one I/O APIC, COM1; RSDP, XSDT, FADT, MADT, DSDT. ACPI 6.5 chapters 4.1 and 5.2.
 */
export function buildAcpiTables(base: number, options: AcpiOptions): AcpiTables {
  const builder = new AcpiBuilder(maker, base, Rsdp.size);
  const aml = dsdtBody();
  const dsdt = builder.place('DSDT', builder.table('DSDT', 2, aml), [headerPart, { name: 'AML', bytes: aml.length }]);
  const madt = builder.place('MADT', builder.table('APIC', 5, madtBody(options)), [
    headerPart,
    MadtBody,
    { name: 'LocalApic', of: MadtLocalApic },
    { name: 'IoApic', of: MadtIoApic },
  ]);
  const fadt = builder.place('FADT', fadtTable(builder, dsdt.address, options.bootArch ?? headlessBootArch), [Fadt]);
  const entries = [fadt, madt].map(({ address }) => XsdtEntry.encode({ Address: address }));
  const xsdt = builder.place('XSDT', builder.table('XSDT', 1, concatenate(entries)), [
    headerPart,
    { name: 'Entry', of: XsdtEntry, count: entries.length },
  ]);
  builder.placeAt(base, 'RSDP', builder.rsdp(xsdt.address), [Rsdp]);
  return builder.tables(base);
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
    ...(ioApic === undefined
      ? []
      : [MadtIoApic.encode({ Type: MadtType.ioApic, Length: MadtIoApic.size, IOAPICAddress: ioApic })]),
  ]);
}

function fadtTable(builder: AcpiBuilder, dsdt: number, bootArch: number): Uint8Array {
  const port = (address: number) => ({
    AddressSpaceID: AddressSpace.systemIo,
    RegisterBitWidth: 8,
    AccessSize: 1,
    Address: address,
  });
  return withTableChecksum(
    Fadt.encode({
      Header: builder.header('FACP', 6, Fadt.size),
      P_LVL2_LAT: 0xffff,
      P_LVL3_LAT: 0xffff,
      IAPC_BOOT_ARCH: bootArch,
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
    }),
  );
}
