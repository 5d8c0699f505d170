import type { Touch } from '../../cpu/touch.js';
import { probe, type TakenAtDoor } from '../probe.js';
import type { ProbedRun } from '../probed-run.js';
import {
  cpuidName,
  hasSubleaves,
  hypervisorSearch,
  isHypervisorSearch,
  mmioName,
  msrName,
  portName,
} from '../touches/names.js';
import { touchSections } from '../touches/sections.js';

export type TouchKind = Touch['kind'];

/** Who touches something, from which point of the guest's way on (until the next one), and how often. */
export interface Toucher {
  readonly function: string;
  readonly phase: string;
  readonly times: number;
}

/** A CPUID leaf, MSR, port or register outside RAM that a guest touches. */
export interface Touched {
  readonly kind: TouchKind;
  /**
   * Hexadecimal: leaf (and `.subleaf` where it is not 0 and the leaf has any), MSR index, port, guest-physical address. The
   * leaves at which a guest looks for another hypervisor are one: `0x40000100-0x4000ff00`.
   */
  readonly at: string;
  /** What it is; absent when no table knows it. */
  readonly name?: string;
  readonly times: number;
  /** Accesses that ended with #GP. */
  readonly faults: number;
  readonly by: readonly Toucher[];
}

/** What is touched behind several doors; figures in the order of the doors. */
export interface SharedTouch {
  readonly kind: TouchKind;
  readonly at: string;
  readonly name?: string;
  readonly times: readonly number[];
}

export interface JoinedTouches {
  readonly doors: readonly string[];
  readonly touches: readonly SharedTouch[];
}

interface Count {
  readonly kind: TouchKind;
  readonly address: number;
  readonly subleaf: number;
  times: number;
  faults: number;
  readonly by: Map<string, { function: string; phase: string; times: number }>;
  /** Since the last point, by instruction: named at the next one. */
  fresh: Map<bigint, number>;
}

/** CPUID leaves, MSRs, ports and MMIO registers that the guest touches. */
export const touches = probe<readonly Touched[], JoinedTouches>({
  name: 'touches',
  question: 'What of the machine does the guest touch besides memory?',
  needs: ['touches'],
  start(run) {
    const counts = new Map<string, Count>();
    let phase = 'entry';
    const settle = (): void => {
      for (const count of counts.values()) nameFresh(run, count, phase);
    };
    run.onPhase(({ name }) => {
      settle();
      phase = name;
    });
    run.onTouch((touch) => {
      take(counts, touch);
    });
    return () => {
      settle();
      return [...counts.values()].map((count) => touchedOf(run, count));
    };
  },
  record: (taken) => taken,
  join,
  recordJoined: (joined) => joined,
  show: touchSections,
});

function take(counts: Map<string, Count>, touch: Touch): void {
  const { kind, fault, instruction } = touch;
  const isSearch = kind === 'cpuid' && isHypervisorSearch(touch.address);
  const address = isSearch ? hypervisorSearch.first : touch.address;
  const subleaf = kind === 'cpuid' && hasSubleaves(address) ? (touch.subleaf ?? 0) : 0;
  const key = `${kind} ${String(address)} ${String(subleaf)}`;
  let count = counts.get(key);
  if (count === undefined) {
    count = { kind, address, subleaf, times: 0, faults: 0, by: new Map(), fresh: new Map() };
    counts.set(key, count);
  }
  count.times++;
  if (fault === true) count.faults++;
  count.fresh.set(instruction, (count.fresh.get(instruction) ?? 0) + 1);
}

/** Names the instructions while the code that they belong to is where it was. */
function nameFresh(run: ProbedRun, count: Count, phase: string): void {
  for (const [instruction, times] of count.fresh) {
    const unit = run.names.unit(run.code.placeOf(instruction, isUser(instruction, phase)), inBootServices(run, phase));
    const key = `${phase} ${unit.name}`;
    const known = count.by.get(key) ?? { function: unit.name, phase, times: 0 };
    known.times += times;
    count.by.set(key, known);
  }
  count.fresh = new Map();
}

/** Once there is user space, the lower half is its own. */
const isUser = (instruction: bigint, phase: string): boolean => phase === 'user-space' && instruction < 1n << 47n;

const inBootServices = (run: ProbedRun, phase: string): boolean => run.firmware !== undefined && phase === 'entry';

const hex = (value: number): string => `0x${value.toString(16)}`;

function touchedOf(run: ProbedRun, { kind, address, subleaf, times, faults, by }: Count): Touched {
  const name = nameOf(run, kind, address);
  const isSearch = kind === 'cpuid' && isHypervisorSearch(address);
  const at = subleaf !== 0 ? `${hex(address)}.${String(subleaf)}` : hex(address);
  const range = `${hex(hypervisorSearch.first)}-${hex(hypervisorSearch.last)}`;
  return {
    kind,
    at: isSearch ? range : at,
    ...(name === undefined ? {} : { name }),
    times,
    faults,
    by: [...by.values()],
  };
}

function nameOf(run: ProbedRun, kind: TouchKind, address: number): string | undefined {
  switch (kind) {
    case 'cpuid':
      return cpuidName(address);
    case 'rdmsr':
    case 'wrmsr':
      return msrName(address);
    case 'in':
    case 'out':
      return portName(address);
    default:
      return mmioName(address, run.machine.platform.localApic.address);
  }
}

function join(doors: readonly TakenAtDoor<readonly Touched[]>[]): JoinedTouches {
  const shared = new Map<string, { kind: TouchKind; at: string; name?: string; times: number[] }>();
  doors.forEach(({ taken }, door) => {
    for (const { kind, at, name, times } of taken) {
      const key = `${kind} ${at}`;
      const one = shared.get(key) ?? { kind, at, ...(name === undefined ? {} : { name }), times: doors.map(() => 0) };
      one.times[door] = times;
      shared.set(key, one);
    }
  });
  return { doors: doors.map(({ door }) => door), touches: [...shared.values()].sort(byKindAndPlace) };
}

const kinds: readonly TouchKind[] = ['cpuid', 'rdmsr', 'wrmsr', 'in', 'out', 'mmio-read', 'mmio-write'];

function byKindAndPlace(a: SharedTouch, b: SharedTouch): number {
  const [first = '', subleaf = '0'] = a.at.split(/[.-]/);
  const [other = '', otherSubleaf = '0'] = b.at.split(/[.-]/);
  return (
    kinds.indexOf(a.kind) - kinds.indexOf(b.kind) ||
    Number(first) - Number(other) ||
    Number(subleaf) - Number(otherSubleaf)
  );
}
