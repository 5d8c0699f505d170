import { pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import type { WatchedAccess } from '../../cpu/watched-memory.js';
import type { Firmware, ServiceCall, ServiceName } from '../../firmware/index.js';
import { brokenRules } from '../misuse/call-rules.js';
import { Findings, hex, type Finding } from '../misuse/finding.js';
import { MemoryBooks } from '../misuse/memory-books.js';
import { probe, type TakenAtDoor } from '../probe.js';
import type { ProbedRun } from '../probed-run.js';
import type { Section } from '../section.js';

/** What this probe writes for a door. */
export interface MisuseRecord {
  /** Bytes around each pool block that belong to nobody (the override `memory:red-zones`). */
  readonly redZones: number;
  readonly findings: readonly Finding[];
  /** Findings behind the last of `findings`. */
  readonly moreFindings: number;
}

/** When one instruction was found so often, nobody looks any more at the pages that it comes to. */
const mostTimes = 1000;

/**
 * What the guest does against the rules of UEFI: memory that is not its own, keys and calls that come too late, the state
 * in which it calls. It looks only: without red zones (`memory:red-zones`) the guest runs as without the probe.
 */
class MisuseWatch {
  private readonly findings: Findings;
  private readonly books: MemoryBooks;
  private readonly watcher;
  /** What the firmware accessed for the call that is being served. */
  private accessed: { readonly address: bigint; readonly bytes: number; readonly write: boolean }[] = [];
  private ended = false;

  constructor(
    private readonly run: ProbedRun,
    private readonly firmware: Firmware,
  ) {
    const { machine } = run;
    this.findings = new Findings(() => ({ tick: machine.ticks, instructions: machine.instructions, phase: run.phase }));
    const watcher = machine.processor.addWatcher();
    this.watcher = watcher;
    this.books = new MemoryBooks(firmware, ({ start, end }, isNobodys) => {
      if (isNobodys) watcher.watch(start, end - start);
      else watcher.unwatch(start, end - start);
    });
    watcher.onWatched = (access) => {
      this.onAccess(access);
    };
    firmware.guest.onAccess = (address, bytes, write) => {
      if (!this.ended) this.accessed.push({ address, bytes, write });
    };
    run.onPhase(({ name }) => {
      if (name !== 'entry') return;
      this.accessed = [];
      this.books.settle('the firmware', false);
    });
    run.onCall((call, from) => {
      this.onCall(call, from);
    });
  }

  private onCall(call: ServiceCall, from: () => string | undefined): void {
    const { firmware, findings, books } = this;
    const { registers } = this.run.machine.processor;
    const name = from();
    const place = { instruction: call.caller, from: name };
    const who = name ?? hex(call.caller);
    const by = `${call.name} by ${who}`;
    const override = firmware.overrides[call.name as ServiceName];
    const gate = {
      rsp: registers.get('rsp'),
      rflags: registers.rflags,
      tpl: firmware.events.tpl,
      mapKey: firmware.memoryMap.key,
      isForced: typeof override === 'object' && 'status' in override,
    };
    for (const { kind, what } of brokenRules(call, gate, books)) findings.add(kind, `${what}, by ${who}`, place);
    if (this.ended) return;
    books.settle(by, true);
    this.checkAccessed(call, place);
    if (call.name === 'ExitBootServices' && call.status === Status.SUCCESS) this.bootServicesEnd();
  }

  /** What the firmware read and wrote by the guest's pointers: addresses are physical while its own page tables hold. */
  private checkAccessed(call: ServiceCall, place: { instruction: bigint; from: string | undefined }): void {
    for (const { address, bytes, write } of this.accessed.splice(0)) {
      const start = Number(address);
      const [bad] = this.books.isNobodys(start, start + bytes);
      if (bad === undefined) continue;
      const { kind, why, allocation } = this.books.judge(bad.start);
      const access = { physical: bad.start, bytes: bad.end - bad.start, write };
      const who = place.from ?? hex(place.instruction);
      const what = `${call.name} was made to ${write ? 'write' : 'read'} ${why}, by ${who}`;
      this.findings.add(kind, what, place, { access, ...(allocation && { allocation }) });
    }
  }

  /** From here on memory is the guest's, but what the firmware left in boot-services memory has no meaning any more. */
  private bootServicesEnd(): void {
    this.ended = true;
    this.firmware.guest.onAccess = undefined;
    const own = this.books.firmwaresOwn();
    this.books.close();
    const { watcher } = this;
    for (const { start, end } of own) watcher.watch(start, end - start);
    // The guest goes on with the stack that it was given until it has its own.
    for (const { owner, address, bytes } of this.run.machine.provided.occupied)
      if (owner === 'stack') watcher.unwatch(address, bytes);
  }

  private onAccess(access: WatchedAccess): void {
    const { physical, bytes, write, implicit, instruction } = access;
    const { watcher } = this;
    if (this.ended && write) {
      // The guest takes the pages for itself.
      const start = physical - (physical % pageBytes);
      watcher.unwatch(start, Math.ceil((physical + bytes - start) / pageBytes) * pageBytes);
      return;
    }
    if (this.ended && implicit) return; // the processor goes on with the firmware's descriptors until it is told of others
    const from = this.run.callers.nameOf(instruction);
    const place = { instruction, from };
    const who = from ?? hex(instruction);
    const verb = write ? 'stored to' : 'loaded from';
    let times: number;
    if (this.ended) {
      const what = `${who} ${verb} ${this.nameOf(physical)} in boot-services memory after ExitBootServices`;
      times = this.findings.add('boot-services-memory', what, place, { access });
    } else {
      const { kind, why, allocation } = this.books.judge(physical);
      times = this.findings.add(kind, `${who} ${verb} ${why}`, place, { access, ...(allocation && { allocation }) });
    }
    if (times >= mostTimes) watcher.unwatch(physical - (physical % pageBytes), pageBytes);
  }

  /** What the firmware had at an address. */
  private nameOf(physical: number): string {
    const { structures, occupied } = this.run.machine.provided;
    const holds = ({ address, bytes }: { address: number; bytes: number }): boolean =>
      physical >= address && physical < address + bytes;
    return structures.findLast(holds)?.name ?? occupied.findLast(holds)?.owner ?? hex(physical);
  }

  taken(): MisuseRecord {
    this.watcher.unwatchAll();
    this.firmware.guest.onAccess = undefined;
    return {
      redZones: this.firmware.overrides['memory:red-zones'] ?? 0,
      findings: this.findings.all(),
      moreFindings: this.findings.more,
    };
  }
}

/** Misuse of the firmware. UEFI 2.10 sections 2.3.4, 7.2 and 7.4.6. */
export const misuse = probe<MisuseRecord | undefined>({
  name: 'misuse',
  question: 'What does the guest do against the rules of UEFI?',
  needs: ['watches'],
  start(run) {
    const { firmware } = run;
    if (firmware === undefined) return () => undefined;
    const watch = new MisuseWatch(run, firmware);
    return () => watch.taken();
  },
  record: (taken) => taken ?? null,
  show: (doors) => {
    const columns = doors.filter(({ taken }) => taken !== undefined) as readonly TakenAtDoor<MisuseRecord>[];
    return columns.length === 0 ? [] : [section(columns)];
  },
});

function section(doors: readonly TakenAtDoor<MisuseRecord>[]): Section {
  const lines = doors.flatMap(({ door, taken: { findings, moreFindings } }) => [
    ...findings.map(({ what, section, times, phase }) => {
      const often = times === 1 ? '' : `, ${times < mostTimes ? '' : 'at least '}${String(times)} times`;
      return `${door}, in ${phase}: ${what}${often} (UEFI 2.10 section ${section})`;
    }),
    ...(findings.length === 0 ? [`${door}: nothing found`] : []),
    ...(moreFindings > 0 ? [`${door}: ${String(moreFindings)} more`] : []),
  ]);
  const note = doors.some(({ taken }) => taken.redZones > 0)
    ? undefined
    : 'Without --red-zones an overrun that ends in another pool block is not seen.';
  return { title: 'misuse of the firmware', ...(note === undefined ? {} : { note }), lines };
}
