import { expect } from 'chai';
import { AcpiSleep } from '../../src/devices/acpi-sleep.js';
import { PitChannel2 } from '../../src/devices/pit-channel-2.js';
import { PortMap } from '../../src/devices/port-map.js';
import { ResetPorts } from '../../src/devices/reset-ports.js';
import { RtcCmos } from '../../src/devices/rtc-cmos.js';
import { FakeHost } from './fake-host.js';

describe('I/O port map', () => {
  const memory = () => {
    const bytes = new Map<number, number>();
    return {
      bytes,
      readPort: (port: number) => bytes.get(port) ?? 0,
      writePort: (port: number, _bytes: number, value: number) => void bytes.set(port, value),
    };
  };
  it('an empty port reads as all ones in every width and is logged once', () => {
    const lines: string[] = [];
    const map = new PortMap([], (_port, line) => lines.push(line));
    expect([map.readPort(0xcf8, 1), map.readPort(0xcf8, 2), map.readPort(0xcf8, 4)]).to.deep.equal([
      0xff, 0xffff, 0xffff_ffff,
    ]);
    map.writePort(0xcf8, 4, 0);
    expect(lines).to.deep.equal(['read of I/O port 0xcf8 (PCI configuration): nothing is there']);
  });
  it('splits a wide access to byte registers', () => {
    const device = memory();
    const map = new PortMap([{ name: 'bytes', first: 0x3f8, count: 8, device, split: true }]);
    map.writePort(0x3fe, 4, 0x4433_2211);
    expect([...device.bytes]).to.deep.equal([
      [0x3fe, 0x11],
      [0x3ff, 0x22],
    ]);
    expect(map.readPort(0x3fe, 4)).to.equal(0xffff_2211);
  });
  it('a dword at 0xcf8 does not reach the reset control at 0xcf9', () => {
    let resets = 0;
    const map = new PortMap([{ name: 'reset', first: 0xcf9, count: 1, device: new ResetPorts(() => resets++) }]);
    map.writePort(0xcf8, 4, 0x8000_0600);
    expect(resets).to.equal(0);
    map.writePort(0xcf9, 1, 6);
    expect(resets).to.equal(1);
  });
  it('refuses two devices at one port', () => {
    const range = { name: 'a', first: 0x10, count: 2, device: memory() };
    expect(() => new PortMap([range, { ...range, name: 'b', first: 0x11 }])).to.throw(RangeError, '0x11');
  });
});

describe('reset and power', () => {
  it('ICH9 13.7.5: bit 2 of 0xcf9 resets when it rises', () => {
    let resets = 0;
    const reset = new ResetPorts(() => resets++);
    reset.writePort(0xcf9, 1, 2);
    expect([resets, reset.readPort(0xcf9)]).to.deep.equal([0, 2]);
    reset.writePort(0xcf9, 1, 6);
    expect(resets).to.equal(1);
  });
  it('the keyboard controller is ready at once and pulses the reset line on 0xfe', () => {
    let resets = 0;
    const reset = new ResetPorts(() => resets++);
    expect(reset.readPort(0x64)).to.equal(0);
    reset.writePort(0x64, 1, 0xd1);
    expect(resets).to.equal(0);
    reset.writePort(0x64, 1, 0xfe);
    expect(resets).to.equal(1);
  });
  it('ACPI 6.5 4.8.3.7: SLP_EN with the type of _S5 powers off, other types are named', () => {
    let offs = 0;
    const unsupported: string[] = [];
    const sleep = new AcpiSleep(() => offs++);
    sleep.onUnsupported = (what) => unsupported.push(what);
    sleep.writePort(0x600, 1, 5 << 2);
    sleep.writePort(0x604, 1, 0xff);
    expect(offs).to.equal(0);
    sleep.writePort(0x600, 1, (3 << 2) | 0x20);
    expect([offs, unsupported.length]).to.deep.equal([0, 1]);
    sleep.writePort(0x600, 1, (5 << 2) | 0x20);
    expect(offs).to.equal(1);
  });
});

describe('real-time clock (Motorola MC146818A)', () => {
  const host = new FakeHost();
  const rtc = new RtcCmos(host, Date.UTC(2024, 1, 28, 23, 59, 58) / 1000);
  const read = (index: number) => {
    rtc.writePort(0x70, 1, index | 0x80);
    return rtc.readPort(0x71);
  };
  it('gives BCD time from the start second and virtual time, over a leap day', () => {
    host.tick = 0;
    expect([9, 8, 7, 4, 2, 0].map(read)).to.deep.equal([0x24, 0x02, 0x28, 0x23, 0x59, 0x58]);
    host.tick = 2_000_000_000;
    expect([9, 8, 7, 6, 4, 2, 0, 0x32].map(read)).to.deep.equal([0x24, 0x02, 0x29, 5, 0, 0, 0, 0x20]);
  });
  it('register A never shows an update in progress, D says the battery is good', () => {
    expect([read(0xa) & 0x80, read(0xb), read(0xc), read(0xd)]).to.deep.equal([0, 2, 0, 0x80]);
  });
  it('keeps CMOS bytes, not the time', () => {
    rtc.writePort(0x70, 1, 0x40);
    rtc.writePort(0x71, 1, 0x99);
    expect(read(0x40)).to.equal(0x99);
    rtc.writePort(0x70, 1, 9);
    rtc.writePort(0x71, 1, 0x99);
    expect(read(9)).to.equal(0x24);
  });
});

describe('8254 counter 2', () => {
  it('mode 0: the output at port 0x61 bit 5 rises after the count', () => {
    const host = new FakeHost();
    const pit = new PitChannel2(host);
    pit.writePort(0x61, 1, 1);
    pit.writePort(0x43, 1, 0xb0);
    pit.writePort(0x42, 1, 0xa9);
    pit.writePort(0x42, 1, 0x04); // 1193 periods: 999,847 ns
    host.tick = 999_000;
    expect(pit.readPort(0x61) & 0x20).to.equal(0);
    host.tick = 1_000_000;
    expect(pit.readPort(0x61) & 0x21).to.equal(0x21);
  });
  it('counts down 1,193,182 times a second, low byte first; a latch holds the count', () => {
    const host = new FakeHost();
    const pit = new PitChannel2(host);
    pit.writePort(0x61, 1, 1);
    pit.writePort(0x43, 1, 0xb0);
    pit.writePort(0x42, 1, 0xff);
    pit.writePort(0x42, 1, 0xff);
    host.tick = 10_000_000;
    pit.writePort(0x43, 1, 0x80);
    host.tick = 20_000_000;
    expect(pit.readPort(0x42) | (pit.readPort(0x42) << 8)).to.equal(0xffff - 11_931);
    expect(pit.readPort(0x42) | (pit.readPort(0x42) << 8)).to.equal(0xffff - 23_863);
  });
  it('counters 0 and 1 are not there and read 0', () => {
    const pit = new PitChannel2(new FakeHost());
    expect([pit.readPort(0x40), pit.readPort(0x41), pit.readPort(0x43)]).to.deep.equal([0, 0, 0]);
  });
});
