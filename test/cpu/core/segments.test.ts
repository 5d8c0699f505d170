import { expect } from 'chai';
import * as s from '../../../src/cpu/state-layout.js';
import {
  absentPage,
  gdt,
  kernelStack,
  memory,
  readOnlyPage,
  sel,
  SystemCore,
  userStack,
  descriptorOf,
} from './system-fixture.js';

const GP = 13;

describe('segment registers', function () {
  this.timeout(60_000);
  let core: SystemCore;
  beforeEach(() => {
    core = new SystemCore();
  });
  const load = (segment: number, selector: number): number => {
    core.set64(s.RBX, BigInt(selector));
    return core.run('movToSegment', { op0: segment, op1: s.RBX });
  };
  const faultOf = (status: number): unknown => {
    expect(status).to.equal(s.STATUS_FAULT);
    return core.takeFault();
  };

  describe('MOV to DS, ES, FS, GS, SDM volume 2, MOV', () => {
    it('loads base, limit and attributes, and sets the accessed bit', () => {
      core.setRam(gdt + sel.userData, descriptorOf(0xf2, 0x4, 0x1234_5678n, 0xabcden));
      expect(load(s.SEG_FS, sel.userData | 3)).to.equal(s.STATUS_CONTINUE);
      expect(core.selector(s.SEG_FS)).to.equal(sel.userData | 3);
      expect(core.get64(s.SEG_FS + s.SEGMENT_BASE)).to.equal(0x1234_5678n);
      expect(core.get32(s.SEG_FS + s.SEGMENT_LIMIT)).to.equal(0xabcde);
      expect(core.get32(s.SEG_FS + s.SEGMENT_ATTRIBUTES)).to.equal(0x40f3);
      expect((core.getRam(gdt + sel.userData) >> 40n) & 1n).to.equal(1n);
    });
    it('a null selector makes the segment unusable and its base 0', () => {
      core.segment(s.SEG_GS, sel.data, 0xc093, 0x1000);
      load(s.SEG_GS, 3);
      expect(core.selector(s.SEG_GS)).to.equal(3);
      expect(core.get64(s.SEG_GS + s.SEGMENT_BASE)).to.equal(0n);
      expect(core.get32(s.SEG_GS + s.SEGMENT_ATTRIBUTES)).to.equal(0);
    });
    for (const [name, selector, vector] of [
      ['outside the table: #GP(selector)', sel.beyond, GP],
      ['system segment: #GP(selector)', sel.tss, GP],
      ['code that cannot be read: #GP(selector)', sel.executeOnly, GP],
      ['not present: #NP(selector)', sel.absentData, 11],
    ] as const) {
      it(name, () => expect(faultOf(load(s.SEG_DS, selector))).to.deep.equal({ vector, error: selector }));
    }
    it('RPL or CPL above DPL: #GP(selector)', () => {
      expect(faultOf(load(s.SEG_DS, sel.data | 3))).to.deep.equal({ vector: GP, error: sel.data });
      core.user();
      expect(faultOf(load(s.SEG_DS, sel.data))).to.deep.equal({ vector: GP, error: sel.data });
    });
    it('conforming code may be loaded at any CPL', () => {
      core.user();
      expect(load(s.SEG_DS, sel.conforming64 | 3)).to.equal(s.STATUS_CONTINUE);
    });
    it('the table is not mapped: #PF as supervisor also at CPL 3', () => {
      core.user();
      core.set64(s.GDTR_BASE, BigInt(absentPage));
      expect(faultOf(load(s.SEG_DS, sel.userData | 3))).to.deep.equal({
        vector: 14,
        error: 0,
        address: BigInt(absentPage + sel.userData),
      });
    });
    it('the accessed bit cannot be written: #PF, register unchanged', () => {
      core.set64(s.GDTR_BASE, BigInt(readOnlyPage));
      core.setRam(readOnlyPage + 8, descriptorOf(0x92, 0xc));
      core.segment(s.SEG_DS, 0, 0);
      expect((faultOf(load(s.SEG_DS, 8)) as { vector: number }).vector).to.equal(14);
      expect(core.selector(s.SEG_DS)).to.equal(0);
    });
    it('a base other than 0 outside long mode changes the mode of the following code', () => {
      core = new SystemCore('legacy');
      core.setRam(gdt + sel.readOnly, descriptorOf(0x93, 0xc, 0x1000n));
      expect(load(s.SEG_DS, sel.readOnly)).to.equal(s.STATUS_JUMP);
      expect(core.get32(s.MODE) & s.MODE_SEGMENTED).to.equal(s.MODE_SEGMENTED);
      expect(core.get64(s.RIP)).to.equal(0x1002n);
    });
    it('LDT selectors use the LDT; without one #GP(selector)', () => {
      expect(faultOf(load(s.SEG_DS, 0x0c))).to.deep.equal({ vector: GP, error: 0x0c });
      core.segment(s.SEG_LDTR, sel.ldt, 0x82, 0x4000, 0xff);
      core.setRam(0x4008, descriptorOf(0x93, 0xc));
      expect(load(s.SEG_DS, 0x0c)).to.equal(s.STATUS_CONTINUE);
    });
  });

  describe('MOV to SS', () => {
    it('blocks interrupts until the next instruction is done', () => {
      expect(load(s.SEG_SS, sel.data)).to.equal(s.STATUS_CONTINUE);
      expect(core.view.getFloat64(s.SHADOW_TICK, true)).to.equal(900);
    });
    it('null in 64-bit mode below CPL 3 with RPL = CPL', () => {
      expect(load(s.SEG_SS, 0)).to.equal(s.STATUS_CONTINUE);
      expect(faultOf(load(s.SEG_SS, 1))).to.deep.equal({ vector: GP, error: 0 });
      core.user();
      expect(faultOf(load(s.SEG_SS, 3))).to.deep.equal({ vector: GP, error: 0 });
    });
    it('null outside 64-bit mode: #GP(0)', () => {
      core.compatibility();
      expect(faultOf(load(s.SEG_SS, 0))).to.deep.equal({ vector: GP, error: 0 });
    });
    for (const [name, selector, vector] of [
      ['RPL is not CPL: #GP(selector)', sel.data | 3, GP],
      ['DPL is not CPL: #GP(selector)', sel.userData, GP],
      ['not writable: #GP(selector)', sel.readOnly, GP],
      ['code: #GP(selector)', sel.code64, GP],
      ['not present: #SS(selector)', sel.absentData, 12],
    ] as const) {
      it(name, () => expect(faultOf(load(s.SEG_SS, selector))).to.deep.equal({ vector, error: selector & ~3 }));
    }
  });

  describe('MOV from, PUSH, POP', () => {
    it('a 32-bit register is zero-extended, a 16-bit one keeps the rest, memory is 16 bits', () => {
      core.set64(s.RBX, ~0n);
      core.run('movFromSegment16', { op0: s.RBX, op1: s.SEG_CS });
      expect(core.get64(s.RBX)).to.equal(0xffff_ffff_ffff_0008n);
      core.run('movFromSegment32', { op0: s.RBX, op1: s.SEG_CS });
      expect(core.get64(s.RBX)).to.equal(8n);
      core.setRam(memory, ~0n);
      core.runMemory('movFromSegment64', memory, { op1: s.SEG_CS });
      expect(core.getRam(memory)).to.equal(0xffff_ffff_ffff_0008n);
    });
    it('PUSH FS, POP FS move RSP by 8', () => {
      core.run('pushSegment64', { op0: s.SEG_DS });
      expect(core.get64(s.RSP)).to.equal(BigInt(kernelStack - 8));
      expect(core.run('popSegment64', { op0: s.SEG_FS })).to.equal(s.STATUS_CONTINUE);
      expect(core.selector(s.SEG_FS)).to.equal(sel.data);
      expect(core.get64(s.RSP)).to.equal(BigInt(kernelStack));
    });
    it('POP that faults leaves RSP', () => {
      core.frame([BigInt(sel.beyond)]);
      expect(faultOf(core.run('popSegment64', { op0: s.SEG_FS }))).to.deep.equal({ vector: GP, error: sel.beyond });
      expect(core.get64(s.RSP)).to.equal(BigInt(kernelStack - 8));
    });
    it('LSS r64, m16:64', () => {
      core.setRam(memory, 0x1234_5678_9abcn);
      core.setRam(memory + 8, BigInt(sel.data));
      expect(core.runMemory('lss64', memory, { op0: s.RSP })).to.equal(s.STATUS_CONTINUE);
      expect(core.get64(s.RSP)).to.equal(0x1234_5678_9abcn);
    });
    it('LFS: the selector not readable: #PF, register unchanged', () => {
      const status = core.runMemory('lfs64', absentPage - 8 - 0x1000, { op0: s.RBX });
      expect(status).to.equal(s.STATUS_CONTINUE); // the page before is readable: null selector
      expect((faultOf(core.runMemory('lfs64', absentPage - 8, { op0: s.RBX })) as { vector: number }).vector).to.equal(
        14,
      );
    });
  });

  describe('SWAPGS', () => {
    it('exchanges the bases', () => {
      core.set64(s.SEG_GS + s.SEGMENT_BASE, 1n);
      core.set64(s.MSR_KERNEL_GS_BASE, 2n);
      core.run('swapgs');
      expect([core.get64(s.SEG_GS + s.SEGMENT_BASE), core.get64(s.MSR_KERNEL_GS_BASE)]).to.deep.equal([2n, 1n]);
    });
    it('#GP(0) at CPL 3, #UD outside 64-bit mode', () => {
      core.compatibility();
      expect(faultOf(core.run('swapgs'))).to.deep.equal({ vector: 6, error: undefined });
      core.user();
      expect(faultOf(core.run('swapgs'))).to.deep.equal({ vector: GP, error: 0 });
    });
  });

  describe('LLDT, LTR, LGDT, SGDT', () => {
    const with16 = (name: string, selector: number): number => {
      core.set64(s.RBX, BigInt(selector));
      return core.run(name, { op0: s.RBX });
    };
    it('LTR takes a 16-byte descriptor in long mode and marks it busy', () => {
      core.setRam(gdt + sel.tss + 8, 0xffff_8880n);
      expect(with16('ltr', sel.tss)).to.equal(s.STATUS_CONTINUE);
      expect(core.get64(s.SEG_TR + s.SEGMENT_BASE)).to.equal(0xffff_8880_0000_3000n);
      expect((core.getRam(gdt + sel.tss) >> 40n) & 0xffn).to.equal(0x8bn);
    });
    it('LTR busy TSS: #GP(selector)', () => {
      with16('ltr', sel.tss);
      expect(faultOf(with16('ltr', sel.tss))).to.deep.equal({ vector: GP, error: sel.tss });
    });
    it('LTR null: #GP(0); LDT selector: #GP(selector); base not canonical: #GP(selector)', () => {
      expect(faultOf(with16('ltr', 0))).to.deep.equal({ vector: GP, error: 0 });
      expect(faultOf(with16('ltr', sel.tss | 4))).to.deep.equal({ vector: GP, error: sel.tss | 4 });
      core.setRam(gdt + sel.tss + 8, 0x8000n);
      expect(faultOf(with16('ltr', sel.tss))).to.deep.equal({ vector: GP, error: sel.tss });
    });
    it('LTR, LLDT not present: #NP(selector)', () => {
      core.setRam(gdt + sel.tss, descriptorOf(0x09, 0));
      expect(faultOf(with16('ltr', sel.tss))).to.deep.equal({ vector: 11, error: sel.tss });
      core.setRam(gdt + sel.ldt, descriptorOf(0x02, 0));
      expect(faultOf(with16('lldt', sel.ldt))).to.deep.equal({ vector: 11, error: sel.ldt });
    });
    it('LLDT: null is allowed, other types are #GP(selector)', () => {
      expect(with16('lldt', 0)).to.equal(s.STATUS_CONTINUE);
      expect(with16('lldt', sel.ldt)).to.equal(s.STATUS_CONTINUE);
      expect(core.get64(s.SEG_LDTR + s.SEGMENT_BASE)).to.equal(0x4000n);
      expect(faultOf(with16('lldt', sel.tss))).to.deep.equal({ vector: GP, error: sel.tss });
    });
    it('LGDT and SGDT: 2 + 8 bytes in 64-bit mode, 2 + 4 elsewhere', () => {
      core.setRam(memory, 0x8880_1234_5678_00ffn);
      core.setRam(memory + 8, 0xffffn);
      expect(core.runMemory('lgdt', memory)).to.equal(s.STATUS_CONTINUE);
      expect(core.get64(s.GDTR_BASE)).to.equal(0xffff_8880_1234_5678n);
      core.runMemory('sgdt', memory + 16);
      expect(core.getRam(memory + 16)).to.equal(0x8880_1234_5678_00ffn);
      core.compatibility();
      core.runMemory('lidt', memory);
      expect(core.get64(s.IDTR_BASE)).to.equal(0x1234_5678n);
      expect(core.get32(s.IDTR_LIMIT)).to.equal(0xff);
    });
    it('LGDT base not canonical: #GP(0)', () => {
      core.setRam(memory, 0x5678_0000_0000_00ffn);
      core.setRam(memory + 8, 0x1234n);
      expect(faultOf(core.runMemory('lgdt', memory))).to.deep.equal({ vector: GP, error: 0 });
    });
    it('SGDT across a page that is not present writes nothing', () => {
      core.setRam(readOnlyPage - 8, 0x11n);
      expect((faultOf(core.runMemory('sgdt', readOnlyPage - 4)) as { vector: number }).vector).to.equal(14);
      expect(core.getRam(readOnlyPage - 8)).to.equal(0x11n);
    });
    it('LGDT, LIDT, LLDT, LTR at CPL 3: #GP(0)', () => {
      core.user();
      for (const name of ['lgdt', 'lidt', 'lldt', 'ltr']) {
        expect(faultOf(core.run(name, { op0: s.RBX })), name).to.deep.equal({ vector: GP, error: 0 });
      }
    });
  });

  describe('LAR, LSL, VERR, VERW, SDM volume 3, 5.10', () => {
    const zf = (name: string, selector: number): boolean => {
      core.set64(s.RBX, BigInt(selector));
      core.set64(s.RAX, 0n);
      const verify = name.startsWith('ver');
      expect(core.run(name, verify ? { op0: s.RBX } : { op0: s.RAX, op1: s.RBX })).to.equal(s.STATUS_CONTINUE);
      return (core.flags & 0x40n) !== 0n;
    };
    it('LAR gives the second doubleword under 00F0FF00H', () => {
      expect(zf('lar32', sel.userData | 3)).to.equal(true);
      expect(core.get64(s.RAX)).to.equal(0xc0_f300n);
    });
    it('LSL expands the limit', () => {
      expect(zf('lsl32', sel.data)).to.equal(true);
      expect(core.get64(s.RAX)).to.equal(0xffff_ffffn);
    });
    it('ZF = 0 for null, outside, invisible and wrong types; the register stays', () => {
      for (const selector of [0, sel.beyond, sel.data | 3]) {
        for (const name of ['lar32', 'lsl32', 'verr', 'verw']) expect(zf(name, selector), name).to.equal(false);
      }
      expect(zf('verr', sel.executeOnly)).to.equal(false);
      expect(zf('verw', sel.readOnly)).to.equal(false);
      expect(zf('verr', sel.readOnly)).to.equal(true);
      expect(zf('verw', sel.data)).to.equal(true);
    });
    it('a fault of the table is a fault', () => {
      core.set64(s.GDTR_BASE, BigInt(absentPage));
      core.set64(s.RBX, 8n);
      expect((faultOf(core.run('verr', { op0: s.RBX })) as { vector: number }).vector).to.equal(14);
    });
  });

  it('PUSH Sreg in protected mode uses SS.base and 32 bits', () => {
    core = new SystemCore('legacy');
    core.segment(s.SEG_SS, sel.data, 0xc093, 0x100);
    core.call('updateMode');
    core.run('pushSegment32', { op0: s.SEG_CS });
    expect(core.get32(s.RAM + kernelStack + 0x100 - 4)).to.equal(sel.code64);
    expect(userStack).to.be.greaterThan(kernelStack);
  });
});
