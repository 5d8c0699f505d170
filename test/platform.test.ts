import { expect } from 'chai';
import { FadtBootArch } from '../firmware-tables/acpi/fadt.js';
import { ports } from '../src/devices/ports.js';
import { Platform, type PlatformHost } from '../src/platform.js';
import { layout } from '../src/memory/layout.js';
import { acpiTablesOf, machineParts, mapOf, platforms, type PlatformDescription } from '../src/platform-description.js';

function create(description?: PlatformDescription) {
  const log: string[] = [];
  const ram: { address: number; bytes: number }[] = [];
  const host: PlatformHost = {
    now: () => 0,
    schedule: () => undefined,
    cancel: () => undefined,
    tscToTicks: Number,
    setInterruptLine: () => undefined,
    powerOff: (reason) => log.push(`power off: ${reason}`),
    reset: (reason) => log.push(`reset: ${reason}`),
    log: (line) => log.push(line),
    writeRam: (address, { length }) => ram.push({ address, bytes: length }),
  };
  const platform = new Platform(host, { startSeconds: 0, ...(description ? { description } : {}) });
  return { platform, log, ram };
}

describe('platform xen: what libxl gives to a PVH domain', () => {
  it('no PIC, PIT, RTC, UART, PCI, reset port or PM timer: ports read all ones, writes are dropped, each is named once', () => {
    const { platform, log } = create(platforms.xen);
    const absent = [
      0x20,
      0x40,
      ports.systemControlB,
      0x64,
      0x71,
      0x3fd,
      ports.resetControl,
      ports.sleepControl,
      0xb008,
    ];
    for (const port of absent) {
      expect(platform.ports.readPort(port, 1), port.toString(16)).to.equal(0xff);
      platform.ports.writePort(port, 1, 0xfe);
    }
    expect(platform.ports.readPort(0xcfc, 4)).to.equal(0xffff_ffff);
    expect(log).to.have.length(absent.length + 1);
    expect(log.join('\n')).to.contain('PM timer').and.contain('COM1').and.not.contain('reset:');
  });
  it('PM1 control: SLP_EN is dropped as Xen drops it, and the log names the register', () => {
    const { platform, log } = create(platforms.xen);
    platform.ports.writePort(0xb004, 2, 0x3c01);
    expect(log).to.deep.equal(['write of I/O port 0xb004 (PM1 control block, ACPI): nothing is there']);
  });
  it('the special pages are memory: read and written with 1, 2 and 4 bytes, shared with whoever holds the page', () => {
    const { platform, log } = create(platforms.xen);
    platform.writeMmio(0xfeff_f000 + 3072, 4, 0x1234_5678);
    platform.writeMmio(0xfeff_f000 + 3073, 1, 0xaa);
    expect(platform.readMmio(0xfeff_f000 + 3072, 4)).to.equal(0x1234_aa78);
    const console = platform.specialPages?.page(7) ?? new Uint8Array();
    expect([...console.subarray(3072, 3076)]).to.deep.equal([0x78, 0xaa, 0x34, 0x12]);
    console[0] = 0x41;
    expect(platform.readMmio(0xfeff_f000, 1)).to.equal(0x41);
    expect(log).to.deep.equal([]);
  });
  it('the ACPI tables can be read where the map says, and nothing is written into RAM for them', () => {
    const { platform, ram, log } = create(platforms.xen);
    expect(platform.rsdp).to.equal(0xfc00_8000);
    const signature = [0, 4].map((offset) => platform.readMmio(platform.rsdp + offset, 4));
    expect(signature).to.deep.equal([0x2044_5352, 0x2052_5450]);
    expect([ram, log]).to.deep.equal([[], []]);
  });
  it('no I/O APIC: its window is as empty as any other', () => {
    const { platform, log } = create(platforms.xen);
    expect(platform.readMmio(0xfec0_0000, 4)).to.equal(0xffff_ffff);
    expect(log).to.deep.equal(['nothing answers at guest-physical 0xfec00000; reads give all ones']);
  });
  it('save and restore keep what the guest wrote into special pages and tables', () => {
    const { platform } = create(platforms.xen);
    platform.writeMmio(0xfeff_c000, 2, 0xbeef);
    platform.writeMmio(0xfc00_1010, 4, 1); // the FACS's global lock
    const state = JSON.parse(JSON.stringify(platform.save())) as ReturnType<Platform['save']>;
    expect(state).to.not.have.any.keys('ioApic', 'uart', 'pit', 'rtc', 'reset');
    const other = create(platforms.xen).platform;
    other.writeMmio(0xfeff_8000, 1, 9);
    other.restore(state);
    expect([0xfeff_c000, 0xfc00_1010, 0xfeff_8000].map((at) => other.readMmio(at, 4))).to.deep.equal([0xbeef, 1, 0]);
  });
});

