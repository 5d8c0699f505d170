import { expect } from 'chai';
import * as s from '../../../src/cpu/state-layout.js';
import { P, ramBytes, TestCore, U, W } from './memory-fixture.js';

const record = s.RECORDS;
const base = 0x40_0000n;
const pages = 8;
const DF = 0x400n;

/** Deterministic numbers below `limit`. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * limit);
  };
}

describe('string instructions', function () {
  this.timeout(60_000);
  let core: TestCore;
  beforeEach(() => {
    core = new TestCore();
    // Linear pages are contiguous, physical ones are not.
    for (let page = 0; page < pages; page++) {
      core.map(base + BigInt(page * 0x1000), 0x5_0000 - page * 0x2000, P | W | U);
    }
    prepare(0);
  });

  function prepare(flags: number, direction = 0n): void {
    core.set32(record + s.REC_SEGMENT, s.ZERO);
    core.bytes[record + s.REC_FLAGS] = flags;
    core.set64(s.FLAGS_SYSTEM, 2n | direction);
    core.set32(s.BUDGET, 1_000_000);
  }
  const hostOf = (linear: bigint): number => {
    const offset = Number(linear - base);
    return s.RAM + 0x5_0000 - (offset >> 12) * 0x2000 + (offset & 0xfff);
  };
  const getByte = (linear: bigint): number => core.bytes[hostOf(linear)] ?? 0;
  const setByte = (linear: bigint, value: number): void => {
    core.bytes[hostOf(linear)] = value;
  };
  const setText = (linear: bigint, text: string): void => {
    for (let i = 0; i < text.length; i++) setByte(linear + BigInt(i), text.charCodeAt(i));
  };
  const getText = (linear: bigint, length: number): string =>
    Array.from({ length }, (_, i) => String.fromCharCode(getByte(linear + BigInt(i)))).join('');
  const run = (name: string): number => Number(core.call(name, record));
  const registers = (): bigint[] => [core.get64(s.RCX), core.get64(s.RSI), core.get64(s.RDI)];
  const zero = (): boolean => core.get64(s.FLAGS_RESULT) === 0n;
  const carry = (): boolean => core.get64(s.FLAGS_AUX) >> 63n === 1n;

  describe('against one element after the other (SDM vol. 2, MOVS, STOS, LODS, SCAS, CMPS, REP)', () => {
    const operations = ['movs', 'stos', 'lods', 'scas', 'cmps'];
    interface State {
      rcx: bigint;
      rsi: bigint;
      rdi: bigint;
      rax: bigint;
      memory: Uint8Array;
      flags: [bigint, bigint] | undefined;
      ticks: number;
    }

    /** The SDM's pseudo-code on a flat copy of the memory. */
    function reference(operation: string, width: number, flags: number, backward: boolean, state: State): void {
      const get = (at: bigint): bigint => {
        let value = 0n;
        for (let i = 0; i < width; i++) value |= BigInt(state.memory[Number(at - base) + i] ?? 0) << BigInt(8 * i);
        return value;
      };
      const put = (at: bigint, value: bigint): void => {
        for (let i = 0; i < width; i++) state.memory[Number(at - base) + i] = Number((value >> BigInt(8 * i)) & 0xffn);
      };
      const bits = width * 8;
      const step = BigInt(backward ? -width : width);
      const repeated = (flags & (s.REC_REP | s.REC_REPNE)) !== 0;
      while (!repeated || state.rcx !== 0n) {
        const accumulator = BigInt.asUintN(bits, state.rax);
        let pair: [bigint, bigint] | undefined;
        if (operation === 'movs') put(state.rdi, get(state.rsi));
        if (operation === 'stos') put(state.rdi, accumulator);
        if (operation === 'lods') {
          const value = get(state.rsi);
          state.rax = width >= 4 ? value : (state.rax & ~((1n << BigInt(bits)) - 1n)) | value;
        }
        if (operation === 'scas') pair = [accumulator, get(state.rdi)];
        if (operation === 'cmps') pair = [get(state.rsi), get(state.rdi)];
        if (operation !== 'stos' && operation !== 'scas') state.rsi += step;
        if (operation !== 'lods') state.rdi += step;
        if (pair) state.flags = pair;
        state.ticks++;
        if (!repeated) return;
        state.rcx--;
        if (pair && (pair[0] === pair[1]) !== ((flags & s.REC_REPNE) === 0)) return;
      }
      if (state.ticks === 0) state.ticks = 1;
    }

    for (const operation of operations) {
      for (const width of [1, 2, 4, 8]) {
        it(`${operation}${String(width * 8)}: memory, registers, flags and ticks, however the budget cuts it`, () => {
          const next = randomNumbers(width * 31 + operations.indexOf(operation));
          for (let round = 0; round < 60; round++) {
            const backward = next(2) === 1;
            const flags = [0, s.REC_REP, s.REC_REP, s.REC_REPNE][next(4)] ?? 0;
            const count = [next(4), next(40), next(2000)][next(3)] ?? 0;
            const span = count * width;
            const room = pages * 0x1000 - 2 * span - 64;
            const start = span + 16 + next(room > 0 ? Math.min(room, 0x3000) : 1);
            if (start + span + 16 > pages * 0x1000) continue;
            const distance = [0, 1, width, 3 * width + 1, 0x800][next(5)] ?? 0;
            const rsi = base + BigInt(start);
            const limit = backward ? start + 16 : pages * 0x1000 - start - span - 16;
            const rdi = rsi + BigInt((next(2) ? 1 : -1) * Math.min(distance, Math.max(limit, 0), start - span));
            const alphabet = [1, 2, 256][next(3)] ?? 1;
            const memory = new Uint8Array(pages * 0x1000).map(() => next(alphabet));
            memory.forEach((byte, i) => {
              setByte(base + BigInt(i), byte);
            });
            const rax = alphabet === 256 ? 0x1122_3344_5566_7788n : BigInt(next(2)) * 0x0101_0101_0101_0101n;
            const state: State = { rcx: BigInt(count), rsi, rdi, rax, memory, flags: undefined, ticks: 0 };
            core.set64(s.RCX, state.rcx);
            core.set64(s.RSI, rsi);
            core.set64(s.RDI, rdi);
            core.set64(s.RAX, rax);
            core.set64(s.FLAGS_RESULT, 0x1234n);
            core.set64(s.FLAGS_AUX, 0x8n);
            reference(operation, width, flags, backward, state);

            prepare(flags, backward ? DF : 0n);
            let ticks = 0;
            for (;;) {
              const budget = next(2) ? next(5) : next(3000);
              core.set32(s.BUDGET, budget);
              const status = run(`${operation}${String(width * 8)}`);
              ticks += 1 + budget - core.view.getInt32(s.BUDGET, true);
              if (status !== s.STATUS_REPEAT) {
                expect(status).to.equal(s.STATUS_CONTINUE);
                break;
              }
              expect(core.get32(s.BUDGET)).to.equal(0);
              expect(core.get64(s.FLAGS_RESULT)).to.equal(0x1234n);
            }
            const note = `round ${String(round)}: count ${String(count)}, flags ${String(flags)}, DF ${String(backward)}`;
            expect(registers(), note).to.deep.equal([state.rcx, state.rsi, state.rdi]);
            expect(core.get64(s.RAX), note).to.equal(state.rax);
            expect(ticks, note).to.equal(state.ticks);
            const now = memory.map((_, i) => getByte(base + BigInt(i)));
            expect(Buffer.compare(now, state.memory), note).to.equal(0);
            if (state.flags) {
              expect(zero(), note).to.equal(state.flags[0] === state.flags[1]);
              expect(carry(), note).to.equal(state.flags[0] < state.flags[1]);
            } else expect(core.get64(s.FLAGS_RESULT), note).to.equal(0x1234n);
          }
        });
      }
    }
  });

  describe('REP', () => {
    it('RCX = 0 does nothing, not even fault, and costs its one tick', () => {
      prepare(s.REC_REP);
      core.set32(s.BUDGET, 0);
      core.set64(s.RDI, 0x1234_5678_9abc_def0n);
      core.set64(s.FLAGS_RESULT, 77n);
      for (const name of ['movs8', 'stos64', 'lods32', 'scas8', 'cmps16'])
        expect(run(name)).to.equal(s.STATUS_CONTINUE);
      expect(core.get32(s.BUDGET)).to.equal(0);
      expect(core.get64(s.FLAGS_RESULT)).to.equal(77n);
    });
    it('a page fault in the middle leaves RCX, RSI and RDI at the element that faulted', () => {
      prepare(s.REC_REP);
      core.map(base + 0x2000n, 0x6_0000, P);
      core.set64(s.RCX, 0x400n);
      core.set64(s.RSI, base);
      core.set64(s.RDI, base + 0x1f00n);
      core.set32(s.BUDGET, 5000);
      expect(run('movs64')).to.equal(s.STATUS_FAULT);
      expect(core.takeFault()).to.deep.equal({ vector: 14, error: 3, address: base + 0x2000n });
      expect(registers()).to.deep.equal([0x400n - 32n, base + 0x100n, base + 0x2000n]);
      // 32 elements plus the one that faulted, which the dispatch loop gives back.
      expect(core.get32(s.BUDGET)).to.equal(5000 - 32);
    });
    it('an element that crosses into an absent page writes nothing', () => {
      prepare(s.REC_REP);
      core.map(base + 0x1000n, 0, 0n);
      core.set64(s.RCX, 4n);
      core.set64(s.RAX, 0xffff_ffff_ffff_ffffn);
      core.set64(s.RDI, base + 0xffan);
      expect(run('stos32')).to.equal(s.STATUS_FAULT);
      expect(core.takeFault()?.address).to.equal(base + 0x1000n);
      expect(getText(base + 0xff8n, 8)).to.equal('\0\0\xff\xff\xff\xff\0\0');
      expect(core.get64(s.RDI)).to.equal(base + 0xffen);
    });
    it('SCAS and CMPS keep the flags when they fault (SDM vol. 2, REP)', () => {
      prepare(s.REC_REPNE);
      core.map(base + 0x1000n, 0, 0n);
      core.set64(s.FLAGS_RESULT, 77n);
      core.set64(s.RCX, 0x2000n);
      core.set64(s.RDI, base);
      core.set64(s.RAX, 5n);
      expect(run('scas8')).to.equal(s.STATUS_FAULT);
      expect(core.get64(s.RDI)).to.equal(base + 0x1000n);
      expect(core.get64(s.FLAGS_RESULT)).to.equal(77n);
    });
    it('MOVS checks the source before the destination', () => {
      core.set64(s.RSI, base + 0x10_0000n);
      core.set64(s.RDI, base + 0x20_0000n);
      expect(run('movs8')).to.equal(s.STATUS_FAULT);
      expect(core.takeFault()?.address).to.equal(base + 0x10_0000n);
    });
  });

  describe('addresses', () => {
    it('address size 32: ESI, EDI and ECX, upper halves cleared', () => {
      prepare(s.REC_REP | s.REC_ADDRESS32);
      setText(base, 'abcdef');
      core.set64(s.RCX, 0xffff_ffff_0000_0006n);
      core.set64(s.RSI, 0xffff_ffff_0000_0000n | base);
      core.set64(s.RDI, 0x1_0000_0000n | (base + 0x100n));
      expect(run('movs8')).to.equal(s.STATUS_CONTINUE);
      expect(getText(base + 0x100n, 6)).to.equal('abcdef');
      expect(registers()).to.deep.equal([0n, base + 6n, base + 0x106n]);
    });
    it('address size 32 wraps from 4 GiB to 0', () => {
      prepare(s.REC_REP | s.REC_ADDRESS32);
      core.map(0xffff_f000n, 0x6_0000, P | W);
      core.map(0n, 0x7_0000, P | W);
      core.set64(s.RCX, 8n);
      core.set64(s.RAX, 0xaan);
      core.set64(s.RDI, 0xffff_fffcn);
      expect(run('stos8')).to.equal(s.STATUS_CONTINUE);
      expect(core.getRam(0x6_0ff8) >> 32n).to.equal(0xaaaa_aaaan);
      expect(core.getRam(0x7_0000)).to.equal(0xaaaa_aaaan);
      expect(core.get64(s.RDI)).to.equal(4n);
    });
    it('the source takes the segment of the record, with #SS for SS; the destination is ES', () => {
      prepare(s.REC_STACK_SEGMENT);
      core.set32(record + s.REC_SEGMENT, s.SEG_FS + s.SEGMENT_BASE);
      core.set64(s.SEG_FS + s.SEGMENT_BASE, 0x800n);
      setText(base + 0x810n, 'x');
      core.set64(s.RSI, base + 0x10n);
      core.set64(s.RDI, base);
      run('movs8');
      expect(getText(base, 1)).to.equal('x');
      core.set64(s.RSI, 0x8000_0000_0000n);
      expect(run('lods8')).to.equal(s.STATUS_FAULT);
      expect(core.takeFault()).to.deep.equal({ vector: 12, error: 0 });
      core.set64(s.RDI, 0x8000_0000_0000n);
      expect(run('stos8')).to.equal(s.STATUS_FAULT);
      expect(core.takeFault()).to.deep.equal({ vector: 13, error: 0 });
    });
    it('the base of ES counts in a segmented legacy mode', () => {
      prepare(s.REC_ADDRESS32);
      core.mode('unpaged');
      core.set32(s.MODE, core.get32(s.MODE) | s.MODE_SEGMENTED);
      core.set64(s.SEG_ES + s.SEGMENT_BASE, 0x5000n);
      core.set64(s.RDI, 0x18n);
      core.set64(s.RAX, 0x42n);
      run('stos8');
      expect(core.getRam(0x5018)).to.equal(0x42n);
      expect(core.get64(s.RDI)).to.equal(0x19n);
    });
  });

  it('two aliases of one page overlap as RAM does, not as linear addresses', () => {
    prepare(s.REC_REP);
    core.map(0x7000_0000n, 0x5_0000, P | W);
    setText(base, 'ab');
    core.set64(s.RCX, 62n);
    core.set64(s.RSI, base);
    core.set64(s.RDI, 0x7000_0002n);
    run('movs8');
    expect(getText(base, 64)).to.equal('ab'.repeat(32));
  });
  it('MMIO goes element by element', () => {
    prepare(s.REC_REP);
    core.map(0x7000_0000n, 0xfee0_0000, P | W);
    core.set64(s.RCX, 2n);
    core.set64(s.RAX, 7n);
    core.set64(s.RDI, 0x7000_0000n);
    run('stos32');
    expect(core.calls).to.deep.equal([
      ['writeMmio', 0xfee0_0000, 4, 7],
      ['writeMmio', 0xfee0_0004, 4, 7],
    ]);
    expect(ramBytes).to.be.lessThan(0xfee0_0000);
  });
  it('stores into translated code are reported', () => {
    prepare(s.REC_REP);
    core.bytes[s.CODE_PAGES + 0x50] = 1;
    core.bytes[s.CODE_BITMAP + (0x5_0020 >> 8)] = 1 << ((0x5_0020 >> 5) & 7);
    core.set64(s.RCX, 8n);
    core.set64(s.RDI, base + 0x10n);
    run('stos64');
    expect(core.calls).to.deep.equal([0x5_0020, 0x5_0028, 0x5_0030, 0x5_0038].map((at) => ['codeWritten', at, 8]));
  });
});

describe('flags of CMP (SDM vol. 1, 3.4.3.1)', function () {
  this.timeout(30_000);
  it('8 bits: CF, OF, AF, ZF, SF, PF for all operands', () => {
    const core = new TestCore();
    const signed = (x: number): number => (x << 24) >> 24;
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) {
        core.call('setSubFlags', BigInt(a) | 0xff00n, BigInt(b), 1);
        const result = core.view.getBigInt64(s.FLAGS_RESULT, true);
        const low = core.get32(s.FLAGS_AUX);
        const top = core.get32(s.FLAGS_AUX + 4) >>> 30;
        const overflow = signed(a) - signed(b) !== signed(a - b);
        const flags = [top >> 1, (top >> 1) ^ (top & 1), (low >> 3) & 1, Number(result), low & ~8];
        expect(flags).to.deep.equal([Number(a < b), Number(overflow), Number((a & 15) < (b & 15)), signed(a - b), 0]);
      }
    }
  });
});
