import { expect } from 'chai';
import { Facs } from '../../firmware-tables/acpi/facs.js';
import { Fadt, fadtBytes, FadtBootArch, FadtFlag } from '../../firmware-tables/acpi/fadt.js';
import { MadtBody, MadtLocalApic } from '../../firmware-tables/acpi/madt.js';
import { Rsdp } from '../../firmware-tables/acpi/rsdp.js';
import { TableHeader } from '../../firmware-tables/acpi/table-header.js';
import { RsdtEntry, XsdtEntry } from '../../firmware-tables/acpi/xsdt.js';
import { XenAcpiInfo } from '../../firmware-tables/xen/acpi-info.js';
import { buildXenAcpiTables } from '../../src/devices/acpi-xen.js';

const { address, bytes, rsdp } = buildXenAcpiTables();
const ascii = (field: Uint8Array) => String.fromCharCode(...field);
const at = (physical: bigint | number) => Number(physical) - address;
const sum = (from: number, length: number) =>
  bytes.subarray(from, from + length).reduce((total, byte) => (total + byte) & 0xff, 0);
const root = Rsdp.decode(bytes, at(rsdp));
const entriesOf = (table: number, entry: typeof XsdtEntry | typeof RsdtEntry): number[] =>
  Array.from({ length: (TableHeader.decode(bytes, table).Length - TableHeader.size) / entry.size }, (_, i) =>
    at(entry.decode(bytes, table + TableHeader.size + i * entry.size).Address),
  );
const xsdt = entriesOf(at(root.XsdtAddress), XsdtEntry);
const rsdt = entriesOf(at(root.RsdtAddress), RsdtEntry);
const signature = (table: number) => ascii(bytes.subarray(table, table + 4));
/** A short FADT, the fields behind its end zero. */
const fadtAt = (table: number) => {
  const whole = new Uint8Array(Fadt.size);
  whole.set(bytes.subarray(table, table + TableHeader.decode(bytes, table).Length));
  return Fadt.decode(whole);
};
const fadt = fadtAt(xsdt[0] ?? -1);
const madt = xsdt[1] ?? -1;

