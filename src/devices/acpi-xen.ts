import { Facs } from '../../firmware-tables/acpi/facs.js';
import { Fadt, FadtBootArch, FadtFlag, fadtBytes } from '../../firmware-tables/acpi/fadt.js';
import { AddressSpace } from '../../firmware-tables/acpi/generic-address.js';
import { MadtBody, MadtFlag, MadtLocalApic, MadtType, madtLocalApicEnabled } from '../../firmware-tables/acpi/madt.js';
import { TableHeader } from '../../firmware-tables/acpi/table-header.js';
import { Rsdp } from '../../firmware-tables/acpi/rsdp.js';
import { RsdtEntry, XsdtEntry } from '../../firmware-tables/acpi/xsdt.js';
import { XenAcpiInfo } from '../../firmware-tables/xen/acpi-info.js';
import { concatenate } from '../bytes/concatenate.js';
import { layout } from '../memory/layout.js';
import { AcpiBuilder, ascii, headerPart, withTableChecksum, type AcpiMaker, type AcpiTables } from './acpi-builder.js';
import { buffer, integer, named, processor, scope, text } from './aml.js';
import { PAGE_BYTES } from './page-memory.js';
import { ports, xenAcpiPorts } from './ports.js';
import { resetValue } from './reset-ports.js';

export interface XenAcpiOptions {
  /** IAPC_BOOT_ARCH of the FADT: FadtBootArch. Neither VGA nor a CMOS clock when left out, as libxl says. */
  readonly bootArch?: number;
}

const maker: AcpiMaker = { oem: 'Xen', table: 'HVM', revision: 0, creator: 'HVML', creatorRevision: 0 };

const systemControlInterrupt = 9;

/**
 * The tables that libxl gives to a PVH domain, at its addresses: struct acpi_info, the tables a page above it, the RSDP
 * in the last 64 bytes of the range. Fixed hardware is not reduced, yet none of it exists; no I/O APIC, HPET or PCI.
 * The DSDT is our own: one processor of the many that Xen's has, without the methods that plug it. It has no \_S5, as
 * Xen's has none: a domain powers off by a hypercall. Xen tools/libacpi/build.c; ACPI 6.4 section 5.2.
 */
export function buildXenAcpiTables(options: XenAcpiOptions = {}): AcpiTables {
  const bootArch = options.bootArch ?? FadtBootArch.VGA_NOT_PRESENT | FadtBootArch.CMOS_RTC_NOT_PRESENT;
  const builder = new AcpiBuilder(maker, layout.xenAcpi, PAGE_BYTES);
  const facsTable = Facs.encode({ Signature: ascii('FACS'), Length: Facs.size, Version: 1 });
  const facs = builder.place('FACS', facsTable, [Facs], 64);
  const aml = dsdtBody();
  const dsdt = builder.place('DSDT', builder.table('DSDT', 5, aml), [headerPart, { name: 'AML', bytes: aml.length }]);
  const addresses = { facs: facs.address, dsdt: dsdt.address };
  const legacy = builder.place('FADT (revision 1)', legacyFadt(builder, addresses), [Fadt]);
  const fadt = builder.place('FADT', fadtTable(builder, addresses, bootArch), [Fadt]);
  const madt = builder.place('MADT', builder.table('APIC', 2, madtBody()), [
    headerPart,
    MadtBody,
    { name: 'LocalApic', of: MadtLocalApic },
  ]);
  const xsdt = builder.place(
    'XSDT',
    builder.table('XSDT', 1, concatenate([fadt, madt].map(({ address }) => XsdtEntry.encode({ Address: address })))),
    [headerPart, { name: 'Entry', of: XsdtEntry, count: 2 }],
  );
  const rsdt = builder.place(
    'RSDT',
    builder.table('RSDT', 1, concatenate([legacy, madt].map(({ address }) => RsdtEntry.encode({ Address: address })))),
    [headerPart, { name: 'Entry', of: RsdtEntry, count: 2 }],
  );
  const info = XenAcpiInfo.encode({
    nr_cpus: 1,
    madt_csum_addr: madt.address + TableHeader.offsetOf('Checksum'),
    madt_lapic0_addr: madt.address + TableHeader.size + MadtBody.size,
  });
  builder.placeAt(layout.xenAcpi, 'acpi_info', info, [XenAcpiInfo]);
  const rsdp = builder.placeAt(layout.xenRsdp, 'RSDP', builder.rsdp(xsdt.address, rsdt.address), [Rsdp]);
  return builder.tables(rsdp.address);
}

