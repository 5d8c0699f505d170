import { expect } from 'chai';
import { cpuid } from '../../../src/cpu/cpuid.js';
import { xenCpuid } from '../../../src/xen/cpuid.js';
import { hypercallPage } from '../../../src/xen/hypercall-page.js';
import { tscScale } from '../../../src/xen/domain-time.js';
import { TestDomain } from '../../support/xen-domain.js';

const self = 0x7ff0;
const [EPERM, ENOENT, ESRCH, EACCES, EFAULT, EINVAL, ENOSYS, EOPNOTSUPP] = [-1, -2, -3, -13, -14, -22, -38, -95];
const at = 0x2000;
const text = (test: TestDomain, address: number): string =>
  new TextDecoder().decode(test.ram.bytes.subarray(address, test.ram.bytes.indexOf(0, address)));

describe('xen_version (xen/common/kernel.c)', () => {
  const version = 17;

  it('4.17.7, with its texts in fields filled with zeroes', () => {
    const test = new TestDomain();
    test.ram.bytes.fill(0xee, at, at + 2048);
    expect(test.call(version, 0)).to.equal(0x4_0011);
    expect(test.call(version, 1, at)).to.equal(0);
    expect(test.ram.bytes.slice(at, at + 17)).to.deep.equal(
      Uint8Array.of(0x2e, 0x37, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xee),
    );
    expect(test.call(version, 3, at)).to.equal(0);
    expect(text(test, at)).to.match(/^xen-3\.0-x86_64 hvm-3\.0-x86_32 /);
    expect(test.ram.bytes[at + 1023]).to.equal(0);
    expect(test.call(version, 2, at)).to.equal(0);
    expect(test.call(version, 4, at)).to.equal(0);
  });

  it('features of sub-map 0; no other sub-map', () => {
    const test = new TestDomain();
    expect(test.call(version, 6, test.store(at, [4, 0], [4, 0]))).to.equal(0);
    expect(test.u32(at + 4)).to.equal(0x1_2305);
    expect(test.call(version, 6, test.store(at, [4, 1], [4, 0]))).to.equal(EINVAL);
  });

  it("page size without a pointer, the domain's handle, virt_start by ABI", () => {
    const test = new TestDomain();
    expect([test.call(version, 7, 0), test.call(version, 7, at)]).to.deep.equal([4096, EINVAL]);
    expect(test.call(version, 8, at)).to.equal(0);
    expect(test.u32(at)).to.equal(0x6745_2301);
    expect(test.call(version, 5, at)).to.equal(0);
    expect(test.u64(at)).to.equal(0xffff_8000_0000_0000n);
    test.mode = 'narrow';
    test.store(at, [8, 0]);
    test.call(version, 5, at);
    expect(test.u64(at)).to.equal(0xf580_0000n);
  });

  it("Xen's command line and build are for domain 0", () => {
    const test = new TestDomain();
    expect(test.call(version, 9, at)).to.equal(0);
    expect(text(test, at)).to.equal('<denied>');
    expect(test.call(version, 10, at)).to.equal(EPERM);
    expect(test.call(version, 1, TestDomain.readOnly)).to.equal(EFAULT);
  });
});

