import { expect } from 'chai';
import { IoApic, IoApicWindow as W } from '../../src/devices/io-apic.js';
import type { InterruptMessage } from '../../src/devices/local-apic.js';

function create() {
  const sent: InterruptMessage[] = [];
  const apic = new IoApic((message) => {
    sent.push(message);
    return true;
  });
  const write = (register: number, value: number) => {
    apic.writeMmio(W.IOREGSEL, 4, register);
    apic.writeMmio(W.IOWIN, 4, value);
  };
  const read = (register: number) => {
    apic.writeMmio(W.IOREGSEL, 4, register);
    return apic.readMmio(W.IOWIN, 4);
  };
  return { apic, sent, read, write };
}

const low = (pin: number) => 0x10 + 2 * pin;
const high = (pin: number) => 0x11 + 2 * pin;

describe('I/O APIC (Intel 82093AA)', () => {
  it('3.2.2 version: 24 entries', () => {
    expect(create().read(1)).to.equal(0x0017_0020);
  });
  it('3.2.1 ID is written in bits 24-27', () => {
    const { read, write } = create();
    write(0, 0xff12_3456);
    expect(read(0)).to.equal(0x0f00_0000);
    expect(read(2)).to.equal(0x0f00_0000);
  });
  it('3.2.4 entries are masked after reset; delivery status and remote IRR are read only', () => {
    const { read, write } = create();
    expect(read(low(23))).to.equal(0x1_0000);
    write(low(23), 0xffff_ffff);
    expect(read(low(23))).to.equal(0x1_afff);
  });
  it('an index beyond the table reads 0', () => {
    expect(create().read(0x40)).to.equal(0);
  });
  it('edge: one message for each rise, with vector and destination', () => {
    const { apic, sent, write } = create();
    write(high(4), 0x0100_0000);
    write(low(4), 0x0934);
    apic.setLine(4, true);
    apic.setLine(4, true);
    apic.setLine(4, false);
    apic.setLine(4, true);
    expect(sent).to.deep.equal(
      Array(2).fill({ vector: 0x34, deliveryMode: 1, destination: 1, logical: true, level: false }),
    );
  });
  it('3.2.4 edge on a masked pin is lost', () => {
    const { apic, sent, write } = create();
    apic.setLine(4, true);
    write(low(4), 0x34);
    expect(sent).to.deep.equal([]);
  });
  it('level: remote IRR holds the pin until EOI, then it interrupts again while asserted', () => {
    const { apic, sent, read, write } = create();
    write(low(9), 0x8039);
    apic.setLine(9, true);
    expect(read(low(9)) & 0x4000).to.equal(0x4000);
    apic.setLine(9, true);
    expect(sent).to.have.length(1);
    apic.endOfInterrupt(0x39);
    expect(sent).to.have.length(2);
    apic.setLine(9, false);
    apic.writeMmio(W.EOI, 4, 0x39);
    expect(read(low(9)) & 0x4000).to.equal(0);
    expect(sent).to.have.length(2);
  });
  it('level: unmasking an asserted pin interrupts', () => {
    const { apic, sent, write } = create();
    write(low(9), 0x1_8039);
    apic.setLine(9, true);
    expect(sent).to.deep.equal([]);
    write(low(9), 0x8039);
    expect(sent).to.have.length(1);
  });
  it('switching a pin to edge and back clears remote IRR', () => {
    const { apic, read, write } = create();
    write(low(9), 0x8039);
    apic.setLine(9, true);
    apic.setLine(9, false);
    write(low(9), 0x1_0039);
    write(low(9), 0x1_8039);
    expect(read(low(9)) & 0x4000).to.equal(0);
  });
  it('a message that nobody takes leaves remote IRR clear', () => {
    const apic = new IoApic(() => false);
    apic.writeMmio(W.IOREGSEL, 4, low(9));
    apic.writeMmio(W.IOWIN, 4, 0x8039);
    apic.setLine(9, true);
    expect(apic.readMmio(W.IOWIN, 4) & 0x4000).to.equal(0);
  });
  it('state survives JSON', () => {
    const { apic, write } = create();
    write(low(9), 0x8039);
    apic.setLine(9, true);
    const copy = create().apic;
    copy.restore(JSON.parse(JSON.stringify(apic.save())) as ReturnType<IoApic['save']>);
    expect(copy.save()).to.deep.equal(apic.save());
  });
});
