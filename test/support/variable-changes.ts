import type { VariableChange } from '../../src/firmware/index.js';

const guid = '7a9ab5e3-02b6-4d6f-9d1c-55c0f8a1d2e4';

/** The n-th change of an endless sequence over nine variables: new, larger, smaller, deleted, now and then a large one. */
export function changeAt(n: number, large = 20_000): VariableChange {
  const random = Math.imul(n + 1, 0x9e37_79b1) >>> 0;
  const name = `Variable${String(random % 9)}`;
  if (random % 5 === 4) return { guid, name, variable: undefined };
  const size = random % 11 === 3 ? large : 1 + ((random >>> 8) % 40);
  const data = ((random >>> 16) & 0xff).toString(16).padStart(2, '0').repeat(size);
  return { guid, name, variable: { guid, name, attributes: 7, data } };
}