describe('platform uart', () => {
  it('is the default: serial port, tables in RAM below 1 MiB, no special pages', () => {
    const { platform, ram } = create();
    expect(platform.uart).to.not.equal(undefined);
    expect(platform.specialPages).to.equal(undefined);
    expect(ram.map(({ address }) => address)).to.deep.equal([0xe_0000]);
    expect(Object.keys(platform.save())).to.deep.equal([
      'localApic',
      'ioApic',
      'uart',
      'pit',
      'rtc',
      'reset',
      'logged',
    ]);
  });
  it('under Xen has special pages besides, and its map reserves them', () => {
    const { platform } = create(platforms['xen-uart']);
    platform.writeMmio(0xfeff_8000, 1, 3);
    expect(platform.readMmio(0xfeff_8000, 1)).to.equal(3);
    expect(platform.uart).to.not.equal(undefined);
    expect(mapOf(platforms['xen-uart'])).to.deep.include({
      hole: true,
      reserved: [{ start: 0xfeff_8000, end: 0xff00_0000 }],
    });
    expect(mapOf(platforms.uart).reserved).to.deep.equal([]);
  });
});

describe('platform uart without a part', () => {
  const port = {
    uart: 0x3fd,
    pit: ports.systemControlB,
    rtc: 0x71,
    keyboard: 0x64,
    sleep: ports.sleepControl,
    reset: ports.resetControl,
  };
  for (const part of machineParts) {
    it(`${part}: nothing answers in its place, and the others are there`, () => {
      const { platform, log } = create({ ...platforms.uart, without: [part] });
      for (const [name, at] of Object.entries(port)) {
        log.length = 0;
        platform.ports.readPort(at, 1);
        expect(log.length, `${name} is empty`).to.equal(name === part ? 1 : 0);
      }
      platform.writeMmio(layout.ioApic, 4, 1); // IOREGSEL: the version
      const isThere = platform.readMmio(layout.ioApic + 0x10, 4) !== 0xffff_ffff;
      expect(isThere, 'I/O APIC').to.equal(part !== 'io-apic');
      const described = acpiTablesOf({ ...platforms.uart, without: [part] }).bytes;
      const whole = acpiTablesOf(platforms.uart).bytes;
      expect(Buffer.compare(described, whole) !== 0, 'the MADT lacks it').to.equal(part === 'io-apic');
    });
  }
});

describe('FADT boot flags as data (ACPI 6.4 table 5.11)', () => {
  for (const name of ['uart', 'xen'] as const) {
    for (const noVga of [true, false]) {
      for (const noRtc of [true, false]) {
        it(`${name}: VGA_NOT_PRESENT ${String(noVga)}, CMOS_RTC_NOT_PRESENT ${String(noRtc)}`, () => {
          const { address, bytes } = acpiTablesOf({ ...platforms[name], noVga, noRtc });
          const text = String.fromCharCode(...bytes);
          const flags: number[] = [];
          for (let at = text.indexOf('FACP'); at >= 0; at = text.indexOf('FACP', at + 1)) {
            if ((bytes[at + 8] ?? 0) > 1) flags.push((bytes[at + 109] ?? 0) | ((bytes[at + 110] ?? 0) << 8));
          }
          const vga = noVga ? FadtBootArch.VGA_NOT_PRESENT : 0;
          expect(flags, address.toString(16)).to.deep.equal([vga | (noRtc ? FadtBootArch.CMOS_RTC_NOT_PRESENT : 0)]);
        });
      }
    }
  }
});
