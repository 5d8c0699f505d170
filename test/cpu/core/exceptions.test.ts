import { expect } from 'chai';
import * as s from '../../../src/cpu/state-layout.js';
import {
  istStack,
  kernelStack,
  privilegedStack,
  readOnlyPage,
  absentPage,
  sel,
  SystemCore,
  tss,
  userStack,
  idt,
} from './system-fixture.js';

const GP = 13;

describe('delivery of exceptions and interrupts', function () {
  this.timeout(60_000);
  let core: SystemCore;
  beforeEach(() => {
    core = new SystemCore();
  });
  const frame = (top: number, count: number): bigint[] => {
    return Array.from({ length: count }, (_, i) => core.getRam(top - 8 * (count - i)));
  };

  describe('64-bit mode, SDM volume 3, 6.14', () => {
    it('6.14.2: the frame is error code, RIP, CS, RFLAGS, RSP, SS on a stack aligned to 16', () => {
      core.gate(GP);
      core.set64(s.RSP, BigInt(kernelStack - 4));
      core.flags = 0x246n;
      core.pend(GP, 0x18);
      expect(core.call('deliverException')).to.equal(0);
      expect(frame(kernelStack - 16, 6)).to.deep.equal([0x18n, 0x5555n, 8n, 0x1_0246n, BigInt(kernelStack - 4), 0x10n]);
      expect(core.get64(s.RSP)).to.equal(BigInt(kernelStack - 16 - 48));
      expect(core.get64(s.RIP)).to.equal(0x7000n);
      expect(core.flags & 0x200n).to.equal(0n);
    });
    it('6.12.1.2: a trap gate leaves IF, an interrupt gate clears it; TF, NT are cleared by both', () => {
      core.gate(GP, { type: 0xf });
      core.flags = 0x4300n;
      core.pend(GP, 0);
      core.call('deliverException');
      expect(core.flags & 0x4300n).to.equal(0x200n);
    });
    it('6.14.4: from CPL 3 the stack comes from RSP0, SS becomes null, CPL 0', () => {
      core.gate(GP);
      core.user();
      core.pend(GP, 0);
      expect(core.call('deliverException')).to.equal(0);
      expect(frame(privilegedStack, 6).slice(2)).to.deep.equal([
        BigInt(sel.userCode64 | 3),
        0x1_0002n,
        BigInt(userStack),
        BigInt(sel.userData | 3),
      ]);
      expect(core.selector(s.SEG_SS)).to.equal(0);
      expect(core.get32(s.CPL)).to.equal(0);
      expect(core.get32(s.MODE) & s.MODE_USER).to.equal(0);
      expect(core.get32(s.TLB_DATA)).to.equal(s.TLB_SUPERVISOR);
    });
    it('6.14.5: an IST entry switches the stack at any CPL', () => {
      core.gate(14, { ist: 1 });
      core.pend(14, 2);
      core.set64(s.FAULT_ADDRESS, 0xabc000n);
      core.call('deliverException');
      expect(core.get64(s.RSP)).to.equal(BigInt(istStack - 48));
      expect(core.get64(s.CR2)).to.equal(0xabc000n);
    });
    it('an external interrupt pushes RFLAGS as they are, without an error code', () => {
      core.gate(0x30);
      core.flags = 0x202n;
      expect(core.call('deliverInterrupt', 0x30)).to.equal(0);
      expect(frame(kernelStack, 5)).to.deep.equal([0x5555n, 8n, 0x202n, BigInt(kernelStack), 0x10n]);
    });
    it('a conforming handler keeps CPL 3 and writes its frame with user rights', () => {
      core.gate(0x30, { selector: sel.conforming64 });
      core.user();
      expect(core.call('deliverInterrupt', 0x30)).to.equal(0);
      expect(core.get32(s.CPL)).to.equal(3);
      expect(core.selector(s.SEG_CS)).to.equal(sel.conforming64 | 3);
      expect(core.get64(s.RSP)).to.equal(BigInt(userStack - 40));
    });
  });

  describe('faults of delivery, SDM volume 2, INT n', () => {
    // INT n leaves the first fault pending: its error code can be seen, EXT is 0.
    const intN = (vector: number): ReturnType<SystemCore['takeFault']> => {
      expect(core.run('intN', { immediate: BigInt(vector) })).to.equal(s.STATUS_FAULT);
      expect(core.get64(s.RSP)).to.equal(BigInt(core.get32(s.CPL) === 3 ? userStack : kernelStack));
      return core.takeFault();
    };
    it('vector beyond the IDT limit: #GP(vector * 8 + 2)', () => {
      core.set32(s.IDTR_LIMIT, 0x30 * 16 + 14);
      expect(intN(0x30)).to.deep.equal({ vector: GP, error: 0x182 });
    });
    it('not an interrupt or trap gate: #GP(vector * 8 + 2)', () => {
      core.gate(0x30, { type: 5 });
      expect(intN(0x30)).to.deep.equal({ vector: GP, error: 0x182 });
    });
    it('software interrupt with gate DPL < CPL: #GP(vector * 8 + 2)', () => {
      core.gate(0x30);
      core.user();
      expect(intN(0x30)).to.deep.equal({ vector: GP, error: 0x182 });
    });
    it('gate not present: #NP(vector * 8 + 2)', () => {
      core.gate(0x30, { present: false });
      expect(intN(0x30)).to.deep.equal({ vector: 11, error: 0x182 });
    });
    it('null code selector: #GP(0)', () => {
      core.gate(0x30, { selector: 0 });
      expect(intN(0x30)).to.deep.equal({ vector: GP, error: 0 });
    });
    it('code selector outside the table: #GP(selector)', () => {
      core.gate(0x30, { selector: sel.beyond });
      expect(intN(0x30)).to.deep.equal({ vector: GP, error: sel.beyond });
    });
    for (const name of ['data', 'userCode64', 'code32', 'longAndBig'] as const) {
      it(`code selector names ${name}: #GP(selector)`, () => {
        core.gate(0x30, { selector: sel[name] });
        expect(intN(0x30)).to.deep.equal({ vector: GP, error: sel[name] });
      });
    }
    it('code segment not present: #NP(selector)', () => {
      core.gate(0x30, { selector: sel.absentCode });
      expect(intN(0x30)).to.deep.equal({ vector: 11, error: sel.absentCode });
    });
    it('RSP0 beyond the TSS limit: #TS(TR)', () => {
      core.gate(0x30, { dpl: 3 });
      core.set32(s.SEG_TR + s.SEGMENT_LIMIT, 10);
      core.user();
      expect(intN(0x30)).to.deep.equal({ vector: 10, error: sel.tss });
    });
    it('new RSP not canonical: #SS(0)', () => {
      core.gate(0x30, { dpl: 3 });
      core.setRam(tss + 4, 0x8000_0000_0000n << 1n);
      core.user();
      expect(intN(0x30)).to.deep.equal({ vector: 12, error: 0 });
    });
    it('offset of the gate not canonical: #GP(0)', () => {
      core.gate(0x30, { offset: 1n << 48n });
      expect(intN(0x30)).to.deep.equal({ vector: GP, error: 0 });
    });
    it('the new stack is not writable: #PF with W = 1, nothing pushed', () => {
      core.gate(0x30, { dpl: 3 });
      core.setRam(tss + 4, BigInt(readOnlyPage + 16));
      core.setRam(readOnlyPage - 8, 0x77n);
      core.user();
      expect(intN(0x30)?.vector).to.equal(14);
      expect(core.getRam(readOnlyPage - 8)).to.equal(0x77n);
    });
    it('6.13: an external interrupt sets EXT in the error code', () => {
      core.gate(0x30, { present: false });
      core.gate(11);
      expect(core.call('deliverInterrupt', 0x30)).to.equal(0);
      expect(core.getRam(kernelStack - 48)).to.equal(0x183n);
    });
  });

  describe('double and triple fault, SDM volume 3, table 6-5', () => {
    it('#GP while delivering #GP is #DF with error code 0', () => {
      core.gate(8);
      core.pend(GP, 0);
      expect(core.call('deliverException')).to.equal(0);
      expect(core.getRam(kernelStack - 48)).to.equal(0n);
      expect(core.get64(s.RIP)).to.equal(0x7000n);
      expect(core.getRam(kernelStack - 24) & 0x1_0000n).to.equal(0n);
    });
    it('#PF while delivering #GP is delivered serially', () => {
      core.gate(14, { ist: 1 });
      core.gate(GP, { ist: 2 });
      core.setRam(tss + 44, BigInt(absentPage + 0x100));
      core.pend(GP, 0);
      expect(core.call('deliverException')).to.equal(0);
      expect(core.get64(s.RSP)).to.equal(BigInt(istStack - 48));
      expect(core.get64(s.CR2)).to.equal(BigInt(absentPage + 0x100 - 48));
    });
    it('#GP while delivering #UD (benign) is delivered', () => {
      core.gate(GP);
      core.pend(6);
      expect(core.call('deliverException')).to.equal(0);
      expect(core.getRam(kernelStack - 48)).to.equal(6n * 8n + 3n);
    });
    it('a fault while delivering #DF shuts the processor down', () => {
      core.pend(GP, 0);
      expect(core.call('deliverException')).to.equal(1);
      expect(core.get32(s.FAULT_PENDING)).to.equal(0);
    });
  });

  describe('INT n, INT3, INTO, INT1', () => {
    it('push the address behind the instruction', () => {
      core.gate(3, { dpl: 3 });
      expect(core.run('int3', { length: 1 })).to.equal(s.STATUS_JUMP);
      expect(core.getRam(kernelStack - 40)).to.equal(0x1001n);
    });
    it('INTO is #UD in 64-bit mode', () => {
      core.run('into');
      expect(core.takeFault()).to.deep.equal({ vector: 6, error: undefined });
    });
    it('INT1 ignores the DPL of the gate', () => {
      core.gate(1);
      core.user();
      expect(core.run('int1')).to.equal(s.STATUS_JUMP);
    });
  });

  describe('protected mode, SDM volume 3, 6.12.1', () => {
    beforeEach(() => {
      core = new SystemCore('legacy');
    });
    const words = (bottom: number, count: number): number[] =>
      Array.from({ length: count }, (_, i) => core.get32(s.RAM + bottom + 4 * i));
    it('same privilege: error code, EIP, CS, EFLAGS', () => {
      core.gate(GP);
      core.pend(GP, 0x10);
      expect(core.call('deliverException')).to.equal(0);
      expect(words(kernelStack - 16, 4)).to.deep.equal([0x10, 0x5555, 8, 0x1_0002]);
      expect(core.get64(s.RSP)).to.equal(BigInt(kernelStack - 16));
    });
    it('from CPL 3: SS and ESP come from the TSS', () => {
      core.gate(0x30);
      core.user();
      expect(core.call('deliverInterrupt', 0x30)).to.equal(0);
      expect(words(privilegedStack - 20, 5)).to.deep.equal([
        0x5555,
        sel.userCode64 | 3,
        2,
        userStack,
        sel.userData | 3,
      ]);
      expect(core.selector(s.SEG_SS)).to.equal(sel.data);
    });
    const stackError = (selector: number): unknown => {
      core.gate(0x30, { dpl: 3 });
      core.user();
      core.setRam(tss + 4, BigInt(privilegedStack) | (BigInt(selector) << 32n));
      expect(core.run('intN', { immediate: 0x30n })).to.equal(s.STATUS_FAULT);
      return core.takeFault();
    };
    it('null SS0: #TS(0)', () => expect(stackError(0)).to.deep.equal({ vector: 10, error: 0 }));
    it('SS0 outside the table: #TS(selector)', () =>
      expect(stackError(sel.beyond)).to.deep.equal({ vector: 10, error: sel.beyond }));
    it('RPL of SS0 is not the new CPL: #TS(selector)', () =>
      expect(stackError(sel.data | 3)).to.deep.equal({ vector: 10, error: sel.data }));
    it('SS0 not writable: #TS(selector)', () =>
      expect(stackError(sel.readOnly)).to.deep.equal({ vector: 10, error: sel.readOnly }));
    it('SS0 not present: #SS(selector)', () =>
      expect(stackError(sel.absentData)).to.deep.equal({ vector: 12, error: sel.absentData }));
    it('a task gate is noted and is #GP(vector * 8 + 2)', () => {
      core.setRam(idt + 0x30 * 8, (0x85n << 40n) | (BigInt(sel.tss) << 16n));
      core.run('intN', { immediate: 0x30n });
      expect(core.takeFault()).to.deep.equal({ vector: GP, error: 0x182 });
      expect(core.log).to.deep.equal([['unimplemented', 1, 0x30]]);
    });
  });
});
