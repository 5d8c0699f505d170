import type { Family } from '../template.js';
import { alu } from './alu.js';
import { bits } from './bits.js';
import { fault } from './fault.js';
import { legacy } from './legacy.js';
import { mmx } from './mmx.js';
import { move } from './move.js';
import { multiply } from './multiply.js';
import { sequence } from './sequence.js';
import { shift } from './shift.js';
import { sseFloat } from './sse-float.js';
import { sseUsual } from './sse-usual.js';
import { sse } from './sse.js';
import { string } from './string.js';
import { x87 } from './x87.js';

/** Every family; each has its file of fixtures of the same name. */
export const families: readonly Family[] = [
  alu,
  shift,
  multiply,
  move,
  bits,
  string,
  fault,
  sse,
  sseFloat,
  sseUsual,
  x87,
  mmx,
  legacy,
  sequence,
];
