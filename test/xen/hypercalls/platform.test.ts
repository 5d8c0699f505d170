import { expect } from 'chai';
import { Errno } from '../../../src/xen/errno.js';
import { TestDomain } from '../../support/xen-domain.js';

const platformOp = 7;
const consoleIo = 18;
const xenVersion = 17;
const at = 0x2000;
const bufferAt = 0x3000;
const version = 0x0300_0001;
const [firmwareInfo, efiInfo] = [50, 4];

const firmware = {
  revision: 0x2_0064,
  vendor: 'ab',
  vendorRevision: 7,
  configurationTable: { address: 0xfeff_8000, entries: 1 },
} as const;
const dom0 = (): TestDomain => new TestDomain({ firmware });

/** XENPF_firmware_info of a type and index; more fields lie behind it. */
function ask(domain: TestDomain, type: number, index: number, interfaceVersion = version): number {
  domain.store(at, [4, firmwareInfo], [4, interfaceVersion], [4, type], [4, index]);
  return domain.call(platformOp, at);
}

describe('HYPERVISOR_platform_op (xen/arch/x86/platform_hypercall.c)', () => {
  it('-EFAULT for a pointer to nothing, -EACCES for another interface version, before the caller is looked at', () => {
    const domain = new TestDomain();
    expect(domain.call(platformOp, TestDomain.absent)).to.equal(Errno.EFAULT);
    expect(ask(domain, efiInfo, 0, 0x0300_0000)).to.equal(Errno.EACCES);
    expect(ask(dom0(), efiInfo, 0, 0)).to.equal(Errno.EACCES);
  });

  it('-EPERM for a domU', () => {
    expect(ask(new TestDomain(), efiInfo, 0)).to.equal(Errno.EPERM);
  });

  it('XEN_FW_EFI_VERSION, CONFIG_TABLE and VENDOR tell what the firmware left', () => {
    const domain = dom0();
    expect(ask(domain, efiInfo, 0)).to.equal(0);
    expect(domain.u32(at + 16)).to.equal(firmware.revision);
    expect(ask(domain, efiInfo, 1)).to.equal(0);
    expect(domain.u64(at + 16)).to.equal(0xfeff_8000n);
    expect(domain.u32(at + 24)).to.equal(1);
    domain.store(at + 16, [4, 0], [4, 100], [8, bufferAt]);
    expect(ask(domain, efiInfo, 2)).to.equal(0);
    expect(domain.u32(at + 16)).to.equal(firmware.vendorRevision);
    expect([...domain.ram.bytes.slice(bufferAt, bufferAt + 6)]).to.deep.equal([0x61, 0, 0x62, 0, 0, 0]);
  });

  it('the vendor fills no more than the buffer, in whole characters; -EFAULT where it cannot be written', () => {
    const domain = dom0();
    domain.ram.bytes.fill(0xff, bufferAt, bufferAt + 8);
    domain.store(at + 16, [4, 0], [4, 3], [8, bufferAt]);
    expect(ask(domain, efiInfo, 2)).to.equal(0);
    expect([...domain.ram.bytes.slice(bufferAt, bufferAt + 3)]).to.deep.equal([0x61, 0, 0xff]);
    domain.store(at + 16, [4, 0], [4, 100], [8, TestDomain.readOnly]);
    expect(ask(domain, efiInfo, 2)).to.equal(Errno.EFAULT);
  });

  it('without runtime services: XEN_FW_EFI_RT_VERSION and XENPF_efi_runtime_call are -EOPNOTSUPP', () => {
    const domain = dom0();
    expect(ask(domain, efiInfo, 4)).to.equal(Errno.EOPNOTSUPP);
    domain.store(at, [4, 49], [4, version]);
    expect(domain.call(platformOp, at)).to.equal(Errno.EOPNOTSUPP);
  });

  it('-ESRCH for memory and PCI ROMs that nobody knows, -EINVAL for other questions', () => {
    const domain = dom0();
    expect(ask(domain, efiInfo, 3)).to.equal(Errno.ESRCH);
    expect(ask(domain, efiInfo, 5)).to.equal(Errno.ESRCH);
    expect(ask(domain, efiInfo, 7)).to.equal(Errno.EINVAL);
    expect(ask(domain, 9, 0)).to.equal(Errno.EINVAL);
  });

  it('over a BIOS: -ENOSYS for EFI, -ESRCH for disks and screens that are not there, no shift keys held', () => {
    const domain = new TestDomain({});
    expect(ask(domain, efiInfo, 0)).to.equal(Errno.ENOSYS);
    for (const type of [1, 2, 3]) expect(ask(domain, type, 0)).to.equal(Errno.ESRCH);
    domain.store(at + 16, [1, 0xff]);
    expect(ask(domain, 5, 0)).to.equal(0);
    expect(domain.ram.bytes[at + 16]).to.equal(0);
  });

  it('-ENOSYS for every other command of dom0', () => {
    const domain = dom0();
    for (const command of [17, 48, 62, 64]) {
      domain.store(at, [4, command], [4, version]);
      expect(domain.call(platformOp, at)).to.equal(Errno.ENOSYS);
    }
  });
});

describe('what Xen keeps for dom0', () => {
  it('CONSOLEIO_write prints, in one piece or many; -EPERM for a domU (xen/drivers/char/console.c)', () => {
    const domain = dom0();
    let text = '';
    domain.domain.console.onOutput = (bytes) => (text += String.fromCharCode(...bytes));
    const line = 'x'.repeat(300);
    domain.ram.bytes.set(new TextEncoder().encode(line), bufferAt);
    expect(domain.call(consoleIo, 0, line.length, bufferAt)).to.equal(0);
    expect(text).to.equal(line);
    expect(domain.call(consoleIo, 0, 5, TestDomain.absent)).to.equal(Errno.EFAULT);
    expect(domain.call(consoleIo, 0, 0x8000_0000, bufferAt)).to.equal(Errno.E2BIG);
    expect(domain.call(consoleIo, 1, 5, bufferAt), 'CONSOLEIO_read').to.equal(0);
    expect(new TestDomain().call(consoleIo, 0, 1, bufferAt)).to.equal(Errno.EPERM);
  });

  it('CONSOLEIO_write of much goes on where it was, the instruction made again (hypercall_create_continuation)', () => {
    const domain = dom0();
    let written = 0;
    domain.domain.console.onOutput = (bytes) => (written += bytes.length);
    const [start, all] = [0x4000, 600_000];
    domain.ram.bytes.fill(0x2e, start, start + all);
    domain.call(consoleIo, 0, all, start);
    expect(written).to.be.within(1, all - 1);
    expect(domain.registers.get('rsi')).to.equal(BigInt(all - written));
    expect(domain.registers.get('rdx')).to.equal(BigInt(start + written));
  });

  it('XENVER_get_features has XENFEAT_dom0 (bit 11), a domU has not', () => {
    const features = (domain: TestDomain): number => {
      domain.store(at, [4, 0], [4, 0]);
      expect(domain.call(xenVersion, 6, at)).to.equal(0);
      return domain.u32(at + 4);
    };
    expect(features(dom0()) & ~features(new TestDomain())).to.equal(1 << 11);
  });
});