describe('event_channel_op (xen/common/event_channel.c): structures in and out', () => {
  const events = 32;

  it('a port comes back in the structure, the result is 0; 32-bit callers have the same layouts', () => {
    for (const mode of ['wide', 'narrow'] as const) {
      const test = new TestDomain();
      test.mode = mode;
      expect(test.call(events, 1, test.store(at, [4, 0], [4, 0], [4, 99]))).to.equal(0);
      expect(test.u32(at + 8)).to.equal(3);
      expect(test.call(events, 7, test.store(at, [4, 0], [4, 99]))).to.equal(0);
      expect(test.u32(at + 4)).to.equal(4);
      expect(test.call(events, 6, test.store(at, [2, self], [2, 0], [4, 99]))).to.equal(0);
      expect(test.u32(at + 4)).to.equal(5);
      expect(test.call(events, 11, test.store(at, [8, 0x20], [4, 0], [4, 0], [8, 0]))).to.equal(0);
      expect(test.ram.bytes[at + 16]).to.equal(17);
      expect(test.call(events, 12, test.store(at, [8, 0x21]))).to.equal(0);
      expect(test.call(events, 13, test.store(at, [4, 3], [4, 1]))).to.equal(0);
    }
  });

  it('status: what a port is', () => {
    const test = new TestDomain();
    test.store(at, [2, self], [2, 0], [4, 2]);
    expect(test.call(events, 5, at)).to.equal(0);
    expect([8, 12, 16, 20].map((offset) => test.u32(at + offset))).to.deep.equal([2, 0, 0, 2]); // interdomain, with 0:2
    test.call(events, 1, test.store(at, [4, 0], [4, 0], [4, 0]));
    test.store(at, [2, self], [2, 0], [4, 3], [8, 0], [8, 0]);
    expect(test.call(events, 5, at)).to.equal(0);
    expect([test.u32(at + 8), test.u32(at + 16)]).to.deep.equal([4, 0]); // VIRQ_TIMER
  });

  it('an event to the console makes the toolstack take what is in its ring', () => {
    const test = new TestDomain();
    let output = '';
    test.domain.console.onOutput = (bytes) => (output += new TextDecoder().decode(bytes));
    const page = test.special.page(7);
    page.set(new TextEncoder().encode('hello'), 1024);
    new DataView(page.buffer, page.byteOffset).setUint32(3084, 5, true); // out_prod
    expect(test.call(events, 4, test.store(at, [4, 2]))).to.equal(0);
    expect(output).to.equal('hello');
  });

  it('errors: -EFAULT before anything, -ENOENT for a vCPU that is not there, -EINVAL for a port, -ENOSYS', () => {
    const test = new TestDomain();
    expect(test.call(events, 1, TestDomain.absent)).to.equal(EFAULT);
    expect(test.call(events, 1, test.store(at, [4, 0], [4, 1], [4, 0]))).to.equal(ENOENT);
    expect(test.call(events, 4, test.store(at, [4, 999]))).to.equal(EINVAL);
    expect(test.call(events, 15, at)).to.equal(ENOSYS);
  });
});

