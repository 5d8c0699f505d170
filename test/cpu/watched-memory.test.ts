import { expect } from 'chai';
import * as L from '../../src/cpu/state-layout.js';
import { R8, loop } from './hot/both-tiers.js';
import { dword } from './hot/plain-program.js';
import { places, rights } from './hot/random-places.js';
import { run, toldOf, watching, type Told } from './watched-program.js';

const { data } = places;
const ROUNDS = 6;
const hex = (value: number): string => value.toString(16);
const read = (at: number, bytes: number): string => `read ${hex(at)} ${String(bytes)}`;
const write = (at: number, bytes: number): string => `write ${hex(at)} ${String(bytes)}`;
const times = (told: readonly string[], count = ROUNDS): Told => Array.from({ length: count }, () => told).flat();
/** `[disp32]` as the memory operand behind an opcode: ModRM with SIB, no base. */
const at = (register: number, address: number): number[] => [0x04 | (register << 3), 0x25, ...dword(address)];
const program = (code: readonly number[], registers: Readonly<Record<number, bigint>> = {}, kernel = false) => ({
  code: loop(code),
  registers: { [R8]: BigInt(ROUNDS), ...registers },
  kernel,
});

describe('watched bytes of RAM', function () {
  this.timeout(60_000);

  describe('loads and stores of every width', () => {
    for (const [what, code, bytes] of [
      ['MOV r8', [0x8a, ...at(0, data + 0x20)], 1],
      ['MOV r16', [0x66, 0x8b, ...at(0, data + 0x20)], 2],
      ['MOV r32', [0x8b, ...at(0, data + 0x20)], 4],
      ['MOV r64', [0x48, 0x8b, ...at(0, data + 0x20)], 8],
      ['MOVUPS', [0x0f, 0x10, ...at(0, data + 0x20)], 16],
      ['MOVAPS', [0x0f, 0x28, ...at(0, data + 0x20)], 16],
      ['MOVSD', [0xf2, 0x0f, 0x10, ...at(0, data + 0x20)], 8],
      ['MOVZX', [0x0f, 0xb7, ...at(0, data + 0x20)], 2],
      ['CMP', [0x48, 0x3b, ...at(0, data + 0x20)], 8],
    ] as const) {
      it(`${what}: ${String(bytes)} bytes are loaded`, () => {
        expect(toldOf(program(code), watching([data, 64]))).to.deep.equal(times([read(data + 0x20, bytes)]));
      });
    }
    for (const [what, code, bytes] of [
      ['MOV r8', [0x88, ...at(0, data + 0x20)], 1],
      ['MOV r16', [0x66, 0x89, ...at(0, data + 0x20)], 2],
      ['MOV r32', [0x89, ...at(0, data + 0x20)], 4],
      ['MOV r64', [0x48, 0x89, ...at(0, data + 0x20)], 8],
      ['MOVUPS', [0x0f, 0x11, ...at(0, data + 0x20)], 16],
      ['MOVNTDQ', [0x66, 0x0f, 0xe7, ...at(0, data + 0x20)], 16],
      ['MOVSD', [0xf2, 0x0f, 0x11, ...at(0, data + 0x20)], 8],
    ] as const) {
      it(`${what}: ${String(bytes)} bytes are stored`, () => {
        expect(toldOf(program(code), watching([data, 64]))).to.deep.equal(times([write(data + 0x20, bytes)]));
      });
    }
    it('x87: FLD m80 and FSTP m80 are ten bytes in two accesses', () => {
      const code = [0xdb, ...at(5, data + 0x20), 0xdb, ...at(7, data + 0x40)];
      const told = toldOf(program(code), watching([data, 128]));
      const bytesOf = (kind: string): number =>
        told.filter((line) => line.startsWith(kind)).reduce((sum, line) => sum + Number(line.split(' ')[2]), 0);
      expect([bytesOf('read'), bytesOf('write')]).to.deep.equal([10 * ROUNDS, 10 * ROUNDS]);
    });
  });

  describe('what of an access is told', () => {
    it('only the watched bytes', () => {
      const told = toldOf(program([0x48, 0x8b, ...at(0, data + 0x20)]), watching([data + 0x22, 3]));
      expect(told).to.deep.equal(times([read(data + 0x22, 3)]));
    });
    it('each run of them when they have gaps', () => {
      const told = toldOf(program([0x48, 0x89, ...at(0, data + 0x20)]), watching([data + 0x18, 9], [data + 0x26, 4]));
      expect(told).to.deep.equal(times([write(data + 0x20, 1), write(data + 0x26, 2)]));
    });
    it('nothing of an access to other bytes of the same 64', () => {
      const told = toldOf(program([0x48, 0x89, ...at(0, data + 0x20)]), watching([data + 0x1f, 1], [data + 0x28, 1]));
      expect(told).to.deep.equal([]);
    });
    it('both pages of one that crosses pages', () => {
      const code = [0x48, 0x8b, ...at(0, data + 0xffd), 0x0f, 0x11, ...at(0, data + 0xff8)];
      const told = toldOf(program(code), watching([data + 0xff0, 32]));
      const loaded = [read(data + 0xffd, 3), read(data + 0x1000, 5)];
      const stored = [write(data + 0xff8, 8), write(data + 0x1000, 8)];
      expect(told).to.deep.equal(times([...loaded, ...stored]));
    });
    it('the second page alone when only that is watched', () => {
      const told = toldOf(program([0x48, 0x89, ...at(0, data + 0xffd)]), watching([data + 0x1000, 1]));
      expect(told).to.deep.equal(times([write(data + 0x1000, 1)]));
    });
    it('load and store of a read-modify-write', () => {
      const code = [0x48, 0x01, ...at(0, data + 0x20), 0x48, 0x87, ...at(0, data + 0x20)]; // ADD, XCHG
      const told = toldOf(program(code, { 0: 5n }), watching([data + 0x20, 8]));
      expect(told).to.deep.equal(times([read(data + 0x20, 8), write(data + 0x20, 8)], 2 * ROUNDS));
    });
    it('both of CMPXCHG, whether or not it stores something new', () => {
      const code = [0xf0, 0x48, 0x0f, 0xb1, ...at(1, data + 0x20)]; // LOCK CMPXCHG [data], RCX
      const told = toldOf(program(code, { 1: 5n }), watching([data + 0x20, 8]));
      expect(told).to.deep.equal(times([read(data + 0x20, 8), write(data + 0x20, 8)]));
    });
    it('stack accesses: PUSH, POP, CALL, RET', () => {
      const stack = data + 0x800;
      const code = [0x50, 0x59, 0xe8, ...dword(2), 0xeb, 0x01, 0xc3]; // PUSH RAX; POP RCX; CALL +2; JMP +1; RET
      const told = toldOf(program(code), watching([stack - 8, 8]));
      expect(told).to.deep.equal(times([write(stack - 8, 8), read(stack - 8, 8)], 2 * ROUNDS));
    });
    it('descriptors, which the processor loads by itself', () => {
      const told = toldOf(program([0x8e, 0xd8], { 0: 0x18n }, true), watching([places.gdt, 64])); // MOV DS, EAX
      expect(told.filter((line) => line === read(places.gdt + 0x18, 8)).length).to.equal(ROUNDS);
    });
    it('the instruction', () => {
      const code = [0x90, 0x48, 0x8b, ...at(0, data + 0x20), 0x50, 0x48, 0x01, ...at(0, data + 0x20)];
      const told = toldOf(program(code), (processor, lines) => {
        processor.watch(data, 0x1000);
        processor.onWatched = ({ instruction }) => lines.push(hex(Number(instruction) - places.code));
      });
      expect(told).to.deep.equal(times(['1', '9', 'a', 'a']));
    });
    it('no page walk', () => {
      const told = toldOf(program([0x48, 0x89, ...at(0, data + 0x20)], {}, true), watching([places.tables, 0x4000]));
      expect(told).to.deep.equal([]);
    });
    it('no instruction fetch', () => {
      expect(toldOf(program([0x90]), watching([places.code, 0x1000]))).to.deep.equal([]);
    });
    it('nothing of an access that faults', () => {
      const code = [0x48, 0x8b, ...at(0, places.absent - 4), 0x90];
      const plain = { code: loop(code), registers: { [R8]: 3n }, resume: [8, code.length, code.length + 9] };
      expect(toldOf(plain, watching([places.readOnly, 0x1000]))).to.deep.equal([]);
    });
  });

  describe('string instructions', () => {
    const copy = (bytes: number, element: number, width: number): number[] => [
      ...[0x48, 0xc7, 0xc6, ...dword(data + 0x100)], // MOV RSI
      ...[0x48, 0xc7, 0xc7, ...dword(data + 0x400)], // MOV RDI
      ...[0xb9, ...dword(bytes / width)], // MOV ECX
      ...[0xf3, ...(width === 8 ? [0x48] : []), element],
    ];
    it('REP MOVSB over the edge of a watched range: each byte of it', () => {
      const told = toldOf(program(copy(100, 0xa4, 1)), watching([data + 0x110, 3], [data + 0x45e, 64]));
      const loads = [0, 1, 2].map((i) => read(data + 0x110 + i, 1));
      const stores = Array.from({ length: 6 }, (_, i) => write(data + 0x45e + i, 1));
      expect(told).to.deep.equal(times([...loads, ...stores]));
    });
    it('REP MOVSQ: the watched bytes of each element', () => {
      const told = toldOf(program(copy(256, 0xa5, 8)), watching([data + 0x10c, 8], [data + 0x41f, 2]));
      const loads = [read(data + 0x10c, 4), read(data + 0x110, 4)];
      expect(told).to.deep.equal(times([...loads, write(data + 0x41f, 1), write(data + 0x420, 1)]));
    });
    it('REP STOSQ, REP LODSB, REPE SCASB and REPE CMPSB', () => {
      const watched = [data + 0x404, 8] as const;
      const stored = toldOf(program(copy(64, 0xab, 8)), watching(watched));
      expect(stored).to.deep.equal(times([write(data + 0x404, 4), write(data + 0x408, 4)]));
      const loaded = toldOf(program(copy(16, 0xac, 1)), watching([data + 0x104, 2]));
      expect(loaded).to.deep.equal(times([read(data + 0x104, 1), read(data + 0x105, 1)]));
      for (const element of [0xae, 0xa6]) {
        const plain = { ...program(copy(64, element, 1)), data: Array<number>(0x800).fill(0) };
        const compared = toldOf(plain, watching(watched));
        expect(compared).to.deep.equal(times(Array.from({ length: 8 }, (_, i) => read(data + 0x404 + i, 1))));
      }
    });
  });

  describe('changes while the guest runs', () => {
    it('what the callback unwatches is not told again, what it watches is', () => {
      const code = [0x48, 0x89, ...at(0, data + 0x20), 0x48, 0x8b, ...at(1, data + 0x40)];
      const told = toldOf(program(code), (processor, lines) => {
        processor.watch(data + 0x20, 8);
        processor.onWatched = ({ physical, write: isWrite }) => {
          lines.push(`${isWrite ? 'write' : 'read'} ${hex(physical)}`);
          processor.unwatch(data + 0x20, 8);
          processor.watch(data + 0x40, 1);
        };
      });
      expect(told).to.deep.equal([`write ${hex(data + 0x20)}`, ...times([`read ${hex(data + 0x40)}`])]);
    });
    it('a watch that begins while hot code runs is told from the next access on', () => {
      const plain = { ...program([0x48, 0x89, ...at(0, data + 0x20)]), registers: { [R8]: 2000n } };
      const heard: number[] = [];
      for (const compileAfter of ['never', 1] as const) {
        const { told } = run(plain, compileAfter, 0, (processor, lines) => {
          watching([data + 0x800, 1])(processor, lines);
          processor.setBreakpoint(places.code, () => {
            if (processor.registers.get('r8') === 500n) processor.watch(data + 0x20, 1);
          });
        });
        heard.push(told.length);
      }
      expect(heard).to.deep.equal([500, 500]);
    });
    it('a watch between two slices reaches code that is hot already', () => {
      const plain = { ...program([0x48, 0x8b, ...at(0, data + 0x20)]), registers: { [R8]: 5000n } };
      const heard = (['never', 1] as const).map((compileAfter) => {
        const told: Told = [];
        let slices = 0;
        const { machine } = run(plain, compileAfter, 0, (processor) => {
          const original = processor.run.bind(processor);
          processor.run = (until) => {
            const stop = original(Math.min(until, processor.ticks + 1000));
            if (++slices === 5) watching([data + 0x20, 8])(processor, told);
            if (slices === 10) processor.unwatch(data + 0x20, 8);
            return stop;
          };
        });
        if (compileAfter === 1) expect(machine.processor.hot.statistics.regions).to.be.above(0);
        return told.length;
      });
      expect(heard[0]).to.be.within(1660, 1670);
      expect(heard[1]).to.equal(heard[0]);
    });
    it('a page with watched bytes may hold code: a store there changes the code and is told', () => {
      const code = [0x44, 0x88, ...at(0, places.code + 11), 0x80, 0xc3, 0]; // MOV [the immediate], R8B; ADD BL, 0
      const at0 = places.code + 10;
      code.splice(2, 6, ...at(0, at0));
      const told = toldOf(program(code), watching([at0, 1]));
      expect(told).to.deep.equal(times([write(at0, 1)]));
    });
    it('stores to a page are plain again when nothing of it is watched', () => {
      const plain = program([0x48, 0x89, ...at(0, data + 0x20)]);
      const { machine } = run(plain, 'never', 0, (processor) => {
        processor.watch(data + 0x30, 1);
        processor.unwatch(data + 0x30, 1);
      });
      const { wasm } = machine.processor as unknown as { readonly wasm: WebAssembly.Memory };
      const view = new DataView(wasm.buffer);
      const entry = L.TLB_USER + ((data >> 12) & 1023) * L.TLB_ENTRY;
      expect(view.getBigUint64(entry + L.TLB_TAG_WRITE, true)).to.equal(BigInt(data));
    });
  });

  describe('who watches', () => {
    it('is told of its own bytes alone', () => {
      const lines: Told = [];
      run(program([0x48, 0x89, ...at(0, data + 0x20)]), 'never', 0, (processor) => {
        for (const [name, from] of [
          ['one', 0x1e],
          ['other', 0x26],
        ] as const) {
          const watcher = processor.addWatcher();
          watcher.onWatched = ({ physical, bytes }) => {
            lines.push(`${name} ${hex(physical)} ${String(bytes)}`);
            watcher.unwatchAll();
          };
          watcher.watch(data + from, 4);
          watcher.watch(data + 0x23, 1);
        }
      });
      const [first, second] = [data + 0x20, data + 0x23];
      expect(lines).to.deep.equal([
        `one ${hex(first)} 2`,
        `one ${hex(second)} 1`,
        `other ${hex(second)} 1`,
        `other ${hex(data + 0x26)} 2`,
      ]);
    });
    it('may name what is no RAM: that is left out', () => {
      run(program([0x90]), 'never', 0, (processor) => {
        processor.watch(-4096, 2 ** 40);
        expect(processor.addWatcher().isWatched(0)).to.equal(false);
        processor.unwatch(-4096, 2 ** 40);
      });
    });
    it('is not in a saved state; who restores one goes on watching', () => {
      const plain = program([0x48, 0x89, ...at(0, data + 0x20)]);
      const free = run(plain, 'never', 0).machine.processor.state;
      const { machine, told } = run(plain, 'never', 0, watching([data + 0x20, 8]));
      const { state } = machine.processor;
      expect(state.tlbDigest().toString()).to.equal(free.tlbDigest().toString());
      const saved = state.save();
      const tags = new DataView(saved.buffer, saved.byteLength - 4 * L.TLB_ENTRIES * L.TLB_ENTRY);
      for (let entry = 0; entry < 2 * L.TLB_ENTRIES; entry++) {
        const tag = tags.getUint32(entry * L.TLB_ENTRY + L.TLB_TAG_READ, true);
        expect(tag & L.TLB_WATCHED).to.equal(0);
      }
      state.restore(saved);
      expect(state.tlbDigest().toString()).to.equal(free.tlbDigest().toString());
      expect(told.length).to.equal(ROUNDS);
    });
  });

  it('accessed and dirty bits are set when the guest without watches sets them', () => {
    // The leaf entry's bits are cleared without INVLPG: what is in the TLB stays there.
    const entry = places.tables + 3 * 0x1000 + (data >> 12) * 8;
    const clear = [0x83, ...at(4, entry), ~(rights.accessed | rights.dirty) & 0xff]; // AND dword [entry]
    const code = [0x48, 0x89, ...at(0, data + 0x20), ...clear, 0x48, 0x8b, ...at(1, data + 0x28)];
    const told = toldOf(program(code, {}, true), watching([data, 0x100]));
    expect(told).to.deep.equal(times([write(data + 0x20, 8), read(data + 0x28, 8)]));
  });
});
