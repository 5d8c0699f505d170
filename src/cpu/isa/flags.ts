import { FLAGS_SYSTEM } from '../state-layout.js';
import { constant, op } from '../ir/nodes.js';
import type { Family } from './family.js';

const DIRECTION = 0x400n;

/** CLC, STC, CMC, CLD, STD. Intel SDM volume 2. */
export const flagInstructions: Family = {
  Clc: (x) => {
    x.setCarry(constant(0));
  },
  Stc: (x) => {
    x.setCarry(constant(1));
  },
  Cmc: (x) => {
    x.setCarry(op.xor(x.let(x.carry()), 1));
  },
  Cld: (x) => {
    x.setState(FLAGS_SYSTEM, op.and(x.state(FLAGS_SYSTEM), ~DIRECTION));
  },
  Std: (x) => {
    x.setState(FLAGS_SYSTEM, op.or(x.state(FLAGS_SYSTEM), DIRECTION));
  },
};
