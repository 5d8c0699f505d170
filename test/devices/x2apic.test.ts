import { expect } from 'chai';
import { LocalApic, LocalApicMsr, LocalApicRegister as R } from '../../src/devices/local-apic.js';
import { SeededRandom } from '../../src/cpu/seeded-random.js';
import { FakeHost } from './fake-host.js';

const Mode = { disabled: 0xfee0_0100n, xapic: 0xfee0_0900n, x2apic: 0xfee0_0d00n, invalid: 0xfee0_0500n } as const;
const msrOf = (offset: number) => 0x800 + offset / 16;
const ICR = 0x830;
const SELF_IPI = 0x83f;

function create(x2apic = true) {
  const host = new FakeHost();
  const apic = new LocalApic(host, { x2apic });
  host.onEvent = () => {
    apic.onEvent();
  };
  const unsupported: string[] = [];
  apic.onUnsupported = (what) => unsupported.push(what);
  const enter = (mode: bigint) => apic.writeMsr(LocalApicMsr.APIC_BASE, mode);
  const read = (offset: number) => apic.readMsr(msrOf(offset));
  const write = (offset: number, value: bigint | number) => apic.writeMsr(msrOf(offset), BigInt(value));
  return { host, apic, unsupported, enter, read, write };
}

/** In x2APIC mode, enabled by software. */
function ready() {
  const machine = create();
  machine.enter(Mode.x2apic);
  machine.write(R.SVR, 0x1ff);
  return machine;
}

