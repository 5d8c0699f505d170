import { expect } from 'chai';
import { Fadt, FadtFlag } from '../../firmware-tables/acpi/fadt.js';
import { MadtBody, MadtIoApic, MadtLocalApic } from '../../firmware-tables/acpi/madt.js';
import { Rsdp } from '../../firmware-tables/acpi/rsdp.js';
import { TableHeader } from '../../firmware-tables/acpi/table-header.js';
import { XsdtEntry } from '../../firmware-tables/acpi/xsdt.js';
import { buildAcpiTables } from '../../src/devices/acpi.js';
import { eisaId, integer, named, packageOf, resources } from '../../src/devices/aml.js';

const base = 0xe0000;
const { bytes, rsdp } = buildAcpiTables(base, { localApic: 0xfee0_0000, ioApic: 0xfec0_0000 });
const sum = (from: number, length: number) =>
  bytes.subarray(from, from + length).reduce((total, byte) => (total + byte) & 0xff, 0);
const ascii = (field: Uint8Array) => String.fromCharCode(...field);
const at = (address: bigint | number) => Number(address) - base;
const root = Rsdp.decode(bytes);
const xsdtAt = at(root.XsdtAddress);
const entries = (TableHeader.decode(bytes, xsdtAt).Length - TableHeader.size) / XsdtEntry.size;
const tables = new Map(
  Array.from({ length: entries }, (_, index) => {
    const offset = at(XsdtEntry.decode(bytes, xsdtAt + TableHeader.size + index * XsdtEntry.size).Address);
    return [ascii(TableHeader.decode(bytes, offset).Signature), offset] as const;
  }),
);
const fadt = Fadt.decode(bytes, tables.get('FACP') ?? -1);

describe('ACPI tables (ACPI 6.5)', () => {
  it('5.2.5.3 RSDP: signature on a 16-byte boundary, revision 2, both checksums', () => {
    expect(rsdp).to.equal(base);
    expect(ascii(root.Signature)).to.equal('RSD PTR ');
    expect([root.Revision, root.Length, sum(0, 20), sum(0, 36)]).to.deep.equal([2, 36, 0, 0]);
  });
  it('5.2.8 XSDT names FADT first and MADT; every table sums to 0 over its length', () => {
    expect([...tables.keys()]).to.deep.equal(['FACP', 'APIC']);
    for (const offset of [xsdtAt, ...tables.values(), at(fadt.X_DSDT)]) {
      expect(sum(offset, TableHeader.decode(bytes, offset).Length)).to.equal(0);
    }
  });
  it('5.2.9 FADT: hardware-reduced, no legacy devices, reset and sleep registers in I/O space', () => {
    expect(fadt.Flags & FadtFlag.HW_REDUCED_ACPI).to.not.equal(0);
    expect(fadt.Flags & FadtFlag.RESET_REG_SUP).to.not.equal(0);
    expect(fadt.IAPC_BOOT_ARCH).to.equal(0x24);
    expect([fadt.RESET_REG.Address, fadt.RESET_VALUE]).to.deep.equal([0xcf9n, 6]);
    expect([fadt.SLEEP_CONTROL_REG.Address, fadt.SLEEP_STATUS_REG.Address]).to.deep.equal([0x600n, 0x604n]);
    expect(fadt.SLEEP_CONTROL_REG.AddressSpaceID).to.equal(1);
  });
  it('5.2.9 FADT: the fields lie where table 5.9 puts them', () => {
    expect(Fadt.offsetOf('Flags')).to.equal(112);
    expect(Fadt.offsetOf('RESET_REG')).to.equal(116);
    expect(Fadt.offsetOf('X_DSDT')).to.equal(140);
    expect(Fadt.offsetOf('SLEEP_CONTROL_REG')).to.equal(244);
  });
  it('5.2.12 MADT: one enabled local APIC, one I/O APIC from interrupt 0', () => {
    const body = (tables.get('APIC') ?? -1) + TableHeader.size;
    expect(MadtBody.decode(bytes, body)).to.deep.equal({ LocalInterruptControllerAddress: 0xfee0_0000, Flags: 0 });
    const local = MadtLocalApic.decode(bytes, body + 8);
    expect(local).to.deep.equal({ Type: 0, Length: 8, ACPIProcessorUID: 0, APICID: 0, Flags: 1 });
    const io = MadtIoApic.decode(bytes, body + 16);
    expect([io.Type, io.Length, io.IOAPICAddress, io.GlobalSystemInterruptBase]).to.deep.equal([1, 12, 0xfec0_0000, 0]);
  });
});

describe('AML (ACPI 6.5 chapter 20)', () => {
  it('20.2.3 integers take the shortest constant', () => {
    expect(integer(1)).to.deep.equal([1]);
    expect(integer(5)).to.deep.equal([0x0a, 5]);
    expect(integer(0x3f8)).to.deep.equal([0x0b, 0xf8, 3]);
    expect(integer(0x12345678)).to.deep.equal([0x0c, 0x78, 0x56, 0x34, 0x12]);
  });
  it('19.3.4 EISAID("PNP0501") is 0x0105d041', () => {
    expect(eisaId('PNP0501')).to.deep.equal([0x0c, 0x41, 0xd0, 0x05, 0x01]);
    expect(() => eisaId('pnp501')).to.throw(RangeError, 'PNP0501');
  });
  it('20.2.4 a package of more than 63 bytes has a two-byte PkgLength that counts itself', () => {
    const elements = Array.from({ length: 70 }, () => integer(0));
    expect(packageOf(...elements).slice(0, 4)).to.deep.equal([0x12, 0x49, 0x04, 70]);
  });
  it('6.4.2.9 resources end with an end tag', () => {
    expect(resources()).to.deep.equal([0x11, 0x05, 0x0a, 0x02, 0x79, 0x00]);
  });
  it('refuses a name that is no NameSeg', () => {
    expect(() => named('TOOLONG', integer(0))).to.throw(RangeError, 'TOOLONG');
  });
});
