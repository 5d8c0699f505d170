import { expect } from 'chai';
import * as s from '../../../src/cpu/state-layout.js';
import { absentPage, kernelStack, memory, sel, SystemCore, tss } from './system-fixture.js';

const GP = 13;
const gp0 = { vector: GP, error: 0 };

describe('ports and the flags register', function () {
  this.timeout(60_000);
  let core: SystemCore;
  beforeEach(() => {
    core = new SystemCore();
    core.ports = (port) => port * 0x0101_0101;
    core.set64(s.RDX, 0x55n);
  });
  const faultOf = (status: number): unknown => {
    expect(status).to.equal(s.STATUS_FAULT);
    return core.takeFault();
  };

  describe('IN and OUT', () => {
    it('AL and AX keep the rest, EAX is zero-extended', () => {
      core.set64(s.RAX, ~0n);
      core.run('inImmediate8', { immediate: 0x20n });
      expect(core.get64(s.RAX)).to.equal(0xffff_ffff_ffff_ff20n);
      core.run('inDx16');
      expect(core.get64(s.RAX)).to.equal(0xffff_ffff_ffff_5555n);
      core.run('inDx32');
      expect(core.get64(s.RAX)).to.equal(0x5555_5555n);
    });
    it('OUT gives the host its width', () => {
      core.set64(s.RAX, 0x1122_3344n);
      core.run('outImmediate8', { immediate: 0xe9n });
      core.run('outDx16');
      core.run('outDx32');
      expect(core.log).to.deep.equal([
        ['out', 0xe9, 1, 0x44],
        ['out', 0x55, 2, 0x3344],
        ['out', 0x55, 4, 0x1122_3344],
      ]);
    });
    it('leaves when the host asked for control or an interrupt can enter', () => {
      core.set32(s.INTERRUPT_LINE, 1);
      expect(core.run('outDx8')).to.equal(s.STATUS_CONTINUE);
      core.flags = 0x202n;
      expect(core.run('outDx8')).to.equal(s.STATUS_LEAVE);
      expect(core.get64(s.RIP)).to.equal(0x1002n);
    });
  });

  describe('I/O permission bitmap, SDM volume 1, 19.5.2', () => {
    beforeEach(() => {
      core.user();
      core.setRam(tss + 96, 0x80n << 48n); // the map base, at 102
    });
    it('a clear bit allows, a set bit is #GP(0)', () => {
      expect(core.run('inDx8')).to.equal(s.STATUS_CONTINUE);
      core.setRam(tss + 0x88, 1n << 21n); // port 0x55
      expect(faultOf(core.run('inDx8'))).to.deep.equal(gp0);
      core.set64(s.RDX, 0x54n);
      expect(core.run('inDx8')).to.equal(s.STATUS_CONTINUE);
      expect(faultOf(core.run('inDx16'))).to.deep.equal(gp0);
    });
    it('beyond the TSS limit: #GP(0)', () => {
      core.set32(s.SEG_TR + s.SEGMENT_LIMIT, 0x8a);
      expect(faultOf(core.run('outDx8'))).to.deep.equal(gp0);
    });
    it('CPL <= IOPL does not look at it', () => {
      core.set32(s.SEG_TR + s.SEGMENT_LIMIT, 0);
      core.set64(s.FLAGS_SYSTEM, 0x3002n);
      expect(core.run('outDx8')).to.equal(s.STATUS_CONTINUE);
    });
    it('CLI and STI: #GP(0) when CPL > IOPL', () => {
      expect(faultOf(core.run('cli'))).to.deep.equal(gp0);
      expect(faultOf(core.run('sti'))).to.deep.equal(gp0);
    });
  });

  describe('INS and OUTS', () => {
    it('REP INS commits each element and is cut at the budget', () => {
      core.set64(s.RDI, BigInt(memory));
      core.set64(s.RCX, 5n);
      core.set32(s.BUDGET, 2);
      expect(core.run('ins16', { flags: s.REC_REP })).to.equal(s.STATUS_REPEAT);
      expect([core.get64(s.RCX), core.get64(s.RDI), core.get32(s.BUDGET)]).to.deep.equal([2n, BigInt(memory + 6), 0]);
      expect(core.getRam(memory)).to.equal(0x5555_5555_5555n);
    });
    it('REP with RCX = 0 does nothing', () => {
      core.set64(s.RCX, 0n);
      expect(core.run('outs8', { flags: s.REC_REP })).to.equal(s.STATUS_CONTINUE);
      expect(core.log).to.deep.equal([]);
    });
    it('OUTS with DF goes backward; address size 32 clears the upper halves', () => {
      core.setRam(memory, 0x44_3322_1100n);
      core.set64(s.RSI, 0xf_0000_0000n + BigInt(memory + 2));
      core.set64(s.RCX, 0xf_0000_0002n);
      core.flags = 0x402n;
      expect(core.run('outs8', { flags: s.REC_REP | s.REC_ADDRESS32 })).to.equal(s.STATUS_CONTINUE);
      expect(core.log.map((entry) => entry[3])).to.deep.equal([0x22, 0x11]);
      expect([core.get64(s.RSI), core.get64(s.RCX)]).to.deep.equal([BigInt(memory), 0n]);
    });
    it('INS probes the destination before it reads the port', () => {
      let reads = 0;
      core.ports = () => ++reads;
      core.set64(s.RDI, BigInt(absentPage));
      expect((faultOf(core.run('ins8')) as { vector: number }).vector).to.equal(14);
      expect(reads).to.equal(0);
    });
    it('the host gets control between elements, RIP at the instruction', () => {
      core.set64(s.RSI, BigInt(memory));
      core.set64(s.RCX, 3n);
      core.set32(s.STOP_REQUESTED, 1);
      expect(core.run('outs8', { flags: s.REC_REP })).to.equal(s.STATUS_LEAVE);
      expect([core.get64(s.RCX), core.get64(s.RIP)]).to.deep.equal([2n, 0x1000n]);
    });
  });

  describe('RFLAGS, SDM volume 1, 3.4.3', () => {
    it('the lazy form holds every combination of arithmetic flags', () => {
      for (let n = 0; n < 64; n++) {
        const value = [0, 2, 4, 6, 7, 11].reduce(
          (flags, bit, i) => (n & (1 << i) ? flags | (1n << BigInt(bit)) : flags),
          2n,
        );
        core.flags = value;
        expect(core.flags).to.equal(value);
        core.call('writeFlags', 0n, 0x40n);
        expect(core.flags, 'ZF alone cleared').to.equal(value & ~0x40n);
      }
    });
    it('PUSHF reads RF and VM as 0', () => {
      core.flags = 0x3_0246n;
      core.run('pushf64');
      expect(core.getRam(kernelStack - 8)).to.equal(0x246n);
    });
    const popf = (value: bigint, name = 'popf64'): number => {
      core.frame([value]);
      return core.run(name);
    };
    it('POPF at CPL 0 changes IOPL and IF, never VM and RF', () => {
      expect(popf(~0n)).to.equal(s.STATUS_LEAVE); // TF is set: the host steps
      expect(core.flags).to.equal(0x24_7fd7n);
    });
    it('POPF at CPL 3: IOPL stays, IF changes only with CPL <= IOPL', () => {
      core.user();
      popf(0x3202n);
      expect(core.flags).to.equal(2n);
      core.flags = 0x3002n;
      popf(0x202n);
      expect(core.flags).to.equal(0x3202n);
    });
    it('16-bit POPF leaves the upper half', () => {
      core.flags = 0x20_0002n;
      core.frame([0n]);
      core.run('popf16');
      expect(core.flags).to.equal(0x20_0002n);
      expect(core.get64(s.RSP)).to.equal(BigInt(kernelStack - 6));
    });
    it('POPF that opens the interrupt window leaves', () => {
      core.set32(s.INTERRUPT_LINE, 1);
      expect(popf(0x202n)).to.equal(s.STATUS_LEAVE);
    });
    it('STI shadows one instruction when IF was 0, and not when it was 1', () => {
      core.run('sti');
      expect(core.view.getFloat64(s.SHADOW_TICK, true)).to.equal(900);
      core.view.setFloat64(s.SHADOW_TICK, -1, true);
      core.run('sti');
      expect(core.view.getFloat64(s.SHADOW_TICK, true)).to.equal(-1);
    });
    it('INTO in protected mode looks at OF', () => {
      core = new SystemCore('legacy');
      core.gate(4, { selector: sel.code64 });
      expect(core.run('into')).to.equal(s.STATUS_CONTINUE);
      core.flags = 0x802n;
      expect(core.run('into')).to.equal(s.STATUS_JUMP);
    });
  });
});
