import { expect } from 'chai';
import * as s from '../../../src/cpu/state-layout.js';
import { absentPage, gdt, kernelStack, memory, sel, SystemCore, userStack } from './system-fixture.js';

const GP = 13;
const user64 = sel.userCode64 | 3;
const userData = sel.userData | 3;

describe('far transfers', function () {
  this.timeout(60_000);
  let core: SystemCore;
  beforeEach(() => {
    core = new SystemCore();
  });
  const faultOf = (status: number): unknown => {
    expect(status).to.equal(s.STATUS_FAULT);
    return core.takeFault();
  };

  describe('IRETQ, SDM volume 2, IRET', () => {
    it('pops SS:RSP also without a change of privilege', () => {
      core.frame([0x4000n, sel.code64, 0x246n, 0x8888n, 0]);
      expect(core.run('iretq')).to.equal(s.STATUS_JUMP);
      expect(core.get64(s.RIP)).to.equal(0x4000n);
      expect(core.get64(s.RSP)).to.equal(0x8888n);
      expect(core.selector(s.SEG_SS)).to.equal(0);
      expect(core.flags).to.equal(0x246n);
    });
    it('returns to CPL 3 and drops DS and ES of DPL 0, keeps a null FS and its base', () => {
      core.segment(s.SEG_FS, 0, 0, 0x1234, 0);
      core.frame([0x4000n, user64, 0x202n, userStack, userData]);
      expect(core.run('iretq')).to.equal(s.STATUS_JUMP);
      expect(core.get32(s.CPL)).to.equal(3);
      expect(core.get32(s.MODE) & s.MODE_USER).to.equal(s.MODE_USER);
      expect(core.selector(s.SEG_DS)).to.equal(0);
      expect(core.get64(s.SEG_FS + s.SEGMENT_BASE)).to.equal(0x1234n);
    });
    it('returns to compatibility mode', () => {
      core.frame([0x4000n, sel.userCode32 | 3, 0x202n, userStack, userData]);
      core.run('iretq');
      expect(core.get32(s.MODE) & (s.MODE_LONG | s.MODE_CODE32)).to.equal(s.MODE_CODE32);
    });
    it('IOPL changes at CPL 0 only, IF at CPL <= IOPL only', () => {
      core.user();
      core.frame([0x4000n, user64, 0x3202n, userStack, userData]);
      core.run('iretq');
      expect(core.flags).to.equal(2n);
    });
    it('leaves at the boundary when it opens the interrupt window', () => {
      core.set32(s.INTERRUPT_LINE, 1);
      core.frame([0x4000n, sel.code64, 0x202n, kernelStack, 0]);
      expect(core.run('iretq')).to.equal(s.STATUS_LEAVE);
      expect(core.get32(s.LEAVE_REASON)).to.equal(s.LEAVE_BOUNDARY);
    });
    const iret = (cs: number, ss: number, rip = 0x4000n): unknown => {
      core.frame([rip, cs, 2n, userStack, ss]);
      const before = core.get64(s.RSP);
      const fault = faultOf(core.run('iretq'));
      expect(core.get64(s.RSP)).to.equal(before);
      expect(core.selector(s.SEG_CS)).to.equal(core.get32(s.CPL) === 3 ? user64 : sel.code64);
      return fault;
    };
    const gp = (error: number): unknown => ({ vector: GP, error });
    it('NT in long mode: #GP(0)', () => {
      core.flags = 0x4002n;
      expect(iret(sel.code64, 0)).to.deep.equal(gp(0));
    });
    it('null CS: #GP(0)', () => expect(iret(0, 0)).to.deep.equal(gp(0)));
    it('CS outside the table: #GP(selector)', () => expect(iret(sel.beyond, 0)).to.deep.equal(gp(sel.beyond)));
    it('CS names data: #GP(selector)', () => expect(iret(sel.data, 0)).to.deep.equal(gp(sel.data)));
    it('RPL of CS below CPL: #GP(selector)', () => {
      core.user();
      expect(iret(sel.code64, 0)).to.deep.equal(gp(sel.code64));
    });
    it('DPL is not RPL: #GP(selector)', () => expect(iret(sel.code64 | 3, userData)).to.deep.equal(gp(sel.code64)));
    it('conforming with DPL above RPL is refused, below is taken', () => {
      core.frame([0x4000n, sel.conforming64 | 3, 2n, userStack, userData]);
      expect(core.run('iretq')).to.equal(s.STATUS_JUMP);
    });
    it('code segment not present: #NP(selector)', () =>
      expect(iret(sel.absentCode, 0)).to.deep.equal({ vector: 11, error: sel.absentCode }));
    it('L and D both set: #GP(selector)', () => expect(iret(sel.longAndBig, 0)).to.deep.equal(gp(sel.longAndBig)));
    it('RIP not canonical: #GP(0)', () => expect(iret(sel.code64, 0, 1n << 47n)).to.deep.equal(gp(0)));
    it('null SS when returning to CPL 3: #GP(0)', () => expect(iret(user64, 0)).to.deep.equal(gp(0)));
    it('null SS when returning to 32-bit code: #GP(0)', () => expect(iret(sel.code32, 0)).to.deep.equal(gp(0)));
    it('SS outside the table: #GP(selector)', () => expect(iret(user64, sel.beyond | 3)).to.deep.equal(gp(sel.beyond)));
    it('RPL of SS is not RPL of CS: #GP(selector)', () =>
      expect(iret(user64, sel.userData)).to.deep.equal(gp(sel.userData)));
    it('SS not writable: #GP(selector)', () => expect(iret(sel.code64, sel.readOnly)).to.deep.equal(gp(sel.readOnly)));
    it('DPL of SS is not the new CPL: #GP(selector)', () =>
      expect(iret(user64, sel.data | 3)).to.deep.equal(gp(sel.data)));
    it('SS not present: #SS(selector)', () =>
      expect(iret(sel.code64, sel.absentData)).to.deep.equal({ vector: 12, error: sel.absentData }));
    for (let slot = 0; slot < 5; slot++) {
      it(`slot ${String(slot)} of the frame not present: #PF, nothing changed`, () => {
        core.set64(s.RSP, BigInt(absentPage - 8 * slot));
        [0x4000n, BigInt(user64), 2n, BigInt(userStack), BigInt(userData)].slice(0, slot).forEach((value, i) => {
          core.setRam(absentPage - 8 * (slot - i), value);
        });
        expect(faultOf(core.run('iretq'))).to.deep.equal({ vector: 14, error: 0, address: BigInt(absentPage) });
        expect(core.get32(s.CPL)).to.equal(0);
      });
    }
  });

  describe('IRETD', () => {
    it('protected mode, same privilege: SS:ESP stay', () => {
      core = new SystemCore('legacy');
      core.frame([0x4000, sel.code64, 0x202], 4);
      expect(core.run('iretd')).to.equal(s.STATUS_JUMP);
      expect(core.get64(s.RSP)).to.equal(BigInt(kernelStack));
    });
    it('protected mode, to CPL 3', () => {
      core = new SystemCore('legacy');
      core.frame([0x4000, user64, 0x202, userStack, userData], 4);
      expect(core.run('iretd')).to.equal(s.STATUS_JUMP);
      expect(core.get64(s.RSP)).to.equal(BigInt(userStack));
    });
    it('VM set at CPL 0 is noted and is #GP(0)', () => {
      core = new SystemCore('legacy');
      core.frame([0x4000, sel.code64, 0x2_0002], 4);
      expect(faultOf(core.run('iretd'))).to.deep.equal({ vector: GP, error: 0 });
      expect(core.log[0]?.[0]).to.equal('unimplemented');
    });
    it('EIP beyond the limit of CS: #GP(0)', () => {
      core = new SystemCore('legacy');
      core.setRam(gdt + sel.code32, 0x0040_9b00_0000_0fffn);
      core.frame([0x1000, sel.code32, 2], 4);
      expect(faultOf(core.run('iretd'))).to.deep.equal({ vector: GP, error: 0 });
    });
  });

  describe('JMP far and CALL far, SDM volume 2', () => {
    const jump = (selector: number, offset = 0x4000n): number => {
      core.setRam(memory, offset);
      core.setRam(memory + 8, BigInt(selector));
      return core.runMemory('farJump64', memory);
    };
    it('JMP m16:64 to 32-bit code enters compatibility mode', () => {
      expect(jump(sel.code32)).to.equal(s.STATUS_JUMP);
      expect(core.get32(s.MODE) & s.MODE_LONG).to.equal(0);
      expect(core.get64(s.RIP)).to.equal(0x4000n);
    });
    it('JMP ptr16:32 from compatibility mode to 64-bit code', () => {
      core.compatibility();
      expect(core.run('farJumpDirect', { op0: sel.code64, immediate: 0x4000n })).to.equal(s.STATUS_JUMP);
      expect(core.get32(s.MODE) & s.MODE_LONG).to.equal(s.MODE_LONG);
    });
    it('sets the accessed bit of the descriptor', () => {
      core.setRam(gdt + sel.code32, core.getRam(gdt + sel.code32) & ~(1n << 40n));
      jump(sel.code32);
      expect((core.getRam(gdt + sel.code32) >> 40n) & 1n).to.equal(1n);
    });
    for (const [name, selector, vector, error] of [
      ['null selector: #GP(0)', 0, GP, 0],
      ['outside the table: #GP(selector)', sel.beyond, GP, sel.beyond],
      ['data: #GP(selector)', sel.data, GP, sel.data],
      ['nonconforming with DPL above CPL: #GP(selector)', user64, GP, sel.userCode64],
      ['RPL above CPL: #GP(selector)', sel.code64 | 3, GP, sel.code64],
      ['not present: #NP(selector)', sel.absentCode, 11, sel.absentCode],
      ['L and D: #GP(selector)', sel.longAndBig, GP, sel.longAndBig],
    ] as const) {
      it(name, () => expect(faultOf(jump(selector))).to.deep.equal({ vector, error }));
    }
    it('offset not canonical: #GP(0)', () =>
      expect(faultOf(jump(sel.code64, 1n << 60n))).to.deep.equal({ vector: GP, error: 0 }));
    it('a TSS or call gate is noted and is #GP(selector)', () => {
      expect(faultOf(jump(sel.tss))).to.deep.equal({ vector: GP, error: sel.tss });
      expect(core.log).to.deep.equal([['unimplemented', 3, sel.tss]]);
    });
    it('CALL m16:64 pushes CS and the next RIP', () => {
      core.setRam(memory, 0x4000n);
      core.setRam(memory + 8, BigInt(sel.code64));
      expect(core.runMemory('farCall64', memory)).to.equal(s.STATUS_JUMP);
      expect(core.getRam(kernelStack - 8)).to.equal(BigInt(sel.code64));
      expect(core.getRam(kernelStack - 16)).to.equal(0x1002n);
    });
    it('CALL: the second slot is probed before the first is written', () => {
      core.setRam(memory, 0x4000n);
      core.setRam(memory + 8, BigInt(sel.code64));
      core.set64(s.RSP, 0x1_2008n);
      core.map(0x1_2000n, 0x1_2000, 3n);
      core.setRam(0x1_2000, 0x99n);
      expect((faultOf(core.runMemory('farCall64', memory)) as { vector: number }).vector).to.equal(14);
      expect(core.getRam(0x1_2000)).to.equal(0x99n);
    });
  });

  describe('RET far, SDM volume 2', () => {
    it('LRETQ at the same privilege', () => {
      core.frame([0x4000n, sel.code64]);
      expect(core.run('retfq')).to.equal(s.STATUS_JUMP);
      expect(core.get64(s.RSP)).to.equal(BigInt(kernelStack));
    });
    it('LRETD imm16 from compatibility mode to 64-bit code releases the parameters', () => {
      core.compatibility();
      core.frame([0x4000, sel.code64, 1, 2], 4);
      expect(core.run('retfdImmediate', { immediate: 8n })).to.equal(s.STATUS_JUMP);
      expect(core.get64(s.RSP)).to.equal(BigInt(kernelStack));
      expect(core.get32(s.MODE) & s.MODE_LONG).to.equal(s.MODE_LONG);
    });
    it('to CPL 3: parameters are released on both stacks', () => {
      core.frame([0x4000n, user64, 1n, userStack - 16, userData]);
      expect(core.run('retfqImmediate', { immediate: 8n })).to.equal(s.STATUS_JUMP);
      expect(core.get64(s.RSP)).to.equal(BigInt(userStack - 8));
      expect(core.get32(s.CPL)).to.equal(3);
    });
    it('RPL below CPL: #GP(selector)', () => {
      core.user();
      core.frame([0x4000n, sel.code64]);
      expect(faultOf(core.run('retfq'))).to.deep.equal({ vector: GP, error: sel.code64 });
    });
  });
});
