import { constant, op, signExtend, type Node } from '../ir/nodes.js';
import type { Definition, Family } from './family.js';

/** BT, BTS, BTR, BTC: a register bit offset reaches beyond a memory operand, an immediate wraps within it. */
const bitTest =
  (change: ((value: Node, mask: Node) => Node) | undefined): Definition =>
  (x) => {
    const { bits } = x;
    const index = x.read(1);
    const bit = x.let(op.and(index, bits - 1));
    const far = x.isMemory(0) && x.shape(1).kind === 'register';
    let value: Node;
    if (far) {
      const words = op.sar(signExtend(index, bits), Math.log2(bits));
      const address = x.let(op.add(x.effectiveAddress(), op.mul(words, bits / 8)));
      value = change === undefined ? x.load(address, bits) : x.loadForWrite(0, address, bits);
    } else value = change === undefined ? x.read(0) : x.readForWrite(0);
    if (change !== undefined) x.write(0, change(value, op.shl(constant(1), bit)));
    x.setCarry(x.let(op.and(op.shr(value, bit), 1)));
  };

/** BSF and BSR: a source of 0 sets ZF and leaves the destination. TZCNT and LZCNT are these where BMI is absent. */
const bitScan =
  (forward: boolean): Definition =>
  (x) => {
    const source = x.read(1);
    const found = forward ? op.ctz(source) : op.sub(63, op.clz(source));
    x.when(op.ne(source, 0), () => {
      x.write(0, found);
    });
    x.flags({ kind: 'logic', result: source, bits: x.bits });
  };

/** Bit tests and scans. Intel SDM volume 2. */
export const bits: Family = {
  Bt: bitTest(undefined),
  Bts: bitTest((value, mask) => op.or(value, mask)),
  Btr: bitTest((value, mask) => op.and(value, op.xor(mask, -1))),
  Btc: bitTest((value, mask) => op.xor(value, mask)),
  Bsf: bitScan(true),
  Tzcnt: bitScan(true),
  Bsr: bitScan(false),
  Lzcnt: bitScan(false),
};
