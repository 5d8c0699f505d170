import { expect } from 'chai';
import { DeliveryMode, LocalApic, LocalApicMsr, LocalApicRegister as R } from '../../src/devices/local-apic.js';
import { FakeHost } from './fake-host.js';

function create() {
  const host = new FakeHost();
  const apic = new LocalApic(host);
  host.onEvent = () => {
    apic.onEvent();
  };
  const lines: boolean[] = [];
  const ends: number[] = [];
  const unsupported: string[] = [];
  apic.onLineChange = (asserted) => lines.push(asserted);
  apic.onEndOfInterrupt = (vector) => ends.push(vector);
  apic.onUnsupported = (what) => unsupported.push(what);
  const read = (offset: number) => apic.readMmio(offset, 4);
  const write = (offset: number, value: number) => {
    apic.writeMmio(offset, 4, value);
  };
  return { host, apic, lines, ends, unsupported, read, write };
}

function enabled() {
  const machine = create();
  machine.write(R.SVR, 0x1ff);
  return machine;
}

describe('local APIC (Intel SDM volume 3, chapter 11)', () => {
  describe('11.4.7.1 state after reset', () => {
    it('masks every LVT entry, disables by software, DFR all ones', () => {
      const { read } = create();
      for (const lvt of [0x320, 0x330, 0x340, 0x350, 0x360, 0x370]) expect(read(lvt)).to.equal(0x10000);
      expect(read(R.SVR)).to.equal(0xff);
      expect(read(R.DFR)).to.equal(0xffff_ffff);
      expect(read(R.ID)).to.equal(0);
    });
    it('is the bootstrap processor, enabled, at FEE00000H', () => {
      const { apic } = create();
      expect(apic.readMsr(LocalApicMsr.APIC_BASE)).to.equal(0xfee0_0900n);
      expect(apic.address).to.equal(0xfee0_0000);
    });
  });

  it('11.4.8 version: integrated xAPIC, six LVT entries', () => {
    expect(create().read(R.VERSION)).to.equal(0x0005_0014);
  });

  it('11.4.7.2 software disabled: interrupts are not accepted, LVT masks cannot be cleared', () => {
    const { apic, read, write } = create();
    apic.interrupt(0x40, false);
    expect(apic.line()).to.equal(false);
    write(R.LVT_TIMER, 0x40);
    expect(read(R.LVT_TIMER)).to.equal(0x1_0040);
  });

  it('11.4.7.2 disabling by software sets every LVT mask', () => {
    const { read, write } = enabled();
    write(R.LVT_LINT0, 0x700);
    expect(read(R.LVT_LINT0)).to.equal(0x700);
    write(R.SVR, 0xff);
    expect(read(R.LVT_LINT0)).to.equal(0x1_0700);
  });

  describe('11.4.4 IA32_APIC_BASE', () => {
    it('refuses reserved bits and x2APIC mode, which CPUID lacks', () => {
      const { apic } = create();
      expect(apic.writeMsr(LocalApicMsr.APIC_BASE, 0xfee0_0d00n)).to.equal(false);
      expect(apic.writeMsr(LocalApicMsr.APIC_BASE, 1n << 60n)).to.equal(false);
    });
    it('11.4.3 disabled for good: the window reads as nothing', () => {
      const { apic, read } = enabled();
      apic.interrupt(0x40, false);
      expect(apic.writeMsr(LocalApicMsr.APIC_BASE, 0xfee0_0100n)).to.equal(true);
      expect(read(R.VERSION)).to.equal(0xffff_ffff);
      expect(apic.line()).to.equal(false);
    });
  });

  describe('11.8.3 priorities', () => {
    it('delivers the highest vector first', () => {
      const { apic } = enabled();
      apic.interrupt(0x41, false);
      apic.interrupt(0x81, false);
      expect(apic.acknowledge()).to.equal(0x81);
      expect(apic.acknowledge()).to.equal(undefined);
    });
    it('holds a vector whose class is not above the class in service, until EOI', () => {
      const { apic, write, lines } = enabled();
      apic.interrupt(0x51, false);
      apic.acknowledge();
      apic.interrupt(0x5f, false);
      expect(apic.line()).to.equal(false);
      write(R.EOI, 0);
      expect(apic.acknowledge()).to.equal(0x5f);
      expect(lines).to.deep.equal([true, false, true, false]);
    });
    it('nests: a higher class interrupts a lower one and EOI ends the higher one', () => {
      const { apic, read, write } = enabled();
      apic.interrupt(0x31, false);
      apic.acknowledge();
      apic.interrupt(0x91, false);
      expect(apic.acknowledge()).to.equal(0x91);
      expect(read(R.PPR)).to.equal(0x90);
      write(R.EOI, 0);
      expect(read(R.PPR)).to.equal(0x30);
    });
    it('PPR is TPR when its class is not below the class in service', () => {
      const { apic, read, write } = enabled();
      apic.interrupt(0x31, false);
      apic.acknowledge();
      write(R.TPR, 0x35);
      expect(read(R.PPR)).to.equal(0x35);
    });
    it('a raised TPR withdraws what waits, a lowered one gives it back', () => {
      const { apic, lines } = enabled();
      apic.interrupt(0x41, false);
      apic.writeTaskPriority(4);
      expect(apic.acknowledge()).to.equal(undefined);
      apic.writeTaskPriority(3);
      expect(lines).to.deep.equal([true, false, true]);
      expect(apic.acknowledge()).to.equal(0x41);
    });
    it('11.8.6 CR8 is bits 4-7 of TPR', () => {
      const { apic, read, write } = enabled();
      apic.writeTaskPriority(0xa);
      expect(read(R.TPR)).to.equal(0xa0);
      write(R.TPR, 0x5f);
      expect(apic.readTaskPriority()).to.equal(5);
    });
  });

  describe('11.8.4 IRR, ISR and TMR', () => {
    it('show one bit a vector', () => {
      const { apic, read } = enabled();
      apic.interrupt(0x7f, true);
      expect(read(R.IRR + 0x30)).to.equal(0x8000_0000);
      expect(read(R.TMR + 0x30)).to.equal(0x8000_0000);
      apic.acknowledge();
      expect(read(R.IRR + 0x30)).to.equal(0);
      expect(read(R.ISR + 0x30)).to.equal(0x8000_0000);
    });
    it('one request waits while the same vector is in service', () => {
      const { apic, write } = enabled();
      apic.interrupt(0x40, false);
      apic.acknowledge();
      apic.interrupt(0x40, false);
      apic.interrupt(0x40, false);
      write(R.EOI, 0);
      expect(apic.acknowledge()).to.equal(0x40);
      write(R.EOI, 0);
      expect(apic.acknowledge()).to.equal(undefined);
    });
  });

  it('11.8.5 EOI is broadcast for level-triggered vectors only', () => {
    const { apic, write, ends } = enabled();
    apic.interrupt(0x60, true);
    apic.acknowledge();
    write(R.EOI, 0);
    apic.interrupt(0x61, false);
    apic.acknowledge();
    write(R.EOI, 0);
    write(R.EOI, 0); // nothing in service
    expect(ends).to.deep.equal([0x60]);
  });

  describe('11.5.3 error handling', () => {
    it('ESR shows what gathered since the write before', () => {
      const { apic, read, write } = enabled();
      write(R.LVT_ERROR, 0xfe);
      apic.interrupt(5, false);
      expect(read(R.ESR)).to.equal(0);
      write(R.ESR, 0);
      expect(read(R.ESR)).to.equal(0x40);
      write(R.ESR, 0);
      expect(read(R.ESR)).to.equal(0);
      expect(apic.acknowledge()).to.equal(0xfe);
    });
    it('reports a reserved register and an illegal vector sent', () => {
      const { read, write } = enabled();
      read(0x40);
      write(R.ICR_LOW, 0x4_0003);
      write(R.ESR, 0);
      expect(read(R.ESR)).to.equal(0xa0);
    });
    it('an error entry with an illegal vector does not recurse', () => {
      const { apic, write } = enabled();
      write(R.LVT_ERROR, 3);
      apic.interrupt(5, false);
      expect(apic.line()).to.equal(false);
    });
  });

  describe('11.6.1 interrupt command register', () => {
    for (const [what, high, low, arrives] of [
      ['shorthand self', 0, 0x4_0050, true],
      ['all including self', 0, 0x8_0050, true],
      ['all excluding self', 0, 0xc_0050, false],
      ['physical, our ID', 0, 0x50, true],
      ['physical, another ID', 0x0100_0000, 0x50, false],
      ['physical broadcast', 0xff00_0000, 0x50, true],
    ] as const) {
      it(`${what}: ${arrives ? 'arrives' : 'reaches nobody'}`, () => {
        const { apic, read, write } = enabled();
        write(R.ICR_HIGH, high);
        write(R.ICR_LOW, low);
        expect(apic.acknowledge()).to.equal(arrives ? 0x50 : undefined);
        expect(read(R.ICR_LOW) & 0x1000).to.equal(0);
      });
    }
    it('an NMI to itself is named as unsupported', () => {
      const { write, unsupported } = enabled();
      write(R.ICR_LOW, 0x4_0400);
      expect(unsupported).to.have.length(1);
    });
    it('INIT level de-assert to all does nothing', () => {
      const { write, unsupported } = enabled();
      write(R.ICR_LOW, 0x8_8500);
      expect(unsupported).to.deep.equal([]);
    });
  });

  it('11.6.2.2 logical destinations: flat and cluster model', () => {
    const { apic, write } = enabled();
    const message = (destination: number) =>
      apic.message({ vector: 0x70, deliveryMode: DeliveryMode.fixed, destination, logical: true, level: false });
    write(R.LDR, 0x0200_0000);
    expect(message(0x06)).to.equal(true);
    expect(message(0x05)).to.equal(false);
    write(R.DFR, 0x0fff_ffff);
    write(R.LDR, 0x1200_0000);
    expect(message(0x13)).to.equal(true);
    expect(message(0x23)).to.equal(false);
  });

  describe('11.5.4 timer', () => {
    it('one-shot: counts crystal periods (40 ticks) times the divisor, interrupts once', () => {
      const { host, apic, read, write } = enabled();
      write(R.LVT_TIMER, 0xec);
      write(R.DIVIDE, 0x3); // by 16
      write(R.INITIAL_COUNT, 100);
      host.advanceTo(640);
      expect(read(R.CURRENT_COUNT)).to.equal(99);
      host.advanceTo(63_999);
      expect(read(R.CURRENT_COUNT)).to.equal(1);
      expect(apic.line()).to.equal(false);
      host.advanceTo(64_000);
      expect(read(R.CURRENT_COUNT)).to.equal(0);
      expect(apic.acknowledge()).to.equal(0xec);
      host.advanceTo(1e6);
      expect(apic.line()).to.equal(false);
    });
    it('the count runs before LVT is unmasked and an expiry while masked is lost', () => {
      const { host, apic, write } = enabled();
      write(R.DIVIDE, 0xb);
      write(R.INITIAL_COUNT, 10);
      host.advanceTo(400);
      write(R.LVT_TIMER, 0x40);
      expect(apic.line()).to.equal(false);
    });
    it('periodic: reloads without drift, also when served late', () => {
      const { host, apic, read, write } = enabled();
      write(R.LVT_TIMER, 0x2_0040);
      write(R.DIVIDE, 0xb); // by 1
      write(R.INITIAL_COUNT, 25);
      const times: number[] = [];
      for (let tick = 100; tick <= 4100; tick += 100) {
        host.advanceTo(tick);
        if (apic.acknowledge() === undefined) continue;
        times.push(tick);
        write(R.EOI, 0);
      }
      expect(times).to.deep.equal([1000, 2000, 3000, 4000]);
      expect(read(R.CURRENT_COUNT)).to.equal(23);
    });
    it('an initial count of 0 stops it', () => {
      const { host, write } = enabled();
      write(R.INITIAL_COUNT, 25);
      write(R.INITIAL_COUNT, 0);
      expect(host.events.size).to.equal(0);
    });
    it('figure 11-10: divides by 2 to 128 and by 1', () => {
      const { host, write } = enabled();
      const codes = [0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xa, 0xb];
      const periods = codes.map((code) => {
        write(R.DIVIDE, code);
        write(R.INITIAL_COUNT, 1);
        return [...host.events.values()][0];
      });
      expect(periods).to.deep.equal([80, 160, 320, 640, 1280, 2560, 5120, 40]);
    });
  });

  describe('11.5.4.1 TSC-deadline mode', () => {
    const deadline = LocalApicMsr.TSC_DEADLINE;
    it('reads 0 and ignores writes in the other modes', () => {
      const { host, apic } = enabled();
      apic.writeMsr(deadline, 1000n);
      expect(apic.readMsr(deadline)).to.equal(0n);
      expect(host.events.size).to.equal(0);
    });
    it('interrupts once when the TSC reaches it and reads 0 afterwards', () => {
      const { host, apic, read, write } = enabled();
      write(R.LVT_TIMER, 0x4_00ec);
      host.tscOffset = 500n;
      apic.writeMsr(deadline, 1500n);
      write(R.INITIAL_COUNT, 5); // ignored
      expect(read(R.CURRENT_COUNT)).to.equal(0);
      host.advanceTo(999);
      expect(apic.line()).to.equal(false);
      expect(apic.readMsr(deadline)).to.equal(1500n);
      host.advanceTo(1000);
      expect(apic.acknowledge()).to.equal(0xec);
      expect(apic.readMsr(deadline)).to.equal(0n);
    });
    it('a deadline in the past interrupts at once, 0 disarms', () => {
      const { host, apic, write } = enabled();
      write(R.LVT_TIMER, 0x4_00ec);
      host.tick = 5000;
      apic.writeMsr(deadline, 6000n);
      apic.writeMsr(deadline, 0n);
      expect(host.events.size).to.equal(0);
      apic.writeMsr(deadline, 4000n);
      expect(apic.acknowledge()).to.equal(0xec);
    });
    it('a change of the TSC moves the deadline', () => {
      const { host, apic, write } = enabled();
      write(R.LVT_TIMER, 0x4_00ec);
      apic.writeMsr(deadline, 6000n);
      host.tscOffset = 4000n;
      apic.timer.tscChanged();
      expect([...host.events.values()]).to.deep.equal([2000]);
    });
    it('leaving the mode disarms', () => {
      const { host, apic, write } = enabled();
      write(R.LVT_TIMER, 0x4_00ec);
      apic.writeMsr(deadline, 6000n);
      write(R.LVT_TIMER, 0xec);
      expect(host.events.size).to.equal(0);
    });
    it('a deadline beyond all time arms nothing', () => {
      const { host, apic, write } = enabled();
      write(R.LVT_TIMER, 0x4_00ec);
      apic.writeMsr(deadline, 0xffff_ffff_ffff_ffffn);
      expect(host.events.size).to.equal(0);
    });
  });

  it('state survives JSON: save, restore, same answers', () => {
    const first = enabled();
    first.write(R.LVT_TIMER, 0x4_00ec);
    first.apic.writeMsr(LocalApicMsr.TSC_DEADLINE, 6000n);
    first.apic.interrupt(0x51, true);
    first.apic.acknowledge();
    first.apic.interrupt(0x91, false);
    const second = create();
    second.apic.restore(JSON.parse(JSON.stringify(first.apic.save())) as ReturnType<LocalApic['save']>);
    expect(second.apic.save()).to.deep.equal(first.apic.save());
    expect(second.lines).to.deep.equal([true]);
    expect(second.apic.acknowledge()).to.equal(0x91);
    expect(second.apic.readMsr(LocalApicMsr.TSC_DEADLINE)).to.equal(6000n);
  });
});
