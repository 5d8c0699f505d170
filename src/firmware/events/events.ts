import { Guid } from '../../../firmware-tables/uefi/guids.js';
import type { FirmwareHost, FirmwareRegister } from '../host.js';
import { EventType, quietEvent, Tpl, type EfiEvent } from './event.js';

/** Registers that a notification function may change and its interrupted call still needs. */
const keptRegisters = ['rax', 'rcx', 'rdx', 'r8', 'r9', 'rsp'] as const;

/** What a notification function interrupted. */
interface Frame {
  readonly registers: Readonly<Record<(typeof keptRegisters)[number], bigint>>;
  readonly tpl: number;
}

export interface EventsState {
  readonly tpl: number;
  readonly exitIsTold: boolean;
  readonly events: readonly (readonly [string, Record<string, unknown>])[];
  readonly queue: readonly string[];
  readonly frames: readonly { readonly registers: Readonly<Record<string, string>>; readonly tpl: number }[];
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/**
 * Events, their timers and the task priority level. There is no timer interrupt: timers are looked at, and notification
 * functions run, when the guest calls a service or waits in one. UEFI 2.10 section 7.1.
 */
export class Events {
  tpl: number = Tpl.application;
  private readonly events = new Map<bigint, EfiEvent>();
  /** Events whose notification function is to run, in the order in which they were signalled. */
  private queue: bigint[] = [];
  private readonly frames: Frame[] = [];
  private exitIsTold = false;

  get(event: bigint): EfiEvent | undefined {
    return this.events.get(event);
  }

  add(event: bigint, properties: EfiEvent): void {
    this.events.set(event, properties);
  }

  change(event: bigint, properties: Partial<EfiEvent>): void {
    const known = this.events.get(event);
    if (known) this.events.set(event, { ...known, ...properties });
  }

  close(event: bigint): void {
    this.events.delete(event);
    this.queue = this.queue.filter((queued) => queued !== event);
  }

  /** SignalEvent: the event, and all others of its group. */
  signal(event: bigint): void {
    const { group } = this.events.get(event) ?? {};
    if (group === undefined) this.signalOne(event);
    else this.signalGroup(group);
  }

  signalGroup(group: string): void {
    for (const [other, { group: own }] of this.events) if (own === group) this.signalOne(other);
  }

  private signalOne(event: bigint): void {
    const known = this.events.get(event);
    if (!known || known.signaled) return;
    this.change(event, { signaled: true });
    if ((known.type & EventType.notifySignal) !== 0) this.enqueue(event);
  }

  /** Its notification function runs as soon as the task priority lets it. */
  enqueue(event: bigint): void {
    if (!this.queue.includes(event)) this.queue.push(event);
  }

  /** Signals what is due. */
  expire(now: number): void {
    for (const [event, { timer }] of this.events) {
      if (timer === undefined || timer.due > now) continue;
      const { due, period } = timer;
      const next = period === 0 ? undefined : { period, due: due + period * (Math.floor((now - due) / period) + 1) };
      this.change(event, { timer: next });
      this.signal(event);
    }
  }

  /** The tick of the first timer; Infinity when none is set. */
  get nextTimer(): number {
    return Math.min(Infinity, ...[...this.events.values()].flatMap(({ timer }) => (timer ? [timer.due] : [])));
  }

  /**
   * Lets the guest call the most urgent waiting notification function in front of what comes next: `again`, the gate that
   * is being served once more (its address), or the return to its caller. False when none may run.
   */
  dispatch(host: FirmwareHost, write: (address: bigint, value: bigint) => void, gates: DispatchGates): boolean {
    const urgent = this.queue
      .map((event) => ({ event, known: this.events.get(event) }))
      .filter(({ known }) => known !== undefined && known.tpl > this.tpl)
      .sort((a, b) => (b.known?.tpl ?? 0) - (a.known?.tpl ?? 0))[0];
    if (urgent?.known === undefined) return false;
    const { event, known } = urgent;
    this.queue = this.queue.filter((queued) => queued !== event);
    if ((known.type & EventType.notifyWait) === 0) this.change(event, { signaled: false });
    const registers = Object.fromEntries(
      keptRegisters.map((name) => [name, host.getRegister(name)]),
    ) as Frame['registers'];
    let { rsp } = registers;
    if (gates.again !== undefined) {
      rsp -= 8n; // the gate's RET takes it from there, and the call is made again with its own return address
      write(rsp, gates.again);
    }
    this.frames.push({ registers: { ...registers, rsp }, tpl: this.tpl });
    this.tpl = known.tpl;
    const frame = (rsp - 0x100n) & ~15n;
    write(frame - 8n, gates.notifyReturn);
    write(frame - 16n, known.notify);
    host.setRegister('rcx', event);
    host.setRegister('rdx', known.context);
    host.setRegister('rsp', frame - 16n);
    return true;
  }

  /** A notification function returned: the registers are those of the call that it interrupted. False when none ran. */
  returned(host: FirmwareHost): boolean {
    const frame = this.frames.pop();
    if (!frame) return false;
    this.tpl = frame.tpl;
    for (const [name, value] of Object.entries(frame.registers)) host.setRegister(name as FirmwareRegister, value);
    return true;
  }

  /** Tells those who asked to be told of ExitBootServices, once. True when notification functions are to run first. */
  tellExit(): boolean {
    if (this.exitIsTold) return false;
    this.exitIsTold = true;
    this.signalGroup(Guid.EFI_EVENT_GROUP_EXIT_BOOT_SERVICES);
    return this.queue.some((event) => (this.events.get(event)?.tpl ?? 0) > this.tpl);
  }

  save(): EventsState {
    return {
      tpl: this.tpl,
      exitIsTold: this.exitIsTold,
      events: [...this.events].map(([event, { notify, context, ...rest }]) => [
        hex(event),
        { ...rest, notify: hex(notify), context: hex(context) },
      ]),
      queue: this.queue.map(hex),
      frames: this.frames.map(({ registers, tpl }) => ({
        registers: Object.fromEntries(keptRegisters.map((name) => [name, hex(registers[name])])),
        tpl,
      })),
    };
  }

  restore(state: EventsState | undefined): void {
    this.tpl = state?.tpl ?? Tpl.application;
    this.exitIsTold = state?.exitIsTold ?? false;
    this.events.clear();
    for (const [event, saved] of state?.events ?? []) {
      const { notify, context, ...rest } = saved as unknown as Omit<EfiEvent, 'notify' | 'context'> & {
        readonly notify: string;
        readonly context: string;
      };
      this.events.set(BigInt(event), { ...quietEvent, ...rest, notify: BigInt(notify), context: BigInt(context) });
    }
    this.queue = (state?.queue ?? []).map(BigInt);
    this.frames.length = 0;
    for (const { registers, tpl } of state?.frames ?? []) {
      const values = keptRegisters.map((name) => [name, BigInt(registers[name] ?? 0)]);
      this.frames.push({ registers: Object.fromEntries(values) as Frame['registers'], tpl });
    }
  }
}

/** Addresses of gates, guest-virtual. */
export interface DispatchGates {
  readonly notifyReturn: bigint;
  /** The gate that is to be executed again; undefined when its call is done. */
  readonly again?: bigint;
}
