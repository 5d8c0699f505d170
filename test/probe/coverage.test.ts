import { expect } from 'chai';
import fc from 'fast-check';
import { addCounts, executionsOf, sortedCounts, walkTogether } from '../../src/probe/code/code-counts.js';
import { coverageOf, joinOf } from '../../src/probe/coverage/shares.js';
import { subsystemOf } from '../../src/probe/code/subsystems.js';

const offset = fc.integer({ min: 0, max: 40 });
const executed = fc.array(fc.tuple(offset, fc.integer({ min: 1, max: 1000 })), { maxLength: 60 });
const codeOf = (list: readonly (readonly [number, number])[]) =>
  sortedCounts(
    list.map(([at]) => at),
    list.map(([, count]) => count),
  );
const unitAt = (_key: string, at: number) => ({ name: `f${String(at >> 2)}`, subsystem: at < 20 ? 'low' : 'high' });
const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

describe('counts of executed code', () => {
  it('are sorted, without repeats, and add up', () => {
    fc.assert(
      fc.property(executed, executed, (a, b) => {
        const both = addCounts(codeOf(a), codeOf(b));
        expect([...both.offsets]).to.deep.equal([...new Set([...a, ...b].map(([at]) => at))].sort((x, y) => x - y));
        expect(executionsOf(both)).to.equal(sum([...a, ...b].map(([, count]) => count)));
      }),
    );
  });
  it('take negative offsets, which are addresses of the upper half', () => {
    expect([...sortedCounts([5, -(2 ** 46), 5], [1, 2, 3]).offsets]).to.deep.equal([-(2 ** 46), 5]);
  });
  it('are walked together in ascending order', () => {
    const seen: unknown[] = [];
    walkTogether([codeOf([[1, 5], [3, 6]]), codeOf([[3, 7]])], (at, counts) => seen.push([at, ...counts])); // prettier-ignore
    expect(seen).to.deep.equal([
      [1, 5, 0],
      [3, 6, 7],
    ]);
  });
});

describe('coverage', () => {
  it('common + some + only = all, in instructions, functions and executions, whatever the doors do', () => {
    fc.assert(
      fc.property(fc.array(executed, { minLength: 2, maxLength: 4 }), (doors) => {
        const columns = doors.map((list) => [{ key: 'kernel', code: codeOf(list) }]);
        const { all, common, some, only, functions } = coverageOf(columns, unitAt);
        const parts = [common, some, ...only];
        expect(sum(parts.map(({ addresses }) => addresses))).to.equal(all.addresses);
        expect(sum(parts.map(({ functions: count }) => count))).to.equal(all.functions);
        doors.forEach((list, door) => {
          expect(sum(parts.map(({ executions }) => executions[door] ?? 0))).to.equal(all.executions[door]);
          expect(all.executions[door]).to.equal(sum(list.map(([, count]) => count)));
          expect(sum(functions.map(({ executions }) => executions[door] ?? 0))).to.equal(all.executions[door]);
        });
        expect(sum(functions.map((one) => one.common + one.some + sum(one.only)))).to.equal(all.addresses);
      }),
    );
  });
  it('code of different files is never common', () => {
    const code = codeOf([[1, 1]]);
    const { common, only } = coverageOf([[{ key: 'file a', code }], [{ key: 'file b', code }]], unitAt);
    expect([common.addresses, ...only.map(({ addresses }) => addresses)]).to.deep.equal([0, 1, 1]);
  });
  it('paths join behind the last piece of code of which another door executed less', () => {
    const met = { offsets: [10, 90, 20, 30], instructions: [0, 10, 20, 30] };
    const code = (...offsets: number[]) => codeOf(offsets.map((at): [number, number] => [at, 1]));
    const own = code(10, 12, 20, 24, 30, 90);
    expect(joinOf(met, own, [code(10, 12, 20, 24, 30)])).to.equal(2); // 90 alone
    expect(joinOf(met, own, [code(10, 12, 20, 30, 90)])).to.equal(3); // the end of the piece at 20 alone
    expect(joinOf(met, own, [own, code(10, 12, 20, 24, 90)])).to.equal(4);
    expect(joinOf(met, own, [own])).to.equal(0);
  });
});

describe('subsystems', () => {
  it('are told by the name of a function; what no rule knows is `other`', () => {
    const known = {
      efi_init: 'efi',
      acpi_tb_checksum: 'acpi',
      xen_prepare_pvh: 'xen',
      startup_64: 'boot code',
      x86_64_start_kernel: 'boot code',
      __alloc_pages: 'memory',
      kmem_cache_alloc: 'memory',
      'kmem_cache_alloc.isra.0': 'memory',
      schedule: 'scheduler, processes',
      read_tsc: 'time',
      serial8250_console_write: 'console, serial, printk',
      sha256_update: 'crypto, random',
      inflate_fast: 'unpacking',
      zqxjkv: 'other',
    };
    expect(Object.fromEntries(Object.keys(known).map((name) => [name, subsystemOf(name)]))).to.deep.equal(known);
  });
});
