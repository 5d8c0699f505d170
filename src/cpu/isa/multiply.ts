import type { Lifter } from '../ir/lifter.js';
import { constant, maskOf, op, signExtend, truncate, type Node } from '../ir/nodes.js';
import type { Definition, Family } from './family.js';

/** Upper 64 bits of the unsigned product. */
function highProduct(x: Lifter, a: Node, b: Node): Node {
  const low32 = (value: Node): Node => op.and(value, 0xffff_ffffn);
  const [al, ah, bl, bh] = [x.let(low32(a)), x.let(op.shr(a, 32)), x.let(low32(b)), x.let(op.shr(b, 32))];
  const middle = x.let(op.add(op.mul(ah, bl), op.shr(op.mul(al, bl), 32)));
  const cross = x.let(op.add(op.mul(al, bh), low32(middle)));
  return x.let(op.add(op.add(op.mul(ah, bh), op.shr(middle, 32)), op.shr(cross, 32)));
}

/** Upper 64 bits of the signed product. */
function highProductSigned(x: Lifter, a: Node, b: Node): Node {
  const correction = op.add(op.and(op.sar(a, 63), b), op.and(op.sar(b, 63), a));
  return x.let(op.sub(highProduct(x, a, b), correction));
}

/** CF = OF = the product does not fit; the other flags are undefined. */
function productFlags(x: Lifter, low: Node, overflow: Node, bits: number): void {
  x.flags({ kind: 'raw', result: signExtend(low, bits), aux: op.shl(op.wide(overflow), 63) });
}

/** MUL and one-operand IMUL: rDX:rAX (AX for bytes) = rAX * source. */
const wideMultiply =
  (signed: boolean): Definition =>
  (x) => {
    const { bits } = x;
    const extend = (value: Node): Node => x.let(signed ? signExtend(value, bits) : value);
    const a = extend(x.register('rax', bits));
    const b = extend(x.read(0));
    const product = x.let(op.mul(a, b));
    const low = x.let(truncate(product, bits));
    let high: Node;
    if (bits === 8) {
      x.setRegister('rax', 16, product);
      high = x.let(signed ? product : op.shr(product, 8));
    } else if (bits === 64) {
      high = signed ? highProductSigned(x, a, b) : highProduct(x, a, b);
      x.setRegister('rax', 64, low);
      x.setRegister('rdx', 64, high);
    } else {
      high = x.let(signed ? product : op.shr(product, bits));
      x.setRegister('rax', bits, low);
      x.setRegister('rdx', bits, truncate(signed ? op.sar(product, bits) : high, bits));
    }
    const overflow = !signed
      ? op.ne(high, 0)
      : bits === 64
        ? op.ne(high, op.sar(low, 63))
        : op.ne(product, signExtend(low, bits));
    productFlags(x, low, overflow, bits);
  };

/** Two- and three-operand IMUL. */
const multiply: Definition = (x) => {
  const { bits } = x;
  const three = x.operands.length === 3;
  const a = x.let(signExtend(x.read(three ? 1 : 0), bits));
  const b = x.let(signExtend(x.read(three ? 2 : 1), bits));
  const product = x.let(op.mul(a, b));
  const low = x.let(truncate(product, bits));
  const overflow =
    bits === 64 ? op.ne(highProductSigned(x, a, b), op.sar(product, 63)) : op.ne(product, signExtend(low, bits));
  x.write(0, low);
  productFlags(x, low, overflow, bits);
};

const DIVIDE_ERROR = 0;

/** DIV and IDIV of 8, 16 and 32 bits: the dividend fits 64 bits. */
const divide =
  (signed: boolean): Definition =>
  (x) => {
    const { bits } = x;
    if (bits === 64) {
      x.helper(signed ? 'idiv64' : 'div64');
      return;
    }
    const divisor = x.let(signed ? signExtend(x.read(0), bits) : x.read(0));
    const dividend = x.let(
      bits === 8
        ? signed
          ? op.extend16(x.register('rax', 16))
          : x.register('rax', 16)
        : op.or(op.shl(x.register('rdx', bits), bits), x.register('rax', bits)),
    );
    const wide = x.let(signed && bits === 16 ? op.extend32(dividend) : dividend);
    x.when(op.eqz(divisor), () => {
      x.raise(DIVIDE_ERROR);
    });
    if (signed && bits === 32) {
      x.when(op.both(op.eq(wide, constant(1n << 63n)), op.eq(divisor, -1)), () => {
        x.raise(DIVIDE_ERROR); // the one quotient that WebAssembly traps on
      });
    }
    const quotient = x.let(op[signed ? 'divS' : 'divU'](wide, divisor));
    const fits = signed ? op.eq(signExtend(quotient, bits), quotient) : op.leU(quotient, maskOf(bits));
    x.when(op.not(fits), () => {
      x.raise(DIVIDE_ERROR);
    });
    const remainder = x.let(op[signed ? 'remS' : 'remU'](wide, divisor));
    if (bits === 8) {
      x.setRegister('rax', 16, op.or(truncate(quotient, 8), op.shl(truncate(remainder, 8), 8)));
      return;
    }
    x.setRegister('rax', bits, truncate(quotient, bits));
    x.setRegister('rdx', bits, truncate(remainder, bits));
  };

/** MUL, IMUL, DIV, IDIV. Intel SDM volume 2. */
export const multiplication: Family = {
  Mul: wideMultiply(false),
  Imul: (x) => {
    if (x.operands.length === 1) wideMultiply(true)(x);
    else multiply(x);
  },
  Div: divide(false),
  Idiv: divide(true),
};