describe('grant_table_op (xen/common/grant_table.c)', () => {
  const grants = 20;
  const size = (test: TestDomain, dom = self, count = 1): number =>
    test.call(grants, 6, test.store(at, [2, dom], [2, 0], [4, 9], [4, 9], [4, 9]), count);

  it('query_size: 1 frame of 64; another domain is a status, not a result', () => {
    const test = new TestDomain();
    expect(size(test)).to.equal(0);
    expect([4, 8, 12].map((offset) => test.u32(at + offset) & 0xffff)).to.deep.equal([1, 64, 0]);
    expect(size(test, 0)).to.equal(0);
    expect(test.u32(at + 12) & 0xffff).to.equal(0xfff8);
    expect(size(test, 9)).to.equal(0);
    expect(test.u32(at + 12) & 0xffff).to.equal(0xfffe);
    expect([size(test, self, 2), size(test, self, 0)]).to.deep.equal([EINVAL, EINVAL]);
    expect(size(test, self, 0x8000_0000)).to.equal(EINVAL);
  });

  it('setup_table: grows the table and names the frames; too many are a general error', () => {
    const test = new TestDomain();
    test.call(12, 7, test.store(0x3000, [2, self], [2, 0], [4, 1], [8, 0], [8, 0x30]));
    const setup = (frames: number): number =>
      test.call(grants, 2, test.store(at, [2, self], [2, 0], [4, frames], [2, 9], [2, 0], [4, 0], [8, 0x4000]), 1);
    expect(setup(2)).to.equal(0);
    expect([test.u32(at + 8) & 0xffff, test.u64(0x4000), test.u64(0x4008)]).to.deep.equal([
      0,
      0x30n,
      0xffff_ffff_ffff_ffffn,
    ]);
    expect(setup(65)).to.equal(0);
    expect(test.u32(at + 8) & 0xffff).to.equal(0xffff);
  });

  it('versions 1 and 2: the reserved entries stay, the others go', () => {
    const test = new TestDomain();
    const frame = (): Uint8Array => test.domain.grants.frame(0)?.read() ?? new Uint8Array(0);
    test.domain.grants.frame(0)?.write(80, Uint8Array.of(1, 2, 3));
    expect(test.call(grants, 8, test.store(at, [4, 2]), 1)).to.equal(0);
    expect([frame()[0], frame()[8], frame()[80]]).to.deep.equal([1, 0xff, 0]);
    expect(test.call(grants, 10, test.store(at, [2, self], [2, 0], [4, 0]), 1)).to.equal(0);
    expect(test.u32(at + 4)).to.equal(2);
    expect(test.call(grants, 8, test.store(at, [4, 1]), 1)).to.equal(0);
    expect([frame()[0], frame()[4]]).to.deep.equal([1, 0xff]);
    expect(test.call(grants, 8, test.store(at, [4, 3]), 1)).to.equal(EINVAL);
    expect(test.u32(at)).to.equal(1);
  });

  it('nobody grants anything: map, unmap and copy say so in their status; what HVM domains lack is -ENOSYS', () => {
    const test = new TestDomain();
    test.store(at, [8, 0], [4, 0], [4, 8], [2, 0], [2, 0], [4, 0], [8, 0]);
    expect(test.call(grants, 0, at, 1)).to.equal(0);
    expect(test.u32(at + 16) >>> 16).to.equal(0xfffd);
    expect(test.call(grants, 1, test.store(at, [8, 0], [8, 0], [4, 7], [4, 0]), 1)).to.equal(0);
    expect(test.u32(at + 20) & 0xffff).to.equal(0xfffc);
    for (const operation of [3, 4, 7, 9, 12]) expect(test.call(grants, operation, at, 1)).to.equal(ENOSYS);
  });
});

describe('what a domU may not do', () => {
  it('console_io is -EPERM in a release build; physdev_op is not there without physical interrupts', () => {
    const test = new TestDomain();
    for (const operation of [0, 1, 2]) expect(test.call(18, operation, 1, at)).to.equal(EPERM);
    for (const operation of [2, 5, 8, 12, 21, 28]) expect(test.call(33, operation, at)).to.equal(ENOSYS);
    expect(test.call(33, 13, at)).to.equal(EPERM);
    expect(test.call(33, 13, TestDomain.absent)).to.equal(EFAULT);
  });

  it("the toolstack's calls: -EFAULT, then -EACCES for a wrong version, then -EPERM", () => {
    const test = new TestDomain();
    for (const [number, version] of [
      [7, 0x0300_0001],
      [35, 0x15],
      [36, 0x15],
    ] as const) {
      expect(test.call(number, TestDomain.absent)).to.equal(EFAULT);
      expect(test.call(number, test.store(at, [4, 1], [4, version + 1]))).to.equal(EACCES);
      expect(test.call(number, test.store(at, [4, 1], [4, version]))).to.equal(EPERM);
    }
    expect(test.call(40, 0)).to.equal(EOPNOTSUPP);
    expect(test.call(42, 0)).to.equal(EPERM);
    expect(test.call(29, 4, test.store(at, [2, 9], [2, 0], [4, 0]))).to.equal(ESRCH);
    expect(test.call(29, 7, at)).to.equal(EPERM);
  });
});

