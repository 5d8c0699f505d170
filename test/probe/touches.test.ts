import { expect } from 'chai';
import type { Touch } from '../../src/cpu/touch.js';
import { answer } from '../../src/probe/probe.js';
import type { ProbedRun } from '../../src/probe/probed-run.js';
import { touches, type JoinedTouches, type Touched } from '../../src/probe/probes/touches.js';
import { cpuidName, mmioName, msrName, portName } from '../../src/probe/touches/names.js';

interface FakeRun {
  readonly run: ProbedRun;
  readonly touch: (touch: Touch) => void;
  readonly phase: (name: string) => void;
}

/** Two functions: below 0x2000 `early`, above `late`. */
function fakeRun(): FakeRun {
  let onPhase: (phase: { name: string }) => void = () => undefined;
  let onTouch: (touch: Touch) => void = () => undefined;
  const run = {
    onPhase: (listener: typeof onPhase) => (onPhase = listener),
    onTouch: (listener: typeof onTouch) => (onTouch = listener),
    code: { placeOf: (address: bigint) => ({ area: 'kernel', offset: Number(address) }) },
    names: {
      unit: ({ offset }: { offset: number }) => ({ name: offset < 0x2000 ? 'early' : 'late', subsystem: 'other' }),
    },
    machine: { platform: { localApic: { address: 0xfee0_0000 } } },
    firmware: undefined,
  };
  return {
    run: run as unknown as ProbedRun,
    touch: (touch) => {
      onTouch(touch);
    },
    phase: (name) => {
      onPhase({ name });
    },
  };
}

describe('what a guest touches', () => {
  it('is counted by what, by whom and from which point on; a fault is told', () => {
    const { run, touch, phase } = fakeRun();
    const take = touches.start(run);
    touch({ kind: 'in', address: 0x3fd, bytes: 1, value: 0x60n, instruction: 0x1000n });
    touch({ kind: 'in', address: 0x3fd, bytes: 1, value: 0x60n, instruction: 0x1004n });
    phase('start_kernel');
    touch({ kind: 'in', address: 0x3fd, bytes: 1, value: 0x60n, instruction: 0x3000n });
    touch({ kind: 'rdmsr', address: 0xc001_0055, fault: true, instruction: 0x3000n });
    expect(take()).to.deep.equal([
      {
        kind: 'in',
        at: '0x3fd',
        name: 'COM1',
        times: 3,
        faults: 0,
        by: [
          { function: 'early', phase: 'entry', times: 2 },
          { function: 'late', phase: 'start_kernel', times: 1 },
        ],
      },
      {
        kind: 'rdmsr',
        at: '0xc0010055',
        name: 'AMD INT_PENDING',
        times: 1,
        faults: 1,
        by: [{ function: 'late', phase: 'start_kernel', times: 1 }],
      },
    ]);
  });

  it('Intel SDM volume 2, CPUID: ECX counts for leaves that have subleaves; the search for a hypervisor is one', () => {
    const { run, touch } = fakeRun();
    const take = touches.start(run);
    const cpuid = (address: number, subleaf: number): void => {
      touch({ kind: 'cpuid', address, subleaf, instruction: 0n });
    };
    cpuid(1, 123);
    cpuid(1, 456);
    cpuid(4, 0);
    cpuid(4, 2);
    for (let leaf = 0x4000_0000; leaf <= 0x4000_ff00; leaf += 0x100) cpuid(leaf, 0);
    const found = take() as readonly Touched[];
    expect(found.map(({ at, times }) => [at, times])).to.deep.equal([
      ['0x1', 2],
      ['0x4', 1],
      ['0x4.2', 1],
      ['0x40000000', 1],
      ['0x40000100-0x4000ff00', 255],
    ]);
  });

  it('is set side by side: how often behind each door', () => {
    const taken = (touched: readonly (readonly [string, number])[]): ReadonlyMap<string, unknown> =>
      new Map([['touches', touched.map(([at, times]) => ({ kind: 'out', at, times, faults: 0, by: [] }))]]);
    const { joined, sections } = answer(
      [touches],
      [
        { door: 'efi', taken: taken([['0x80', 2]]) },
        { door: 'pvh', taken: taken([['0x80', 3], ['0x60', 1]]) }, // prettier-ignore
      ],
    );
    expect((joined['touches'] as JoinedTouches).touches).to.deep.equal([
      { kind: 'out', at: '0x60', times: [0, 1] },
      { kind: 'out', at: '0x80', times: [2, 3] },
    ]);
    expect(sections[0]?.sections[0]?.table?.rows).to.deep.equal([
      ['ports written', '1 (2 times)', '2 (4 times)', '1', '0', '1'],
    ]);
  });

  it('has the names of its specifications', () => {
    expect(cpuidName(0x15)).to.equal('TSC and crystal clock');
    expect([0x80b, 0x200, 0x26f, 0x401, 0x277].map(msrName)).to.deep.equal([
      'x2APIC EOI',
      'IA32_MTRR_PHYSBASE0',
      'IA32_MTRR_FIX4K_F8000',
      'IA32_MC0_STATUS',
      'IA32_PAT',
    ]);
    expect(portName(0xcfa)).to.equal('PCI configuration address');
    expect([0xfee0_00b0, 0xfee0_0210, 0xfec0_0010, 0xd000_0000].map((at) => mmioName(at, 0xfee0_0000))).to.deep.equal([
      'local APIC EOI',
      'local APIC IRR1',
      'I/O APIC IOWIN',
      undefined,
    ]);
  });
});