describe('ACPI tables of a PVH domain (Xen tools/libacpi, ACPI 6.4)', () => {
  it('libxl_x86_acpi.c: acpi_info at 0xfc000000, the tables a page above, the RSDP in the 64 bytes at 0xfc008000', () => {
    expect([address, rsdp]).to.deep.equal([0xfc00_0000, 0xfc00_8000]);
    expect(bytes.length).to.be.within(0x8000 + Rsdp.size, 0x8040);
    const tables = [at(root.XsdtAddress), at(root.RsdtAddress), ...xsdt, ...rsdt, at(fadt.X_DSDT)];
    for (const table of tables) expect(table).to.be.within(0x1000, 0x7fff);
  });
  it('5.2.5.3 RSDP: revision 2, both checksums, RSDT and XSDT', () => {
    expect(ascii(root.Signature)).to.equal('RSD PTR ');
    expect([root.Revision, sum(at(rsdp), 20), sum(at(rsdp), 36)]).to.deep.equal([2, 0, 0]);
    expect(root.RsdtAddress).to.not.equal(0);
  });
  it('5.2.7, 5.2.8 RSDT and XSDT name FADT and MADT and no HPET, MCFG or SRAT; every table sums to 0', () => {
    expect(xsdt.map(signature)).to.deep.equal(['FACP', 'APIC']);
    expect(rsdt.map(signature)).to.deep.equal(['FACP', 'APIC']);
    const tables = [at(root.XsdtAddress), at(root.RsdtAddress), ...xsdt, ...rsdt, at(fadt.X_DSDT)];
    for (const table of tables) {
      const header = TableHeader.decode(bytes, table);
      expect(sum(table, header.Length), signature(table)).to.equal(0);
      expect(ascii(header.OEMID), signature(table)).to.equal('Xen\0\0\0');
    }
  });
  it('5.2.9 FADT: revision 5, not hardware-reduced, no VGA, no CMOS clock, no PM timer', () => {
    expect([fadt.Header.Revision, fadt.Header.Length]).to.deep.equal([5, fadtBytes.revision5]);
    expect(fadt.Flags & (FadtFlag.HW_REDUCED_ACPI | FadtFlag.RESET_REG_SUP)).to.equal(0);
    expect(fadt.IAPC_BOOT_ARCH).to.equal(FadtBootArch.VGA_NOT_PRESENT | FadtBootArch.CMOS_RTC_NOT_PRESENT);
    expect([fadt.PM_TMR_BLK, fadt.PM_TMR_LEN, fadt.SMI_CMD]).to.deep.equal([0, 0, 0]);
  });
  it('5.2.9 FADT: PM1 events at 0xb000, PM1 control at 0xb004, GPE0 at 0xafe0, interrupt 9', () => {
    expect([fadt.PM1a_EVT_BLK, fadt.PM1_EVT_LEN]).to.deep.equal([0xb000, 4]);
    expect([fadt.PM1a_CNT_BLK, fadt.PM1_CNT_LEN]).to.deep.equal([0xb004, 2]);
    expect([fadt.GPE0_BLK, fadt.GPE0_BLK_LEN, fadt.SCI_INT]).to.deep.equal([0xafe0, 4, 9]);
    expect([fadt.X_PM1a_EVT_BLK.Address, fadt.X_PM1a_EVT_BLK.RegisterBitWidth]).to.deep.equal([0xb000n, 32]);
    expect([fadt.X_PM1a_CNT_BLK.Address, fadt.X_PM1a_CNT_BLK.RegisterBitWidth]).to.deep.equal([0xb004n, 16]);
  });
  it('the RSDT names a FADT of revision 1 with the same FACS and DSDT', () => {
    const legacy = fadtAt(rsdt[0] ?? -1);
    expect([legacy.Header.Revision, legacy.Header.Length]).to.deep.equal([1, fadtBytes.revision1]);
    expect([legacy.DSDT, legacy.FIRMWARE_CTRL]).to.deep.equal([fadt.DSDT, fadt.FIRMWARE_CTRL]);
  });
  it('5.2.10 FACS: 64 bytes on a 64-byte boundary, version 1, the global lock free', () => {
    const facs = Facs.decode(bytes, at(fadt.FIRMWARE_CTRL));
    expect([ascii(facs.Signature), facs.Length, facs.Version, facs.GlobalLock]).to.deep.equal(['FACS', 64, 1, 0]);
    expect(fadt.FIRMWARE_CTRL % 64).to.equal(0);
    expect(fadt.X_FIRMWARE_CTRL).to.equal(BigInt(fadt.FIRMWARE_CTRL));
  });
  it('5.2.12 MADT: one enabled local APIC with ID 0 and nothing else', () => {
    expect(TableHeader.decode(bytes, madt).Length).to.equal(TableHeader.size + MadtBody.size + MadtLocalApic.size);
    expect(MadtBody.decode(bytes, madt + TableHeader.size)).to.deep.equal({
      LocalInterruptControllerAddress: 0xfee0_0000,
      Flags: 1,
    });
    expect(MadtLocalApic.decode(bytes, madt + TableHeader.size + MadtBody.size)).to.deep.equal({
      Type: 0,
      Length: 8,
      ACPIProcessorUID: 0,
      APICID: 0,
      Flags: 1,
    });
  });
  it("the DSDT has one processor and, as Xen's, no \\_S5", () => {
    const text = ascii(
      bytes.slice(at(fadt.X_DSDT), at(fadt.X_DSDT) + TableHeader.decode(bytes, at(fadt.X_DSDT)).Length),
    );
    expect(text).to.contain('PR00').and.contain('ACPI0007').and.not.contain('_S5');
  });
  it("acpi_info counts the processor and names the MADT's checksum and first entry", () => {
    const info = XenAcpiInfo.decode(bytes);
    expect(info).to.include({ present: 0, nr_cpus: 1, madt_csum_addr: address + madt + 9 });
    expect(info.madt_lapic0_addr).to.equal(address + madt + TableHeader.size + MadtBody.size);
  });
  it('the boot flags are data', () => {
    const other = buildXenAcpiTables({ bootArch: FadtBootArch.VGA_NOT_PRESENT });
    const whole = new Uint8Array(Fadt.size);
    whole.set(other.bytes.subarray(xsdt[0], (xsdt[0] ?? 0) + fadtBytes.revision5));
    expect(Fadt.decode(whole).IAPC_BOOT_ARCH).to.equal(FadtBootArch.VGA_NOT_PRESENT);
  });
});