describe('CPUID, MSR and hypercall page (arch/x86/traps.c, hvm/vmx/vmx.c; public/arch-x86/cpuid.h)', () => {
  const leaf = (number: number, subleaf = 0) => xenCpuid(0x4000_0000 + number, subleaf, { domain: 1, tsc: tscScale });

  it('leaves 0x40000000 to 5', () => {
    const signature = new Uint8Array(Uint32Array.from((leaf(0) ?? []).slice(1)).buffer);
    expect(new TextDecoder().decode(signature)).to.equal('XenVMMXenVMM');
    expect(leaf(0)?.[0]).to.equal(0x4000_0005);
    expect(leaf(1)).to.deep.equal([0x4_0011, 0, 0, 0]);
    expect(leaf(2)).to.deep.equal([1, 0x4000_0000, 0, 0]);
    expect(leaf(3)?.[2], 'kHz').to.equal(1_000_000);
    expect(leaf(3, 1)).to.deep.equal([0, 0, 0x8000_0000, 1]);
    expect(leaf(4)).to.deep.equal([0x5c, 0, 1, 0]);
    expect([leaf(4, 1), leaf(5), leaf(6)]).to.deep.equal(new Array(3).fill([0, 0, 0, 0]));
    expect(leaf(-1)).to.equal(undefined);
  });

  it('the hypervisor bit and x2APIC are the machine to say', () => {
    const bits = (cpuid(1, 0, { hypervisor: true, x2apic: true })[2] ^ cpuid(1, 0)[2]) >>> 0;
    expect(bits).to.equal(0x8020_0000);
  });

  it('MSR 0x40000000 writes the page and reads 0; an index other than 0, no frame, another MSR: #GP', () => {
    const { domain, ram } = new TestDomain();
    expect(domain.writeMsr(0x4000_0000, 0x5000n)).to.equal(true);
    expect(ram.readPhysical(0x5000 + 32 * 29, 10)).to.deep.equal(
      Uint8Array.of(0xb8, 29, 0, 0, 0, 0x0f, 0x01, 0xc1, 0xc3, 0xcc),
    );
    expect(ram.readPhysical(0x5000 + 32 * 23, 3)).to.deep.equal(Uint8Array.of(0x0f, 0x0b, 0xcc));
    expect(domain.readMsr(0x4000_0000)).to.equal(0n);
    expect(domain.writeMsr(0x4000_0000, 0x5001n)).to.equal(false);
    expect(domain.writeMsr(0x4000_0000, 0x9000_0000n)).to.equal(false);
    expect(domain.writeMsr(0x4000_0001, 0n)).to.equal(false);
    expect(domain.readMsr(0x4000_0001)).to.equal(undefined);
    expect(hypercallPage('vmmcall')[7]).to.equal(0xd9);
  });
});

describe('a domain saved and restored', () => {
  it('goes on as it was: ports, timers, pages, parameters, what was logged', () => {
    const test = new TestDomain();
    test.call(12, 7, test.store(0x3000, [2, self], [2, 0], [4, 0], [8, 0], [8, 0x10]));
    test.call(12, 7, test.store(0x3000, [2, self], [2, 0], [4, 1], [8, 0], [8, 0x4_7fff]));
    test.call(32, 1, test.store(at, [4, 0], [4, 0], [4, 0]));
    test.call(34, 23, test.store(at, [4, 0], [1, 0x30]));
    test.call(24, 6, 0, test.store(at, [8, 5_000_000]));
    test.call(29, 6, test.store(at, [4, 0], [4, 3]));
    test.call(34, 0, test.store(at, [2, self], [2, 0], [4, 18], [8, 7]));
    test.call(55);
    const state = JSON.parse(JSON.stringify(test.domain.save())) as ReturnType<typeof test.domain.save>;
    const other = test.make();
    other.restore(state);
    expect(other.save()).to.deep.equal(state);
    expect(other.frames.readMmio(0x47ff_f000, 4)).to.equal(1);
    test.interrupts.length = 0;
    other.onEvent('xen periodic timer');
    expect(test.interrupts).to.deep.equal([0x30]);
    expect(other.params.get(18)).to.equal(7n);
  });
});
