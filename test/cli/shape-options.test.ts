import { expect } from 'chai';
import { UsageError } from '../../src/cli/errors.js';
import { parseDom0, parsePlatform, parsePvh, parseSubarch } from '../../src/cli/shape-options.js';
import { platforms } from '../../src/platform-description.js';

describe('--platform', () => {
  it('names a platform that fits --xen', () => {
    expect(parsePlatform(undefined, true)).to.equal(undefined);
    expect(parsePlatform('uart', false)).to.deep.equal(platforms.uart);
    expect(parsePlatform('uart', true)).to.deep.equal(platforms['xen-uart']);
    expect(parsePlatform('xen', true)).to.deep.equal(platforms.xen);
  });
  it('words change one field each', () => {
    expect(parsePlatform('xen,vga', true)).to.deep.equal({ ...platforms.xen, noVga: false });
    expect(parsePlatform('xen,rtc,no-x2apic', true)).to.deep.equal({ ...platforms.xen, noRtc: false, x2apic: false });
    expect(parsePlatform('uart,vga,rtc', false)).to.deep.equal({ ...platforms.uart, noVga: false, noRtc: false });
  });
  it('refuses what it does not know, and a machine without a console', () => {
    expect(() => parsePlatform('pc', false)).to.throw(UsageError, 'the platforms are uart and xen');
    expect(() => parsePlatform('xen,pit', true)).to.throw(UsageError, 'not "pit"');
    expect(() => parsePlatform('xen', false)).to.throw(UsageError, 'give --xen');
  });
});

describe('--pvh', () => {
  it('reads version, flags and place', () => {
    expect(parsePvh(undefined)).to.equal(undefined);
    expect(parsePvh('version=0')).to.deep.equal({ version: 0 });
    expect(parsePvh('version=1,flags=3,at=64M')).to.deep.equal({ version: 1, flags: 3, loadAt: 0x400_0000 });
    expect(parsePvh('at=0x4000000')).to.deep.equal({ loadAt: 0x400_0000 });
  });
  it('refuses other keys, versions and numbers', () => {
    expect(() => parsePvh('version=2')).to.throw(UsageError, 'version=0, version=1');
    expect(() => parsePvh('where=1M')).to.throw(UsageError, 'at=ADDRESS');
    expect(() => parsePvh('at=4G')).to.throw(UsageError, '32 bits');
    expect(() => parsePvh('at=')).to.throw(UsageError, '32 bits');
  });
});

describe('--subarch and --dom0', () => {
  it('read hardware_subarch and the firmware under Xen', () => {
    expect(parseSubarch(undefined)).to.equal(undefined);
    expect(parseSubarch('pc')).to.deep.equal({ hardwareSubarch: 0 });
    expect(parseSubarch('xen')).to.deep.equal({ hardwareSubarch: 2 });
    expect(parseDom0(undefined, false)).to.equal(undefined);
    expect(parseDom0('bios', true)).to.equal('bios');
    expect(parseDom0('efi', true)).to.equal('efi');
  });
  it('refuse other names, and dom0 without Xen', () => {
    expect(() => parseSubarch('lguest')).to.throw(UsageError, 'pc and xen');
    expect(() => parseDom0('uboot', true)).to.throw(UsageError, 'bios and efi');
    expect(() => parseDom0('efi', false)).to.throw(UsageError, 'give --xen');
  });
});