describe('x2APIC (Intel SDM volume 3, 11.12)', () => {
  describe('11.12.1, 11.12.5 modes', () => {
    it('without CPUID.1:ECX[21] the mode bit is reserved and the MSRs are #GP', () => {
      const { apic, enter } = create(false);
      expect(enter(Mode.x2apic)).to.equal(false);
      expect(apic.readMsr(0x802)).to.equal(undefined);
    });
    it('xAPIC to x2APIC and on to disabled and xAPIC', () => {
      const { apic, enter } = create();
      for (const mode of [Mode.x2apic, Mode.x2apic, Mode.disabled, Mode.xapic, Mode.x2apic, Mode.disabled]) {
        expect(enter(mode), mode.toString(16)).to.equal(true);
        expect(apic.readMsr(LocalApicMsr.APIC_BASE)).to.equal(mode);
      }
    });
    it('#GP: x2APIC back to xAPIC, disabled straight to x2APIC, EXTD without EN', () => {
      const refused = (from: bigint, to: bigint) => {
        const { apic, enter } = create();
        enter(from);
        const done = enter(to);
        return !done && apic.readMsr(LocalApicMsr.APIC_BASE) === from;
      };
      expect(refused(Mode.x2apic, Mode.xapic)).to.equal(true);
      expect(refused(Mode.disabled, Mode.x2apic)).to.equal(true);
      for (const from of [Mode.disabled, Mode.xapic, Mode.x2apic]) expect(refused(from, Mode.invalid)).to.equal(true);
    });
    it('11.12.5.1 entering keeps TPR, SVR and LVTs, and derives ID and LDR anew', () => {
      const { apic, enter, read } = create();
      for (const [offset, value] of [
        [R.SVR, 0x1ff],
        [R.TPR, 0x20],
        [R.LVT_TIMER, 0xec],
        [R.ID, 0x0500_0000],
        [R.LDR, 0x0800_0000],
      ] as const)
        apic.writeMmio(offset, 4, value);
      enter(Mode.x2apic);
      expect([R.SVR, R.TPR, R.LVT_TIMER, R.ID, R.LDR].map(read)).to.deep.equal([0x1ffn, 0x20n, 0xecn, 0n, 1n]);
    });
    it('disabling resets the registers', () => {
      const { enter, read, write } = ready();
      write(R.TPR, 0x30);
      enter(Mode.disabled);
      enter(Mode.xapic);
      enter(Mode.x2apic);
      expect([read(R.TPR), read(R.SVR), read(R.LVT_LINT0)]).to.deep.equal([0n, 0xffn, 0x1_0000n]);
    });
    it('11.12.2 the window is gone in x2APIC mode, the MSRs in the others', () => {
      const { apic, enter, read, write } = create();
      expect([read(R.VERSION), write(R.TPR, 0)]).to.deep.equal([undefined, false]);
      enter(Mode.x2apic);
      apic.writeMmio(R.TPR, 4, 0x40);
      expect([apic.readMmio(R.VERSION, 4), read(R.TPR)]).to.deep.equal([0xffff_ffff, 0n]);
      enter(Mode.disabled);
      expect(read(R.VERSION)).to.equal(undefined);
    });
  });

  describe('11.12.1.2 registers as MSRs', () => {
    const readable = [
      0x802, 0x803, 0x808, 0x80a, 0x80d, 0x80f, 0x828, 0x830, 0x832, 0x833, 0x834, 0x835, 0x836, 0x837, 0x838, 0x839,
      0x83e,
    ];
    const vectors = Array.from({ length: 24 }, (_, i) => 0x810 + i);
    const writeOnly = [0x80b, SELF_IPI];
    it('table 11-6: what exists can be read, what is write-only and all else of 0x800 to 0xbff is #GP', () => {
      const { apic } = ready();
      const found: number[] = [];
      for (let msr = 0x800; msr <= 0xbff; msr++) if (apic.readMsr(msr) !== undefined) found.push(msr);
      expect(found).to.deep.equal([...readable, ...vectors].sort((a, b) => a - b));
    });
    it('read-only registers refuse every write, 0 too', () => {
      for (const msr of [0x802, 0x803, 0x80a, 0x80d, 0x839, ...vectors]) {
        expect(ready().apic.writeMsr(msr, 0n), msr.toString(16)).to.equal(false);
      }
    });
    it('11.12.1.3 a reserved bit is #GP and changes nothing; the upper half is reserved everywhere but in ICR', () => {
      const cases: [number, bigint][] = [
        [0x808, 0x100n],
        [0x80b, 1n],
        [0x80f, 0x400n],
        [0x80f, 0x1000n],
        [0x828, 1n],
        [ICR, 0x1000n],
        [ICR, 0x2000n],
        [ICR, 0x1_0000n],
        [ICR, 0x10_0000n],
        [0x832, 0x8_00ecn],
        [0x832, 0x700n],
        [0x835, 0x2_0000n],
        [0x837, 0x700n],
        [0x83e, 4n],
        [SELF_IPI, 0x100n],
      ];
      for (const [msr, value] of cases) {
        const { apic } = ready();
        const before = JSON.stringify(apic.save());
        expect(apic.writeMsr(msr, value), `${msr.toString(16)} ${value.toString(16)}`).to.equal(false);
        expect(JSON.stringify(apic.save())).to.equal(before);
      }
      for (const msr of [...readable, ...writeOnly].filter((msr) => msr !== ICR)) {
        expect(ready().apic.writeMsr(msr, 1n << 32n), msr.toString(16)).to.equal(false);
      }
    });
    it('what Linux writes is taken: TPR, SVR, ESR, EOI, LVTs with their read-only bits, timer', () => {
      const { read, write } = ready();
      const writes: [number, number][] = [
        [R.TPR, 0xff],
        [R.SVR, 0x1ff],
        [R.ESR, 0],
        [R.EOI, 0],
        [R.LVT_TIMER, 0x4_10ec],
        [R.LVT_LINT0, 0x1_5700],
        [R.LVT_ERROR, 0xfe],
        [R.INITIAL_COUNT, 0xffff_ffff],
        [R.DIVIDE, 0xb],
      ];
      for (const [offset, value] of writes) expect(write(offset, value), offset.toString(16)).to.equal(true);
      expect([read(R.TPR), read(R.LVT_TIMER), read(R.LVT_LINT0)]).to.deep.equal([0xffn, 0x4_00ecn, 0x1_0700n]);
    });
    it('EOI, IRR and ISR work as in xAPIC mode', () => {
      const { apic, read, write } = ready();
      apic.interrupt(0x41, false);
      expect(read(R.IRR + 0x20)).to.equal(2n);
      expect(apic.acknowledge()).to.equal(0x41);
      expect([read(R.ISR + 0x20), read(R.PPR)]).to.deep.equal([2n, 0x40n]);
      expect(write(R.EOI, 0)).to.equal(true);
      expect(read(R.ISR + 0x20)).to.equal(0n);
    });
    it('the timer runs from its MSRs', () => {
      const { host, apic, read, write } = ready();
      write(R.LVT_TIMER, 0x55);
      write(R.DIVIDE, 0xb);
      write(R.INITIAL_COUNT, 10);
      expect(read(R.CURRENT_COUNT)).to.equal(10n);
      host.advanceTo(1e9);
      expect(apic.acknowledge()).to.equal(0x55);
    });
  });

  describe('11.12.9 ICR is one MSR: the write sends, the destination has 32 bits', () => {
    const sent = (value: bigint): number | undefined => {
      const { apic } = ready();
      expect(apic.writeMsr(ICR, value)).to.equal(true);
      return apic.acknowledge();
    };
    it('physical: the ID, everybody; not the ID in the xAPIC place', () => {
      expect(sent(0x4061n)).to.equal(0x61);
      expect(sent(0xffff_ffff_0000_4061n)).to.equal(0x61);
      expect(sent(0x0000_0002_0000_4061n)).to.equal(undefined);
      expect(sent(0x0100_0000_0000_4061n)).to.equal(undefined);
    });
    it('11.12.10.2 logical: cluster 0, bit 0', () => {
      expect(sent(0x0000_0001_0000_4861n)).to.equal(0x61);
      expect(sent(0x0000_0003_0000_4861n)).to.equal(0x61);
      expect(sent(0x0000_0002_0000_4861n)).to.equal(undefined);
      expect(sent(0x0001_0001_0000_4861n)).to.equal(undefined);
    });
    it('shorthands: self and all including self, not the others', () => {
      expect(sent(0x4_4061n)).to.equal(0x61);
      expect(sent(0x8_4061n)).to.equal(0x61);
      expect(sent(0xc_4061n)).to.equal(undefined);
    });
    it('reads back, without a delivery status', () => {
      const { apic } = ready();
      apic.writeMsr(ICR, 0x1234_5678_0000_4061n);
      expect(apic.readMsr(ICR)).to.equal(0x1234_5678_0000_4061n);
    });
    it('a vector below 16 is an error in ESR, which a write of 0 shows', () => {
      const { apic, read, write } = ready();
      apic.writeMsr(ICR, 0x4_400fn);
      write(R.ESR, 0);
      expect(read(R.ESR)).to.equal(1n << 5n);
    });
    it('INIT and SIPI to itself are named in the log', () => {
      const { apic, unsupported } = ready();
      apic.writeMsr(ICR, 0x4_c500n);
      expect(unsupported).to.deep.equal(['interprocessor interrupt to itself, delivery mode 5']);
    });
  });

  it('11.12.11 SELF IPI: the vector to itself, edge triggered, ICR untouched', () => {
    const { apic, read } = ready();
    expect(apic.writeMsr(SELF_IPI, 0xf2n)).to.equal(true);
    expect([apic.acknowledge(), read(R.TMR + 0x70), apic.readMsr(ICR)]).to.deep.equal([0xf2, 0n, 0n]);
  });

  it('an I/O APIC names 8 bits: ID 0, everybody, logical bits of cluster 0', () => {
    const { apic } = ready();
    const message = { vector: 0x31, deliveryMode: 0, level: false };
    expect(apic.message({ ...message, destination: 0, logical: false })).to.equal(true);
    expect(apic.message({ ...message, destination: 0xff, logical: false })).to.equal(true);
    expect(apic.message({ ...message, destination: 3, logical: true })).to.equal(true);
    expect(apic.message({ ...message, destination: 2, logical: false })).to.equal(false);
  });

  it('save and restore keep the mode, the upper half of ICR and what waits', () => {
    const { apic } = ready();
    apic.writeMsr(ICR, 0x0000_0009_0000_4061n);
    apic.interrupt(0x77, false);
    const other = create().apic;
    other.restore(JSON.parse(JSON.stringify(apic.save())) as ReturnType<LocalApic['save']>);
    expect([other.readMsr(LocalApicMsr.APIC_BASE), other.readMsr(ICR)]).to.deep.equal([
      Mode.x2apic,
      0x0000_0009_0000_4061n,
    ]);
    expect(other.acknowledge()).to.equal(0x77);
  });

  it('20,000 random accesses in every mode: no exception, no invalid mode, a saved state that restores to itself', () => {
    const random = new SeededRandom(11_12);
    const { apic } = create();
    const below = (limit: number) => Number(random.next64() % BigInt(limit));
    const values = [0n, 1n, 0xffn, 0x1ffn, 0x4_00ecn, 0x8_4061n, 0xffff_ffffn, 1n << 32n];
    for (let i = 0; i < 20_000; i++) {
      const value = below(4) === 0 ? random.next64() : (values[below(values.length)] ?? 0n);
      if (below(200) === 0) apic.writeMsr(LocalApicMsr.APIC_BASE, 0xfee0_0000n | (BigInt(below(16)) << 8n));
      apic.writeMsr(0x7f0 + below(0x60), value);
      apic.readMsr(0x7f0 + below(0x60));
      apic.writeMmio(below(1024) * 4, 4, Number(value & 0xffff_ffffn));
      apic.readMmio(below(1024) * 4, 4);
      if (below(3) === 0) apic.interrupt(below(256), below(2) === 0);
      if (below(3) === 0) apic.acknowledge();
      const base = apic.readMsr(LocalApicMsr.APIC_BASE) ?? 0n;
      if ((base & 0x400n) !== 0n) expect(base & 0x800n).to.equal(0x800n);
    }
    const state = JSON.stringify(apic.save());
    const other = create().apic;
    other.restore(JSON.parse(state) as ReturnType<LocalApic['save']>);
    expect(JSON.stringify(other.save())).to.equal(state);
  });
});