const localApicEntry = MadtLocalApic.encode({
  Type: MadtType.localApic,
  Length: MadtLocalApic.size,
  Flags: madtLocalApicEnabled,
});

function dsdtBody(): Uint8Array {
  const { processorBlock, processorBlockBytes } = xenAcpiPorts;
  const only = processor(
    'PR00',
    { id: 0, block: processorBlock, blockBytes: processorBlockBytes },
    named('_HID', text('ACPI0007')),
    named('_UID', integer(0)),
    named('_MAT', buffer([...localApicEntry])),
    named('_STA', integer(0xf)),
  );
  return Uint8Array.from(scope('\\_SB', only));
}

/** PCAT_COMPAT is set although no 8259 answers: libacpi always sets it, and a guest probes for one. */
function madtBody(): Uint8Array {
  const body = MadtBody.encode({
    LocalInterruptControllerAddress: layout.localApic,
    Flags: MadtFlag.PCAT_COMPAT,
  });
  return concatenate([body, localApicEntry]);
}

interface Addresses {
  readonly facs: number;
  readonly dsdt: number;
}

/** The fields that both FADTs have. Latencies above 100 and 1000 us say: no C2, no C3. */
function fixedHardware({ facs, dsdt }: Addresses) {
  const { pm1Event, pm1EventBytes, pm1Control, pm1ControlBytes, gpe0, gpe0Bytes } = xenAcpiPorts;
  return {
    FIRMWARE_CTRL: facs,
    DSDT: dsdt,
    SCI_INT: systemControlInterrupt,
    PM1a_EVT_BLK: pm1Event,
    PM1a_CNT_BLK: pm1Control,
    GPE0_BLK: gpe0,
    PM1_EVT_LEN: pm1EventBytes,
    PM1_CNT_LEN: pm1ControlBytes,
    GPE0_BLK_LEN: gpe0Bytes,
    P_LVL2_LAT: 0xfff,
    P_LVL3_LAT: 0xfff,
    Flags:
      FadtFlag.PROC_C1 |
      FadtFlag.WBINVD |
      FadtFlag.FIX_RTC |
      FadtFlag.TMR_VAL_EXT |
      FadtFlag.USE_PLATFORM_CLOCK |
      FadtFlag.PWR_BUTTON |
      FadtFlag.SLP_BUTTON,
  } as const;
}

const ioBlock = (address: number, bytes: number) => ({
  AddressSpaceID: AddressSpace.systemIo,
  RegisterBitWidth: 8 * bytes,
  Address: address,
});

/** Revision 5. The reset register is named, the flag that it works is not set: nothing answers at its port. */
function fadtTable(builder: AcpiBuilder, addresses: Addresses, bootArch: number): Uint8Array {
  const { pm1Event, pm1EventBytes, pm1Control, pm1ControlBytes } = xenAcpiPorts;
  const bytes = Fadt.encode({
    ...fixedHardware(addresses),
    Header: builder.header('FACP', 5, fadtBytes.revision5),
    IAPC_BOOT_ARCH: bootArch,
    RESET_REG: ioBlock(ports.resetControl, 1),
    RESET_VALUE: resetValue,
    X_FIRMWARE_CTRL: addresses.facs,
    X_DSDT: addresses.dsdt,
    X_PM1a_EVT_BLK: ioBlock(pm1Event, pm1EventBytes),
    X_PM1a_CNT_BLK: ioBlock(pm1Control, pm1ControlBytes),
  });
  return withTableChecksum(bytes.slice(0, fadtBytes.revision5));
}

/** Revision 1, which the RSDT names: for systems that know no longer one. */
function legacyFadt(builder: AcpiBuilder, addresses: Addresses): Uint8Array {
  const bytes = Fadt.encode({
    ...fixedHardware(addresses),
    Header: builder.header('FACP', 1, fadtBytes.revision1),
  });
  return withTableChecksum(bytes.slice(0, fadtBytes.revision1));
}
