import { expect } from 'chai';
import * as s from '../../../src/cpu/state-layout.js';
import { memory, SystemCore } from './system-fixture.js';

const GP = 13;

describe('control and debug registers', function () {
  this.timeout(60_000);
  let core: SystemCore;
  beforeEach(() => {
    core = new SystemCore();
  });
  const faultOf = (status: number): unknown => {
    expect(status).to.equal(s.STATUS_FAULT);
    return core.takeFault();
  };
  const gp0 = { vector: GP, error: 0 };
  const write = (number: number, value: bigint): number => {
    core.set64(s.RBX, value);
    return core.run('movToControl', { op0: number, op1: s.RBX });
  };
  const read = (number: number): bigint => {
    core.run('movFromControl', { op0: s.RBX, op1: number });
    return core.get64(s.RBX);
  };

  describe('MOV CR0, SDM volume 3, 2.5', () => {
    for (const [name, value] of [
      ['bits above 31', 1n << 32n],
      ['PG without PE', 0x8000_0010n],
      ['NW without CD', 0xa001_0031n],
      ['PG cleared in 64-bit mode', 0x1_0031n],
    ] as const) {
      it(`${name}: #GP(0)`, () => expect(faultOf(write(0, value))).to.deep.equal(gp0));
    }
    it('ET always reads 1', () => {
      write(0, 0x8001_0021n);
      expect(read(0)).to.equal(0x8001_0031n);
    });
    it('a change of WP drops all translations', () => {
      const epoch = core.get32(s.MAPPING_EPOCH);
      expect(write(0, 0x8000_0031n)).to.equal(s.STATUS_JUMP);
      expect(core.get32(s.MAPPING_EPOCH)).to.equal(epoch + 1);
    });
    it('9.8.5: PG with LME needs PAE and sets LMA', () => {
      core = new SystemCore('legacy');
      core.set64(s.EFER, 0x100n);
      core.set64(s.CR4, 0n);
      expect(faultOf(write(0, 0x8000_0031n))).to.deep.equal(gp0);
      core.set64(s.CR4, 0x20n);
      expect(write(0, 0x8000_0031n)).to.equal(s.STATUS_JUMP);
      expect(core.get64(s.EFER)).to.equal(0x500n);
      expect(core.get32(s.MODE)).to.equal(s.MODE_LMA | s.MODE_PAGING | s.MODE_CODE32 | s.MODE_STACK32 | s.MODE_NO_FXSR);
      expect(write(0, 0x31n)).to.equal(s.STATUS_JUMP);
      expect(core.get64(s.EFER)).to.equal(0x100n);
    });
    it('9.8.5: PG with LME and CS.L: #GP(0); a 16-bit TSS: #GP(0)', () => {
      core = new SystemCore('legacy');
      core.set64(s.EFER, 0x100n);
      core.segment(s.SEG_CS, 8, 0xa09b);
      expect(faultOf(write(0, 0x8000_0031n))).to.deep.equal(gp0);
      core.segment(s.SEG_CS, 8, 0xc09b);
      core.segment(s.SEG_TR, 0x40, 0x83);
      expect(faultOf(write(0, 0x8000_0031n))).to.deep.equal(gp0);
    });
  });

  describe('MOV CR2, CR3, CR4, CR8', () => {
    it('CR3: bits above MAXPHYADDR are #GP(0)', () => expect(faultOf(write(3, 1n << 40n))).to.deep.equal(gp0));
    it('CR3: a write moves the mapping epoch', () => {
      const epoch = core.get32(s.MAPPING_EPOCH);
      expect(write(3, core.get64(s.CR3))).to.equal(s.STATUS_JUMP);
      expect(core.get32(s.MAPPING_EPOCH)).to.equal(epoch + 1);
    });
    it('CR4: what CPUID does not announce, and PAE cleared in long mode, are #GP(0)', () => {
      expect(faultOf(write(4, 0x6b0n | (1n << 20n)))).to.deep.equal(gp0);
      expect(faultOf(write(4, 0x690n))).to.deep.equal(gp0);
      expect(write(4, 0x630n)).to.equal(s.STATUS_JUMP);
    });
    it('CR8 is the task priority, 4 bits', () => {
      expect(write(8, 9n)).to.equal(s.STATUS_CONTINUE);
      expect(read(8)).to.equal(9n);
      expect(faultOf(write(8, 16n))).to.deep.equal(gp0);
    });
    it('CR8 leaves when an interrupt waits', () => {
      core.flags = 0x202n;
      core.set32(s.INTERRUPT_LINE, 1);
      expect(write(8, 0n)).to.equal(s.STATUS_LEAVE);
      expect(core.get64(s.RIP)).to.equal(0x1002n);
    });
    it('CR1 and CR5 are #UD', () => {
      expect(faultOf(write(1, 0n))).to.deep.equal({ vector: 6, error: undefined });
      expect(faultOf(core.run('movFromControl', { op0: s.RBX, op1: 5 }))).to.deep.equal({
        vector: 6,
        error: undefined,
      });
    });
    it('32 bits outside 64-bit mode', () => {
      core.compatibility();
      core.set64(s.CR2, ~0n);
      expect(read(2)).to.equal(0xffff_ffffn);
    });
  });

  it('every privileged one is #GP(0) at CPL 3', () => {
    core.user();
    for (const name of [
      'movToControl',
      'movFromControl',
      'movToDebug',
      'movFromDebug',
      'clts',
      'lmsw',
      'invlpg',
      'wbinvd',
      'hlt',
    ]) {
      const number = name.includes('Debug') ? s.DR0 : 0;
      const op0 = name.startsWith('movFrom') ? s.RBX : number;
      const op1 = name.startsWith('movFrom') ? number : s.RBX;
      expect(faultOf(core.run(name, { op0, op1 })), name).to.deep.equal(gp0);
    }
  });

  describe('CLTS, LMSW, SMSW, INVLPG, HLT', () => {
    it('CLTS clears TS', () => {
      core.set64(s.CR0, 0x8001_0039n);
      core.run('clts');
      expect(core.get64(s.CR0)).to.equal(0x8001_0031n);
    });
    it('LMSW sets PE, MP, EM, TS but cannot clear PE', () => {
      core.set64(s.RBX, 0xfff8n);
      core.run('lmsw', { op0: s.RBX });
      expect(core.get64(s.CR0)).to.equal(0x8001_0039n);
    });
    it('SMSW: memory is 16 bits', () => {
      core.setRam(memory, ~0n);
      core.runMemory('smsw32', memory);
      expect(core.getRam(memory)).to.equal(0xffff_ffff_ffff_0031n);
    });
    it('INVLPG of an address that is not mapped does not fault', () => {
      expect(core.runMemory('invlpg', 0x7000_0000)).to.equal(s.STATUS_JUMP);
    });
    it('HLT leaves behind itself', () => {
      expect(core.run('hlt')).to.equal(s.STATUS_LEAVE);
      expect([core.get32(s.LEAVE_REASON), core.get64(s.RIP)]).to.deep.equal([s.LEAVE_HALT, 0x1002n]);
    });
  });

  describe('MOV DR, SDM volume 3, 17.2', () => {
    const writeDebug = (number: number, value: bigint): number => {
      core.set64(s.RBX, value);
      return core.run('movToDebug', { op0: s.DR0 + 8 * number, op1: s.RBX });
    };
    it('DR6 and DR7 have fixed bits; DR4 and DR5 are their aliases', () => {
      writeDebug(6, 0n);
      writeDebug(5, 0n);
      core.run('movFromDebug', { op0: s.RBX, op1: s.DR0 + 32 });
      expect(core.get64(s.RBX)).to.equal(0xffff_0ff0n);
      expect(core.get64(s.DR7)).to.equal(0x400n);
    });
    it('DR4 with CR4.DE: #UD; upper half of DR7: #GP(0)', () => {
      expect(faultOf(writeDebug(7, 1n << 32n))).to.deep.equal(gp0);
      core.set64(s.CR4, 0x6b8n);
      expect(faultOf(writeDebug(4, 0n))).to.deep.equal({ vector: 6, error: undefined });
    });
    it('general detect: #DB with DR6.BD', () => {
      writeDebug(7, 0x2000n);
      expect(faultOf(writeDebug(0, 1n))).to.deep.equal({ vector: 1, error: undefined });
      expect(core.get64(s.DR6) & 0x2000n).to.equal(0x2000n);
    });
  });

  describe('firmware gate', () => {
    it('leaves with its number in 64-bit mode at CPL 0', () => {
      expect(core.run('firmwareGate', { immediate: 0x123n, length: 6 })).to.equal(s.STATUS_LEAVE);
      expect([core.get32(s.GATE_NUMBER), core.get32(s.LEAVE_REASON), core.get64(s.RIP)]).to.deep.equal([
        0x123,
        s.LEAVE_GATE,
        0x1006n,
      ]);
    });
    it('#UD at CPL 3 and outside 64-bit mode', () => {
      core.user();
      expect(faultOf(core.run('firmwareGate'))).to.deep.equal({ vector: 6, error: undefined });
      core.kernel();
      core.compatibility();
      expect(faultOf(core.run('firmwareGate'))).to.deep.equal({ vector: 6, error: undefined });
    });
  });
});
