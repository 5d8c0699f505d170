import fc from 'fast-check';
import { expect } from 'chai';
import { storeFlagsBody, storeFlagsSignature } from '../../../src/cpu/cold/store-flags.js';
import { FLAG_KINDS, RAW, formOfKind, keptValues, kindOf } from '../../../src/cpu/ir/flag-kinds.js';
import { flagNodes, type FlagsForm } from '../../../src/cpu/ir/flags.js';
import { constant, maskOf, type Node } from '../../../src/cpu/ir/nodes.js';
import * as L from '../../../src/cpu/state-layout.js';
import { ModuleWriter } from '../../../src/cpu/wasm/encoder.js';

type StoreFlags = (kind: number, a: bigint, b: bigint, result: bigint) => void;

const memory = new WebAssembly.Memory({ initial: 1 });
const view = new DataView(memory.buffer);
const unused = 0xdead_beef_dead_beefn; // what a kind does not keep

function compile(): StoreFlags {
  const module = new ModuleWriter();
  const index = module.declare(storeFlagsSignature);
  module.define(index, storeFlagsBody());
  module.export('storeFlags', index);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode(1)), { env: { memory } });
  return exports['storeFlags'] as StoreFlags;
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const compute: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << (b & 63n),
  extend8: (a) => BigInt.asIntN(8, a),
  extend16: (a) => BigInt.asIntN(16, a),
  extend32: (a) => BigInt.asIntN(32, a),
};

/** The value of a node made of constants, without WebAssembly. */
function valueOf({ source }: Node): bigint {
  if (source.kind === 'constant') return u64(source.value);
  if (source.kind !== 'operator') throw new Error(`a ${source.kind} among the flags`);
  const [a = 0n, b = 0n] = source.arguments.map(valueOf);
  const operator = compute[source.name];
  if (operator === undefined) throw new Error(`the operator ${source.name} among the flags`);
  return u64(operator(a, b));
}

/** CF, PF, AF, ZF, SF and OF of an addition or subtraction. Intel SDM volume 1, 3.4.3.1. */
function architectural(kind: 'add' | 'sub', a: bigint, b: bigint, carry: bigint, bits: number) {
  const sign = (value: bigint): bigint => BigInt.asIntN(bits, value);
  const wide = kind === 'add' ? a + b + carry : a - b - carry;
  const exact = kind === 'add' ? sign(a) + sign(b) + carry : sign(a) - sign(b) - carry;
  const nibble = kind === 'add' ? (a & 15n) + (b & 15n) + carry : (a & 15n) - (b & 15n) - carry;
  return {
    carry: wide < 0n || wide > maskOf(bits),
    adjust: nibble < 0n || nibble > 15n,
    overflow: exact !== sign(exact),
    ...ofResult(wide, bits),
  };
}

function ofResult(result: bigint, bits: number) {
  const low = Number(result & 0xffn);
  const ones = [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (low >> bit) & 1).length;
  return {
    zero: (result & maskOf(bits)) === 0n,
    sign: BigInt.asIntN(bits, result) < 0n,
    parity: ones % 2 === 0,
  };
}

/** As state-layout.ts defines FLAGS_RESULT and FLAGS_AUX. */
function storedFlags() {
  const result = view.getBigInt64(L.FLAGS_RESULT, true);
  const aux = view.getBigUint64(L.FLAGS_AUX, true);
  const bit = (number: bigint): boolean => ((aux >> number) & 1n) === 1n;
  const { sign, parity } = ofResult(u64(result) ^ ((aux >> 8n) & 0xffn), 64);
  return {
    carry: bit(63n),
    adjust: bit(3n),
    overflow: bit(63n) !== bit(62n),
    zero: result === 0n,
    sign: sign !== bit(0n),
    parity,
  };
}

const value = fc.oneof(
  fc.constantFrom(0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffff_ffffn, 1n << 63n, u64(-1n)),
  fc.bigInt({ min: 0n, max: u64(-1n) }),
);

describe('flags that are not computed yet', () => {
  let storeFlags: StoreFlags;
  before(() => {
    storeFlags = compile();
  });

  /** Keeps the form's values, stores the flags through the cold module's function. */
  function store(form: FlagsForm): void {
    const { a, b, result } = keptValues(form);
    const kept = (of: Node | undefined): bigint => (of === undefined ? unused : valueOf(of));
    view.setBigUint64(L.FLAGS_RESULT, unused, true);
    view.setBigUint64(L.FLAGS_AUX, unused, true);
    storeFlags(kindOf(form), kept(a), kept(b), kept(result));
    const right = flagNodes(form, (node) => node);
    expect(view.getBigUint64(L.FLAGS_RESULT, true)).to.equal(valueOf(right.result));
    expect(view.getBigUint64(L.FLAGS_AUX, true)).to.equal(valueOf(right.aux));
  }

  for (const bits of [8, 16, 32, 64]) {
    for (const kind of ['add', 'sub'] as const) {
      for (const withCarry of [false, true]) {
        const name = withCarry ? { add: 'ADC', sub: 'SBB' }[kind] : kind.toUpperCase();
        it(`of ${name}, ${String(bits)} bits, become those of the operation`, () => {
          fc.assert(
            fc.property(value, value, fc.boolean(), (first, second, set) => {
              const [a, b] = [first & maskOf(bits), second & maskOf(bits)];
              const carry = withCarry && set ? 1n : 0n;
              const result = u64(kind === 'add' ? a + b + carry : a - b - carry);
              const values = { a: constant(a), b: constant(b), result: constant(result) };
              store({ kind, ...values, bits, ...(withCarry ? { withCarry } : {}) });
              expect(storedFlags()).to.deep.equal(architectural(kind, a, b, carry, bits));
            }),
            { seed: 1 },
          );
        });
      }
    }

    it(`of a logical operation, ${String(bits)} bits, become those of its result, CF and OF clear`, () => {
      fc.assert(
        fc.property(value, (result) => {
          store({ kind: 'logic', result: constant(result), bits });
          const clear = { carry: false, overflow: false, adjust: false };
          expect(storedFlags()).to.deep.equal({ ...clear, ...ofResult(result, bits) });
        }),
        { seed: 1 },
      );
    });
  }

  it('that are FLAGS_RESULT and FLAGS_AUX themselves stay what they are', () => {
    fc.assert(
      fc.property(value, value, (result, aux) => {
        store({ kind: 'raw', result: constant(result), aux: constant(aux) });
        expect(view.getBigUint64(L.FLAGS_RESULT, true)).to.equal(result);
        expect(view.getBigUint64(L.FLAGS_AUX, true)).to.equal(aux);
      }),
      { seed: 1 },
    );
  });

  it('have a number of their own for each operation and width', () => {
    const values = { a: constant(1), b: constant(2), result: constant(3) };
    const numbers = new Set<number>();
    for (let kind = 0; kind < FLAG_KINDS; kind++) numbers.add(kindOf(formOfKind(kind, values)));
    expect(numbers.size).to.equal(FLAG_KINDS - 3); // the raw ones have no width
    expect(numbers.has(RAW)).to.equal(true);
    for (const kind of numbers) expect(kindOf(formOfKind(kind, values))).to.equal(kind);
  });
});
