import { Status, statusName } from '../../firmware-tables/uefi/status.js';
import { corruptions } from '../firmware/corruptions.js';
import type { Override, Overrides, Profile, ServiceName } from '../firmware/index.js';
import { buildSlots, type Slot } from '../firmware/slots.js';
import { specifiedStatuses } from '../firmware/specified-statuses.js';
import { machineParts, platforms, type PlatformDescription } from '../platform-description.js';
import type { AblationSetup, Job, WholeRecord } from './job.js';
import type { Part, PartKind, Trial } from './result.js';

/** A trial before it is run. */
export type PlannedTrial = Pick<Trial, 'id' | 'part' | 'way' | 'status' | 'corruption' | 'times' | 'meaning'> &
  Pick<Job, 'overrides' | 'platform' | 'fork'>;

export type PlannedPart = Pick<Part, 'id' | 'kind' | 'title' | 'section' | 'calls' | 'firstCall'> & {
  /** What takes it away; undefined for a service that the profile lacks and for parts of the machine. */
  readonly absent: Overrides | undefined;
  readonly trials: readonly PlannedTrial[];
};

/** Everything that the guest could do without, and how each is to be tried. */
export function plan(whole: WholeRecord, setup: AblationSetup): PlannedPart[] {
  const hasFirmware = setup.door === 'efi' || setup.door === 'proposal';
  return [...(hasFirmware ? firmwareParts(whole, setup) : []), ...partsOfMachine(setup)];
}

function firmwareParts(whole: WholeRecord, { profile, overrides = {} }: AblationSetup): PlannedPart[] {
  const slots = [...buildSlots(profile, overrides).values()];
  const calls = new Map(whole.services.map((count) => [count.name, count.calls]));
  const services = slots.filter((slot) => slot.absent === undefined || calls.has(slot.name));
  return [
    ...services.map((slot) => servicePart(slot, calls.get(slot.name) ?? 0, whole)),
    ...offered(profile, overrides, 'protocol'),
    ...offered(profile, overrides, 'table'),
  ];
}

function servicePart(slot: Slot, calls: number, { firstCalls }: WholeRecord): PlannedPart {
  const { name, section, absent } = slot;
  const first = firstCalls[name];
  const part = {
    id: name,
    kind: 'service' as const,
    title: name,
    section,
    calls,
    ...(first && { firstCall: first.instructions }),
    absent: absent === undefined ? { [name]: 'absent' } : undefined,
  };
  return { ...part, trials: first === undefined ? [] : serviceTrials(slot, Math.max(0, first.tick - 1)) };
}

/** `fork`: a tick in front of the first call. What the table shows of a service has to be there from the start. */
function serviceTrials(slot: Slot, fork: number): PlannedTrial[] {
  const { name, runtime, service } = slot;
  const trial = (
    suffix: string,
    override: Override,
    from: number,
    what: Pick<PlannedTrial, 'way' | 'meaning'> & Partial<PlannedTrial>,
  ): PlannedTrial => ({ id: `${name}=${suffix}`, part: name, overrides: { [name]: override }, fork: from, ...what });
  const trials: PlannedTrial[] = [];
  if (slot.absent === undefined) {
    // The table of run-time properties names those that work.
    const meaning = `does nothing and returns ${statusName(service.absent)}`;
    trials.push(trial('absent', 'absent', runtime ? 0 : fork, { way: 'absent', meaning }));
  }
  trials.push(trial('null', 'null', 0, { way: 'null', meaning: 'its slot in the table is NULL' }));
  if (slot.absent !== undefined) return trials; // a profile without it has answered already
  for (const status of statusesToTry(slot)) {
    const text = statusName(status);
    const meaning = `does nothing and returns ${text}`;
    trials.push(trial(text, { status }, fork, { way: 'status', status: text, meaning }));
  }
  const meaning = 'does nothing and returns EFI_SUCCESS';
  trials.push(trial('idle', { status: Status.SUCCESS }, fork, { way: 'idle', meaning }));
  for (const [corruption, { meaning: text, when }] of Object.entries(corruptions[name as ServiceName] ?? {})) {
    const spoilt = { way: 'corrupted' as const, corruption };
    if (when !== 'always') {
      const override = { corrupt: corruption, times: 1 };
      trials.push(trial(`${corruption}:once`, override, fork, { ...spoilt, times: 1, meaning: `${text} (once)` }));
    }
    if (when !== 'once') trials.push(trial(corruption, { corrupt: corruption }, fork, { ...spoilt, meaning: text }));
  }
  return trials;
}

/** The statuses of the specification, and EFI_UNSUPPORTED, without the one that `absent` gives. */
function statusesToTry({ name, service, runtime }: Slot): bigint[] {
  const named = (specifiedStatuses[name as ServiceName] ?? []).map((status): bigint => Status[status]);
  const all = new Set<bigint>([...named, Status.UNSUPPORTED]);
  if (!runtime) all.delete(service.absent);
  return [...all];
}

function offered(profile: Profile, overrides: Overrides, kind: 'protocol' | 'table'): PlannedPart[] {
  const entries = kind === 'protocol' ? profile.protocols : profile.configurationTables;
  const names = Object.keys(entries) as ('LoadFile2' | 'Xen')[]; // any will do: both kinds have a Xen
  return names
    .filter((name) => overrides[`${kind}:${name}` as 'table:Xen'] === undefined)
    .map((name) => {
      const id = `${kind}:${name}`;
      const absent = { [id]: 'absent' } as Overrides;
      const missing =
        kind === 'protocol' ? 'no handle carries it' : 'it is not among the configuration tables of the System Table';
      const trials: PlannedTrial[] = [
        { id: `${id}=absent`, part: id, way: 'absent', meaning: missing, overrides: absent, fork: 0 },
      ];
      if (id === 'protocol:SimpleTextOutput') {
        const meaning = 'ConOut of the System Table is NULL';
        trials.push({ id: `${id}=null`, part: id, way: 'null', meaning, overrides: { [id]: 'null' }, fork: 0 });
      }
      return { id, kind, title: `${kind} ${name}`, absent, trials };
    });
}

const partTitles: Readonly<Record<string, string>> = {
  'io-apic': 'I/O APIC',
  uart: 'serial port COM1',
  pit: 'PIT channel 2 and system control port B',
  rtc: 'real-time clock and CMOS',
  keyboard: 'keyboard controller (reset alone)',
  sleep: 'ACPI sleep registers',
  reset: 'reset register',
  x2apic: 'x2APIC mode',
  mtrr: 'memory type range registers',
};

function partsOfMachine({ platform, xen }: AblationSetup): PlannedPart[] {
  const description: PlatformDescription = platform ?? (xen === undefined ? platforms.uart : platforms.xen);
  const changes: [string, Partial<PlatformDescription>][] = [];
  const gone = description.without ?? [];
  if (description.devices === 'uart') {
    for (const part of machineParts) if (!gone.includes(part)) changes.push([part, { without: [...gone, part] }]);
  }
  if (description.x2apic) changes.push(['x2apic', { x2apic: false }]);
  if (description.mtrr) changes.push(['mtrr', { mtrr: false }]);
  return changes.map(([name, change]) => {
    const id = `machine:${name}`;
    const trial: PlannedTrial = {
      id: `${id}=absent`,
      part: id,
      way: 'absent',
      meaning: 'the machine has none',
      overrides: {},
      platform: change,
      fork: 0,
    };
    const kind: PartKind = 'machine';
    return { id, kind, title: partTitles[name] ?? name, absent: undefined, trials: [trial] };
  });
}
