import { expect } from 'chai';
import * as s from '../../../src/cpu/state-layout.js';
import { memory, readOnlyPage, absentPage, SystemCore } from './system-fixture.js';

describe('x87, MMX and SSE state', function () {
  this.timeout(60_000);
  let core: SystemCore;
  const TS = 8n;
  const EM = 4n;
  const MP = 2n;
  const cr0 = 0x8001_0031n;
  beforeEach(() => {
    core = new SystemCore();
    core.view.setUint16(s.FX, 0x37f, true);
    core.set32(s.FX_MXCSR, 0x1f80);
  });
  const faultOf = (status: number): unknown => {
    expect(status).to.equal(s.STATUS_FAULT);
    return core.takeFault();
  };
  const NM = { vector: 7, error: undefined };
  const UD = { vector: 6, error: undefined };
  const MF = { vector: 16, error: undefined };

  describe('FXSAVE and FXRSTOR, SDM volume 1, 10.5', () => {
    it('save and restore everything; MXCSR_MASK is FFFFH', () => {
      for (let i = 32; i < 416; i++) core.bytes[s.FX + i] = i & 0xff;
      expect(core.runMemory('fxsave64', memory)).to.equal(s.STATUS_CONTINUE);
      expect(core.get32(s.RAM + memory + 28)).to.equal(0xffff);
      core.bytes.fill(0, s.FX, s.FX + 512);
      expect(core.runMemory('fxrstor64', memory)).to.equal(s.STATUS_CONTINUE);
      expect(core.get32(s.FX_MXCSR)).to.equal(0x1f80);
      expect(core.bytes[s.FX + 415]).to.equal(415 & 0xff);
      expect(core.bytes[s.FX]).to.equal(0x7f);
    });
    it('outside 64-bit mode XMM8-15 are neither saved nor restored', () => {
      core.compatibility();
      core.setRam(memory + 288, 0x77n);
      core.runMemory('fxsave', memory);
      expect(core.getRam(memory + 288)).to.equal(0x77n);
      core.set64(s.XMM + 128, 0x99n);
      core.runMemory('fxrstor', memory);
      expect(core.get64(s.XMM + 128)).to.equal(0x99n);
    });
    it('not aligned to 16: #GP(0)', () => {
      for (const name of ['fxsave', 'fxrstor']) {
        expect(faultOf(core.runMemory(name, memory + 8)), name).to.deep.equal({ vector: 13, error: 0 });
      }
    });
    it('reserved bits of MXCSR: #GP(0), nothing restored', () => {
      core.runMemory('fxsave', memory);
      core.set32(s.RAM + memory + 24, 0x1_1f80);
      core.set64(s.XMM, 5n);
      expect(faultOf(core.runMemory('fxrstor', memory))).to.deep.equal({ vector: 13, error: 0 });
      expect(core.get64(s.XMM)).to.equal(5n);
    });
    it('the whole range is probed before anything is written or loaded', () => {
      core.setRam(readOnlyPage - 256, 0x77n);
      expect((faultOf(core.runMemory('fxsave', readOnlyPage - 256)) as { vector: number }).vector).to.equal(14);
      expect(core.getRam(readOnlyPage - 256)).to.equal(0x77n);
      core.set64(s.FX, 0x37fn);
      expect((faultOf(core.runMemory('fxrstor', absentPage - 256)) as { vector: number }).vector).to.equal(14);
      expect(core.get64(s.FX)).to.equal(0x37fn);
    });
    it('CR0.EM: #UD, CR0.TS: #NM', () => {
      core.set64(s.CR0, cr0 | EM);
      expect(faultOf(core.runMemory('fxsave', memory))).to.deep.equal(UD);
      core.set64(s.CR0, cr0 | TS);
      expect(faultOf(core.runMemory('fxrstor', memory))).to.deep.equal(NM);
    });
  });

  describe('x87 control, SDM volume 1, 8.1', () => {
    it('FNINIT keeps the physical registers and empties all', () => {
      core.view.setUint16(s.FX + 2, 3 << 11, true); // TOP = 3: ST0 is R3
      core.bytes[s.FX + 4] = 0xff;
      core.set64(s.FX_ST, 0x33n);
      core.run('fninit');
      expect(core.get64(s.FX_ST + 3 * 16)).to.equal(0x33n);
      expect([
        core.view.getUint16(s.FX, true),
        core.view.getUint16(s.FX + 2, true),
        core.bytes[s.FX + 4],
      ]).to.deep.equal([0x37f, 0, 0]);
    });
    it('FLDCW that unmasks a pending exception makes the next waiting instruction #MF', () => {
      core.view.setUint16(s.FX + 2, 1, true);
      core.setRam(memory, 0x37en);
      expect(core.runMemory('fldcw', memory)).to.equal(s.STATUS_CONTINUE);
      expect(core.view.getUint16(s.FX + 2, true)).to.equal(0x8081);
      expect(faultOf(core.run('fwait'))).to.deep.equal(MF);
      expect(core.run('fnclex')).to.equal(s.STATUS_CONTINUE);
      expect(core.run('fwait')).to.equal(s.STATUS_CONTINUE);
    });
    it('FNSTCW, FNSTSW', () => {
      core.view.setUint16(s.FX + 2, 0x3800, true);
      core.run('fnstswAx');
      expect(core.get64(s.RAX) & 0xffffn).to.equal(0x3800n);
      core.runMemory('fnstcw', memory);
      core.runMemory('fnstsw', memory + 2);
      expect(core.get32(s.RAM + memory)).to.equal(0x3800_037f);
    });
    it('CR0.TS or CR0.EM: #NM; FWAIT only with MP and TS', () => {
      core.set64(s.CR0, cr0 | EM);
      expect(faultOf(core.run('fninit'))).to.deep.equal(NM);
      expect(core.run('fwait')).to.equal(s.STATUS_CONTINUE);
      core.set64(s.CR0, cr0 | TS);
      for (const name of ['fnstcw', 'fldcw', 'fnstsw', 'fnstswAx', 'fnclex']) {
        expect(faultOf(core.run(name)), name).to.deep.equal(NM);
      }
      expect(core.run('fwait')).to.equal(s.STATUS_CONTINUE);
      core.set64(s.CR0, cr0 | TS | MP);
      expect(faultOf(core.run('fwait'))).to.deep.equal(NM);
    });
  });

  describe('MXCSR and EMMS', () => {
    it('LDMXCSR, STMXCSR; reserved bits: #GP(0)', () => {
      core.setRam(memory, 0x9fc0n);
      core.runMemory('ldmxcsr', memory);
      core.runMemory('stmxcsr', memory + 8);
      expect(core.getRam(memory + 8)).to.equal(0x9fc0n);
      core.setRam(memory, 0x1_0000n);
      expect(faultOf(core.runMemory('ldmxcsr', memory))).to.deep.equal({ vector: 13, error: 0 });
    });
    it('without CR4.OSFXSR: #UD; CR0.TS: #NM', () => {
      core.set64(s.CR0, cr0 | TS);
      expect(faultOf(core.runMemory('stmxcsr', memory))).to.deep.equal(NM);
      core.set64(s.CR4, 0xb0n);
      expect(faultOf(core.runMemory('ldmxcsr', memory))).to.deep.equal(UD);
    });
    it('EMMS empties the tags; CR0.EM: #UD', () => {
      core.bytes[s.FX + 4] = 0xff;
      core.run('emms');
      expect(core.bytes[s.FX + 4]).to.equal(0);
      core.set64(s.CR0, cr0 | EM);
      expect(faultOf(core.run('emms'))).to.deep.equal(UD);
    });
  });
});
