import { expect } from 'chai';
import * as s from '../../../src/cpu/state-layout.js';
import { sel, SystemCore } from './system-fixture.js';

const GP = 13;

describe('MSRs, time stamps, system calls', function () {
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
  const wrmsr = (index: number, value: bigint): number => {
    core.set64(s.RCX, BigInt(index));
    core.set64(s.RAX, value & 0xffff_ffffn);
    core.set64(s.RDX, value >> 32n);
    return core.run('wrmsr');
  };
  const rdmsr = (index: number): bigint => {
    core.set64(s.RCX, BigInt(index));
    core.set64(s.RAX, ~0n);
    core.set64(s.RDX, ~0n);
    expect(core.run('rdmsr')).to.equal(s.STATUS_CONTINUE);
    return core.get64(s.RAX) | (core.get64(s.RDX) << 32n);
  };

  describe('RDMSR and WRMSR', () => {
    for (const [name, index, value] of [
      ['EFER with a reserved bit', 0xc000_0080, 0x1d01n],
      ['EFER.LME changed while paging', 0xc000_0080, 0xc01n],
      ['LSTAR not canonical', 0xc000_0082, 1n << 47n],
      ['FS_BASE not canonical', 0xc000_0100, 1n << 47n],
      ['GS_BASE not canonical', 0xc000_0101, 1n << 47n],
      ['KERNEL_GS_BASE not canonical', 0xc000_0102, 1n << 47n],
      ['SYSENTER_EIP not canonical', 0x176, 1n << 47n],
      ['FMASK above bit 31', 0xc000_0084, 1n << 32n],
      ['TSC_AUX above bit 31', 0xc000_0103, 1n << 32n],
      ['PAT with a reserved type', 0x277, 2n],
      ['an MSR nobody has', 0x1234, 0n],
    ] as const) {
      it(`${name}: #GP(0)`, () => expect(faultOf(wrmsr(index, value))).to.deep.equal(gp0));
    }
    it('RDMSR of an MSR nobody has: #GP(0); both at CPL 3: #GP(0)', () => {
      core.set64(s.RCX, 0x1234n);
      expect(faultOf(core.run('rdmsr'))).to.deep.equal(gp0);
      core.user();
      expect(faultOf(core.run('rdmsr'))).to.deep.equal(gp0);
      expect(faultOf(wrmsr(0xc000_0081, 0n))).to.deep.equal(gp0);
    });
    it('EFER: LMA ignores writes, a change of NXE drops translations', () => {
      const epoch = core.get32(s.MAPPING_EPOCH);
      expect(wrmsr(0xc000_0080, 0x101n)).to.equal(s.STATUS_JUMP);
      expect(rdmsr(0xc000_0080)).to.equal(0x501n);
      expect(core.get32(s.MAPPING_EPOCH)).to.equal(epoch + 1);
    });
    it('FS_BASE is the base of FS', () => {
      wrmsr(0xc000_0100, 0xffff_8880_0000_0000n);
      expect(core.get64(s.SEG_FS + s.SEGMENT_BASE)).to.equal(0xffff_8880_0000_0000n);
    });
    it('MISC_ENABLE reads bit 0 set', () => expect(rdmsr(0x1a0) & 1n).to.equal(1n));
    it('others are the host’s', () => {
      core.msr = (index) => (index === 0x6e0 ? 0x1_0000_0002n : undefined);
      expect(rdmsr(0x6e0)).to.equal(0x1_0000_0002n);
      expect(wrmsr(0x6e0, 0x3_0000_0004n)).to.equal(s.STATUS_CONTINUE);
      expect(core.log).to.deep.equal([['wrmsr', 0x6e0, 4, 3]]);
    });
    it('WRMSR leaves when the host asked for control', () => {
      core.set32(s.STOP_REQUESTED, 1);
      expect(wrmsr(0xc000_0081, 0n)).to.equal(s.STATUS_LEAVE);
    });
  });

  describe('time stamp counter, SDM volume 3, 17.17', () => {
    it('RDTSC is the tick plus the offset', () => {
      core.run('rdtsc');
      expect(core.get64(s.RAX)).to.equal(900n);
      wrmsr(0x10, 0x1_0000_0000n);
      expect(rdmsr(0x10)).to.equal(0x1_0000_0000n);
      expect(rdmsr(0x3b)).to.equal(0x1_0000_0000n - 900n);
      wrmsr(0x3b, 0n);
      expect(rdmsr(0x10)).to.equal(900n);
    });
    it('RDTSCP gives TSC_AUX', () => {
      wrmsr(0xc000_0103, 7n);
      core.run('rdtscp');
      expect(core.get64(s.RCX)).to.equal(7n);
    });
    it('CR4.TSD: #GP(0) at CPL 3 only', () => {
      core.set64(s.CR4, 0x6b4n);
      expect(core.run('rdtsc')).to.equal(s.STATUS_CONTINUE);
      core.user();
      expect(faultOf(core.run('rdtsc'))).to.deep.equal(gp0);
      expect(faultOf(core.run('rdpmc'))).to.deep.equal(gp0);
    });
  });

  it('CPUID fills four registers, zero-extended', () => {
    core.set64(s.RAX, ~0n);
    core.set64(s.RCX, 5n);
    core.run('cpuid');
    expect([s.RAX, s.RBX, s.RCX, s.RDX].map((r) => core.get64(r))).to.deep.equal([0xffff_ffffn, 5n, 3n, 4n]);
  });
  it('RDRAND sets CF and clears the other arithmetic flags', () => {
    core.flags = 0xad6n;
    core.run('rdrand32', { op0: s.RBX });
    expect(core.get64(s.RBX)).to.equal(0x5566_7788n);
    expect(core.flags).to.equal(0x203n);
  });

  describe('SYSCALL and SYSRET, SDM volume 2', () => {
    beforeEach(() => {
      core.set64(s.MSR_STAR, 0x0018_0008_0000_0000n);
      core.set64(s.MSR_LSTAR, 0xffff_8000_0000_1000n);
      core.set64(s.MSR_SFMASK, 0x4_7700n);
    });
    it('SYSCALL saves RIP and RFLAGS and masks them', () => {
      core.user();
      core.flags = 0x247n;
      expect(core.run('syscall')).to.equal(s.STATUS_JUMP);
      expect([core.get64(s.RCX), core.get64(s.R11), core.get64(s.RIP)]).to.deep.equal([
        0x1002n,
        0x247n,
        0xffff_8000_0000_1000n,
      ]);
      expect(core.flags).to.equal(0x47n);
      expect([core.selector(s.SEG_CS), core.selector(s.SEG_SS), core.get32(s.CPL)]).to.deep.equal([8, 0x10, 0]);
      expect(core.get32(s.MODE)).to.equal(s.MODE_LONG | s.MODE_LMA | s.MODE_PAGING);
    });
    it('SYSCALL without EFER.SCE or outside 64-bit mode: #UD', () => {
      core.compatibility();
      expect(faultOf(core.run('syscall'))).to.deep.equal({ vector: 6, error: undefined });
      core.kernel();
      core.set64(s.EFER, 0xd00n);
      expect(faultOf(core.run('syscall'))).to.deep.equal({ vector: 6, error: undefined });
      expect(faultOf(core.run('sysretq'))).to.deep.equal({ vector: 6, error: undefined });
    });
    it('SYSRET to 64-bit and to 32-bit code', () => {
      core.set64(s.RCX, 0x1_0000_4000n);
      core.set64(s.R11, 0x3_0246n);
      expect(core.run('sysretq')).to.equal(s.STATUS_JUMP);
      expect([core.selector(s.SEG_CS), core.selector(s.SEG_SS), core.get32(s.CPL)]).to.deep.equal([
        sel.userCode64 | 3,
        sel.userData | 3,
        3,
      ]);
      expect([core.get64(s.RIP), core.flags]).to.deep.equal([0x1_0000_4000n, 0x246n]);
      core.kernel();
      core.run('sysretd');
      expect([core.selector(s.SEG_CS), core.get64(s.RIP)]).to.deep.equal([sel.userCode32 | 3, 0x4000n]);
      expect(core.get32(s.MODE) & s.MODE_CODE32).to.equal(s.MODE_CODE32);
    });
    it('SYSRET: RCX not canonical is #GP(0) at CPL 0; at CPL 3 #GP(0)', () => {
      core.set64(s.RCX, 1n << 47n);
      expect(faultOf(core.run('sysretq'))).to.deep.equal(gp0);
      expect(core.get32(s.CPL)).to.equal(0);
      core.user();
      expect(faultOf(core.run('sysretq'))).to.deep.equal(gp0);
    });
  });

  describe('SYSENTER and SYSEXIT, SDM volume 2', () => {
    it('IA32_SYSENTER_CS of 0: #GP(0)', () => {
      expect(faultOf(core.run('sysenter'))).to.deep.equal(gp0);
      expect(faultOf(core.run('sysexitd'))).to.deep.equal(gp0);
    });
    it('SYSENTER loads CS, SS, RSP, RIP and clears IF', () => {
      wrmsr(0x174, 8n);
      wrmsr(0x175, 0x9000n);
      wrmsr(0x176, 0x7000n);
      core.user();
      core.flags = 0x202n;
      expect(core.run('sysenter')).to.equal(s.STATUS_JUMP);
      expect([core.get64(s.RSP), core.get64(s.RIP), core.flags]).to.deep.equal([0x9000n, 0x7000n, 2n]);
      expect([core.selector(s.SEG_CS), core.selector(s.SEG_SS), core.get32(s.CPL)]).to.deep.equal([8, 0x10, 0]);
    });
    it('SYSEXIT: CS + 16 or + 32; #GP(0) at CPL 3 and for addresses not canonical', () => {
      wrmsr(0x174, 8n);
      core.set64(s.RCX, 0x8000n);
      core.set64(s.RDX, 0x4000n);
      expect(core.run('sysexitd')).to.equal(s.STATUS_JUMP);
      expect([core.selector(s.SEG_CS), core.selector(s.SEG_SS)]).to.deep.equal([0x1b, 0x23]);
      expect(faultOf(core.run('sysexitd'))).to.deep.equal(gp0);
      core.kernel();
      core.set64(s.RCX, 1n << 47n);
      expect(faultOf(core.run('sysexitq'))).to.deep.equal(gp0);
    });
  });
});
