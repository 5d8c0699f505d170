import { expect } from 'chai';
import { normaliseFx } from '../../instructions/normalise-fx.js';
import { tiers } from '../../instructions/processor-subject.js';
import {
  basePattern,
  dataPages,
  Flag,
  fxOffset,
  initialFx,
  usualRip,
  type MachineState,
} from '../../instructions/state.js';
import type { Subject } from '../../instructions/subject.js';

const PAGE_FAULT = 14;
const RBX = 3;

/** Code bytes with [RBX] as operand; the last byte of the operand lies in a page that refuses the access. */
const loads: readonly [string, string][] = [
  ['FADD m32', 'd803'],
  ['FADD m64', 'dc03'],
  ['FIADD m16', 'de03'],
  ['FCOMP m64', 'dc1b'],
  ['FLD m32', 'd903'],
  ['FLD m64', 'dd03'],
  ['FLD m80', 'db2b'],
  ['FILD m16', 'df03'],
  ['FILD m64', 'df2b'],
  ['FBLD m80', 'df23'],
  ['FLDENV', 'd923'],
  ['FRSTOR', 'dd23'],
  ['PADDB mm, m64', '0ffc0b'],
  ['MOVQ mm, m64', '0f6f0b'],
  ['CVTPI2PS xmm, m64', '0f2a0b'],
  ['CVTPS2PI mm, m64', '0f2d0b'],
  ['ADDSD', 'f20f580b'],
  ['CMPSS', 'f30fc20b00'],
  ['COMISD', '660f2f0b'],
  ['CVTSI2SD xmm, m64', 'f2480f2a0b'],
  ['CVTTSD2SI', 'f2480f2c03'],
  ['PINSRW', '660fc40b01'],
  ['MOVHPS xmm, m64', '0f160b'],
];
const stores: readonly [string, string][] = [
  ['FST m32', 'd913'],
  ['FSTP m64', 'dd1b'],
  ['FSTP m80', 'db3b'],
  ['FISTP m64', 'df3b'],
  ['FBSTP m80', 'df33'],
  ['FNSTENV', 'd933'],
  ['FNSAVE', 'dd33'],
  ['MOVQ m64, mm', '0f7f0b'],
  ['MOVD m32, mm', '0f7e0b'],
  ['MOVHPS m64, xmm', '0f170b'],
  ['MOVSS m32, xmm', 'f30f110b'],
  ['MOVDQU m128, xmm', 'f30f7f0b'],
];
const alignedLoads: readonly [string, string][] = [
  ['ADDPS', '0f580b'],
  ['SQRTPD', '660f510b'],
  ['PSHUFD', '660f700b00'],
  ['PUNPCKLBW', '660f600b'],
  ['MOVAPS', '0f280b'],
];

/** Numbers in the registers, TOP 5, three of them in use: nothing of this may change. */
function busyState(address: number): MachineState {
  const fx = initialFx();
  const view = new DataView(fx.buffer);
  view.setUint16(fxOffset.fsw, 5 << 11, true);
  fx[fxOffset.ftw] = 0b1110_0000;
  for (let i = 0; i < 8; i++) {
    view.setBigUint64(fxOffset.st + 16 * i, 0x8000_0000_0000_0001n + BigInt(i), true);
    view.setUint16(fxOffset.st + 16 * i + 8, 0x3fff + 3 * i, true);
  }
  for (let i = fxOffset.xmm; i < fx.length; i++) fx[i] = (i * 7) & 0x7f;
  const general = BigUint64Array.from({ length: 16 }, (_, i) => BigInt(i));
  general[RBX] = BigInt(address);
  return { general, rip: usualRip, rflags: Flag.IF | 2 | Flag.CF, fx, windows: [], bits: 64 };
}

describe('SSE, MMX and x87 instructions whose memory operand faults', () => {
  let subject: Subject;
  before(function () {
    this.timeout(60_000); // compiles the core
    subject = (tiers[0] as (typeof tiers)[number]).create();
  });

  const expectNothing = (name: string, code: string, address: number): void => {
    const before = busyState(address);
    const outcome = subject.execute(before, Uint8Array.from(Buffer.from(code, 'hex')), basePattern());
    expect(outcome.fault?.vector, name).to.equal(PAGE_FAULT);
    expect(outcome.changes, `${name}: memory`).to.deep.equal([]);
    expect(Array.from(outcome.fx), `${name}: FXSAVE image`).to.deep.equal(Array.from(normaliseFx(before.fx)));
    expect(Array.from(outcome.general), `${name}: general registers`).to.deep.equal(Array.from(before.general));
    expect(outcome.rflags & 0x8d5, `${name}: flags`).to.equal(Flag.CF);
  };

  for (const [name, code] of loads) {
    it(`${name} changes nothing when its last byte is not present`, () => {
      expectNothing(name, code, dataPages.address + dataPages.bytes - 1);
    });
  }
  for (const [name, code] of alignedLoads) {
    it(`${name} changes nothing when its operand is not present`, () => {
      expectNothing(name, code, dataPages.address + dataPages.bytes);
    });
  }
  for (const [name, code] of stores) {
    it(`${name} writes nothing when its last bytes are read-only`, () => {
      expectNothing(name, code, dataPages.address + dataPages.readOnlyAt - 1);
    });
  }
});
