import { expect } from 'chai';
import { BootParams, E820Type } from '../../firmware-tables/linux/boot-params.js';
import { ScreenInfo } from '../../firmware-tables/linux/screen-info.js';
import { SetupData, SetupDataType } from '../../firmware-tables/linux/setup-data.js';
import { readZeroPage } from '../../src/probe/hand-over/boot-params.js';
import { PlainRam } from '../support/ram.js';

const at = 0x1000;

describe('the zero page', () => {
  it('Linux zero-page.rst: fields that are not 0, e820, the chain of setup_data, command line and initrd', () => {
    const ram = new PlainRam(0x1_0000);
    ram.writePhysical(
      at,
      BootParams.encode({
        screen_info: ScreenInfo.encode({ orig_video_isVGA: 0x70, lfb_base: 0x8000_0000 }),
        acpi_rsdp_addr: 0xe0000n,
        ext_ramdisk_image: 1,
        e820_entries: 2,
        hdr: { type_of_loader: 0xb0, cmd_line_ptr: 0x3000, ramdisk_image: 0x5000, ramdisk_size: 7, setup_data: 0x4000 },
        e820_table: [
          { addr: 0n, size: 0x9fc00n, type: E820Type.ram },
          { addr: 0xe0000n, size: 0x1000n, type: 77 },
        ],
      }),
    );
    ram.writePhysical(0x3000, new TextEncoder().encode('console=ttyS0\0rest'));
    ram.writePhysical(0x4000, SetupData.encode({ next: 0x4100n, type: SetupDataType.RNG_SEED, len: 32 }));
    ram.writePhysical(0x4100, SetupData.encode({ next: 0n, type: 0x8000_0001, len: 16 }));
    expect(readZeroPage(ram, at)).to.deep.equal({
      fields: {
        'screen_info.orig_video_isVGA': '0x70',
        'screen_info.lfb_base': '0x80000000',
        acpi_rsdp_addr: '0xe0000',
        ext_ramdisk_image: '0x1',
        e820_entries: '0x2',
        'hdr.type_of_loader': '0xb0',
        'hdr.ramdisk_image': '0x5000',
        'hdr.ramdisk_size': '0x7',
        'hdr.cmd_line_ptr': '0x3000',
        'hdr.setup_data': '0x4000',
      },
      e820: [
        { start: 0, end: 0x9fc00, type: 'ram' },
        { start: 0xe0000, end: 0xe1000, type: '77' },
      ],
      setupData: [
        { type: 'RNG_SEED', bytes: 32 },
        { type: '0x80000001', bytes: 16 },
      ],
      commandLine: 'console=ttyS0',
      initrd: { address: 0x1_0000_5000, bytes: 7 },
    });
  });
  it('a chain that leads out of RAM or in a circle ends', () => {
    const ram = new PlainRam(0x1_0000);
    ram.writePhysical(at, BootParams.encode({ hdr: { setup_data: 0x4000, cmd_line_ptr: 0xfff_0000 } }));
    ram.writePhysical(0x4000, SetupData.encode({ next: 0x4000n, type: 1, len: 1 }));
    expect(readZeroPage(ram, at).setupData).to.have.length(64);
    expect(readZeroPage(ram, at).commandLine).to.equal(undefined);
    ram.writePhysical(0x4000, SetupData.encode({ next: 0x7fff_0000n, type: 1, len: 1 }));
    expect(readZeroPage(ram, at).setupData).to.deep.equal([{ type: 'E820_EXT', bytes: 1 }]);
  });
});
