import fc from 'fast-check';
import { expect } from 'chai';
import { fold } from '../../../src/cpu/ir/fold.js';
import { constant, op, operators, type Node } from '../../../src/cpu/ir/nodes.js';
import { FunctionWriter, ModuleWriter } from '../../../src/cpu/wasm/encoder.js';

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const none = (): undefined => undefined;
const immediate: Node = { type: 'i64', source: { kind: 'immediate' } };
const local = (index: number): Node => ({ type: 'i64', source: { kind: 'local', index } });
const register: Node = { type: 'i64', source: { kind: 'register', register: 0, bits: 64 } };

/** The value of constants and operators as WebAssembly computes it; undefined when it traps. */
function computed(node: Node): bigint | undefined {
  const module = new ModuleWriter();
  const index = module.declare({ parameters: [], results: [node.type] });
  const f = new FunctionWriter(0);
  const emit = ({ source }: Node): void => {
    if (source.kind === 'constant') f.i64(source.value);
    else if (source.kind === 'operator') {
      source.arguments.forEach(emit);
      f.op(...operators[source.name].code);
    } else throw new Error(`a ${source.kind} is no constant`);
  };
  emit(node);
  module.define(index, f.body());
  module.export('value', index);
  const env = { memory: new WebAssembly.Memory({ initial: 1 }) };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode(1)), { env });
  try {
    return u64(BigInt((exports['value'] as () => number | bigint)()));
  } catch {
    return undefined;
  }
}

const value = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 63n, 64n, 0xffff_ffffn, 1n << 63n, u64(-1n)),
  fc.bigInt({ min: 0n, max: u64(-1n) }),
);
const { integer, condition } = fc.letrec<{ integer: Node; condition: Node }>((tie) => ({
  integer: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    value.map((number) => constant(number)),
    fc
      .tuple(fc.constantFrom('add', 'sub', 'and', 'or', 'shl', 'shr', 'remU'), tie('integer'), tie('integer'))
      .map(([name, a, b]) => op[name](a, b)),
  ),
  condition: fc.oneof(
    { maxDepth: 3 },
    tie('integer').map((a) => op.eqz(a)),
    fc.tuple(fc.constantFrom('eq', 'ne'), tie('integer'), tie('integer')).map(([name, a, b]) => op[name](a, b)),
    tie('condition').map((a) => op.not(a)),
  ),
}));

describe('values that are known when an instruction is compiled', () => {
  for (const [what, nodes] of [
    ['numbers', integer],
    ['conditions', condition],
  ] as const) {
    it(`${what} are what WebAssembly computes, and unknown where it traps`, () => {
      fc.assert(
        fc.property(nodes, (node) => {
          expect(fold(node, 0n, none)).to.equal(computed(node));
        }),
        { numRuns: 500, seed: 1 },
      );
    });
  }

  it('an immediate and a local that is known count as constants', () => {
    const known = (index: number): bigint | undefined => (index === 3 ? 40n : undefined);
    expect(fold(op.and(immediate, 31), 0xe5n, none)).to.equal(5n);
    expect(fold(op.add(local(3), immediate), 2n, known)).to.equal(42n);
    expect(fold(op.add(local(4), immediate), 2n, known)).to.equal(undefined);
  });

  it('what depends on the guest is not known, nor is an operator that is not folded', () => {
    expect(fold(register, 0n, none)).to.equal(undefined);
    expect(fold(op.and(register, 0), 0n, none)).to.equal(undefined);
    expect(fold(op.and(0, register), 0n, none)).to.equal(undefined);
    expect(fold(op.mul(2, 3), 0n, none)).to.equal(undefined);
  });

  it('is a 64-bit number without a sign', () => {
    expect(fold(constant(-1), 0n, none)).to.equal(u64(-1n));
    expect(fold(op.sub(0, 1), 0n, none)).to.equal(u64(-1n));
    expect(fold(op.shl(1, 127), 0n, none)).to.equal(1n << 63n);
  });
});
