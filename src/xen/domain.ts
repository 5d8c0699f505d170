import { fromHex } from '../../firmware-tables/hex.js';
import type { Stateful } from '../devices/device.js';
import { ConsoleRing, type ConsoleRingState } from './console-ring.js';
import { Dispatcher } from './dispatcher.js';
import { DomainFrames, frameBytes, type DomainFramesState, type FrameWindow } from './domain-frames.js';
import { DomainTime, type DomainTimeState } from './domain-time.js';
import { EventChannels, Virq, type EventChannelsState } from './event-channels/index.js';
import { GrantTable, type GrantTableState } from './grant-table.js';
import type { XenHost } from './host.js';
import { HvmParam, HvmParams } from './hvm-params.js';
import type { HypercallRecord } from './hypercall.js';
import { hypercallPage, hypercallPageMsr } from './hypercall-page.js';
import { hypercalls } from './hypercalls/index.js';
import type { HostFirmware } from './hypercalls/platform.js';
import { Physmap, type PhysmapState } from './physmap.js';
import { ProvidedPages } from './provided-pages.js';
import { Watchdogs } from './watchdogs.js';
import { XenStore, type XenStoreState } from './xenstore/xen-store.js';
import { XenStoreRing, type XenStoreRingState } from './xenstore/xenstore-ring.js';

/** What the toolstack fixes before the domain runs. */
export interface DomainDescription {
  /** The domain's number. */
  readonly number: number;
  readonly name: string;
  /** In lower case with hyphens. */
  readonly uuid: string;
  /** The wall clock at the start, seconds since 1970. */
  readonly startSeconds: number;
  readonly instruction: 'vmcall' | 'vmmcall';
  /** Memory beside RAM: special pages, ACPI tables. */
  readonly windows: readonly FrameWindow[];
  /** The pages of the rings, and their guest frame numbers. */
  readonly consolePage: { readonly bytes: Uint8Array; readonly gfn: number };
  readonly xenstorePage: { readonly bytes: Uint8Array; readonly gfn: number };
  /** XENMEM_memory_map: entries of 20 bytes. */
  readonly e820: Uint8Array;
  /** The domain is dom0, with what Xen tells it of the machine's EFI firmware where there is one. */
  readonly initial?: { readonly firmware?: HostFirmware };
}

export interface DomainState {
  readonly frames: DomainFramesState;
  readonly events: EventChannelsState;
  readonly time: DomainTimeState;
  readonly grants: GrantTableState;
  readonly params: Readonly<Record<string, string>>;
  readonly watchdogs: readonly boolean[];
  readonly physmap: PhysmapState;
  readonly console: ConsoleRingState;
  readonly store: XenStoreState;
  readonly storeRing: XenStoreRingState;
  readonly upcallVector: number;
  readonly callbackVector: number;
  readonly shutdownCode: number;
  readonly runstateUpdateFlag: boolean;
  readonly waiting: Waiting | null;
  readonly logged: readonly string[];
}

/** What a blocked virtual processor waits for besides an interrupt: the ports of SCHEDOP_poll (all when empty). */
interface Waiting {
  readonly ports: readonly number[] | null;
}

const storePort = 1;
const consolePort = 2;
const pollTimer = 'xen poll timer';
const noShutdown = -1;
const viaVector = 2n; // HVM_PARAM_CALLBACK_TYPE_VECTOR

/** SHUTDOWN_*: what the guest says, and how the run ends. xen/include/public/sched.h. */
const shutdowns: Readonly<Record<number, readonly ['powered-off' | 'reset' | 'halted' | 'panicked', string]>> = {
  0: ['powered-off', 'poweroff'],
  1: ['reset', 'reboot'],
  2: ['halted', 'suspend: nobody resumes the domain'],
  3: ['panicked', 'crash'],
  4: ['panicked', 'watchdog'],
  5: ['reset', 'soft reset'],
};

/** A PVH domain with one virtual processor under Xen 4.17, as the guest sees it. Addresses are guest-physical bytes. */
export class Domain implements Stateful<DomainState> {
  readonly number: number;
  readonly uuid: Uint8Array;
  readonly frames: DomainFrames;
  readonly events: EventChannels;
  readonly time: DomainTime;
  readonly grants: GrantTable;
  readonly physmap: Physmap;
  readonly params: HvmParams;
  readonly watchdogs: Watchdogs;
  readonly console: ConsoleRing;
  readonly store: XenStore;
  readonly storeRing: XenStoreRing;
  /** VMASST_TYPE_runstate_update_flag: nothing to see, for nobody looks while Xen writes. */
  runstateUpdateFlag = false;

  private readonly dispatcher: Dispatcher;
  private readonly provided: ProvidedPages | undefined;
  private upcallVector = 0;
  private callback = 0; // the vector of HVM_PARAM_CALLBACK_IRQ; 0 while there is none
  private shutdownCode = noShutdown;
  private waiting: Waiting | undefined;
  private multicall = false; // only while one is served

  constructor(
    private readonly host: XenHost,
    private readonly options: DomainDescription,
  ) {
    this.number = options.number;
    this.uuid = fromHex(options.uuid.replaceAll('-', ''));
    this.frames = new DomainFrames(host.memory, options.windows);
    this.events = new EventChannels(
      this.frames,
      () => {
        this.upcall();
      },
      { domain: options.number },
    );
    this.events.onPending = (port) => {
      this.wakePoller(port);
    };
    this.time = new DomainTime(host, this.frames, options.startSeconds, () => {
      this.events.raiseVirq(Virq.TIMER);
    });
    this.grants = new GrantTable(this.frames, {
      consoleFrame: options.consolePage.gfn,
      xenstoreFrame: options.xenstorePage.gfn,
    });
    this.physmap = new Physmap(this, { ramBytes: host.memory.ramBytes, e820: options.e820 });
    this.provided =
      host.provided &&
      new ProvidedPages(host.provided, this.events, this.physmap, {
        console: options.consolePage.gfn,
        xenstore: options.xenstorePage.gfn,
      });
    const rings = {
      [HvmParam.STORE_PFN]: options.xenstorePage.gfn,
      [HvmParam.STORE_EVTCHN]: storePort,
      [HvmParam.CONSOLE_PFN]: options.consolePage.gfn,
      [HvmParam.CONSOLE_EVTCHN]: consolePort,
    };
    this.params = new HvmParams(options.initial === undefined ? rings : {}); // dom0 has no toolstack but its own
    this.watchdogs = new Watchdogs(host);
    this.console = new ConsoleRing(options.consolePage.bytes, () => {
      this.events.notify(consolePort);
    });
    this.events.connect(consolePort, () => {
      this.console.onNotify();
    });
    this.store = new XenStore({
      name: options.name,
      uuid: options.uuid,
      memoryKiB: host.memory.ramBytes / 1024,
      domid: options.number,
      startTime: options.startSeconds,
      store: { port: storePort, frame: options.xenstorePage.gfn },
      console: { port: consolePort, frame: options.consolePage.gfn },
    });
    this.storeRing = new XenStoreRing(options.xenstorePage.bytes, this.store, () => {
      this.events.notify(storePort);
    });
    this.events.connect(storePort, () => {
      this.storeRing.onNotify();
    });
    this.dispatcher = new Dispatcher(this, host, hypercalls);
  }

  set onHypercall(listener: ((record: HypercallRecord) => void) | undefined) {
    this.dispatcher.onCall = listener;
  }

  /** Whether the domain may do what Xen keeps for dom0. */
  get isInitial(): boolean {
    return this.options.initial !== undefined;
  }

  get hostFirmware(): HostFirmware | undefined {
    return this.options.initial?.firmware;
  }

  now(): number {
    return this.host.now();
  }

  log(line: string): void {
    this.host.log(line);
  }

  /** The guest executed VMCALL or VMMCALL. */
  hypercall(): void {
    this.time.refresh(this.events.vcpuInfoAddress);
    this.dispatcher.serve();
  }

  /** Runs a list of hypercalls, each by `call`; false when such a list is being run already. */
  inMulticall(run: (call: Dispatcher['call']) => void): boolean {
    if (this.multicall) return false;
    this.multicall = true;
    try {
      run((number, registers, wide) => this.dispatcher.call(number, registers, wide));
    } finally {
      this.multicall = false;
    }
    return true;
  }

  // MSRs

  /** undefined: #GP. */
  readMsr(index: number): bigint | undefined {
    return index === hypercallPageMsr ? 0n : undefined;
  }

  /** False: #GP. */
  writeMsr(index: number, value: bigint): boolean {
    if (index !== hypercallPageMsr || (value & 0xfffn) !== 0n) return false;
    const gfn = Number(value >> 12n);
    if (!this.frames.has(gfn)) return false;
    this.latch();
    this.frames.write(gfn * frameBytes, hypercallPage(this.options.instruction));
    return true;
  }

  // Events

  /** HVMOP_set_evtchn_upcall_vector: an upcall is an edge at the local APIC from now on, the first one now. */
  setUpcallVector(vector: number): void {
    this.upcallVector = vector;
    this.interrupt();
  }

  /**
   * HVM_PARAM_CALLBACK_IRQ: a vector around the local APIC. Other kinds want interrupt controllers that are not there, and
   * leave what is: hvm_set_callback_via() of Xen.
   */
  setCallback(via: bigint): void {
    this.latch();
    if (via >> 56n !== viaVector) return;
    this.callback = Number(via & 0xffn);
    this.host.setCallbackLine(this.callback !== 0 && this.upcallVector === 0 && this.events.upcallPending);
  }

  /** The guest's mode now says how shared_info is laid out. */
  private latch(): void {
    this.physmap.latch(this.host.mode === 'wide' ? 64 : 32);
  }

  /** The vector to deliver now, around the local APIC; undefined when none is. */
  callbackVector(): number | undefined {
    if (this.callback !== 0 && this.upcallVector === 0 && this.events.upcallPending) return this.callback;
    this.host.setCallbackLine(false);
    return undefined;
  }

  private upcall(): void {
    this.interrupt();
    if (this.waiting !== undefined) this.wake();
  }

  /** hvm_assert_evtchn_irq() of Xen. */
  private interrupt(): void {
    if (this.upcallVector !== 0) this.host.interrupt(this.upcallVector);
    else if (this.callback !== 0) this.host.setCallbackLine(true);
  }

  registerVcpuInfo(gfn: number, offset: number): number {
    const result = this.events.mapVcpuInfo(gfn, offset);
    if (result === 0) this.provided?.vcpuInfoMoved();
    this.time.update(this.events.vcpuInfoAddress);
    return result;
  }

  setTimeArea(address: bigint): void {
    this.time.setTimeArea(address);
    this.time.update(this.events.vcpuInfoAddress);
  }

  // The processor

  /** SCHEDOP_block: until an interrupt or an event, with upcalls enabled as PV domains have it. */
  block(): void {
    const vcpuInfo = this.events.vcpuInfoAddress;
    if (vcpuInfo !== undefined) this.frames.write(vcpuInfo + 1, Uint8Array.of(0)); // evtchn_upcall_mask
    if (this.interruptDue()) return;
    this.waiting = { ports: null };
    this.host.block();
  }

  /** SCHEDOP_poll: until one of the ports is pending, an upcall, or the timeout (system time, 0: none). */
  poll(ports: readonly number[], timeout: bigint): void {
    if (timeout !== 0n && BigInt.asIntN(64, timeout) <= BigInt(this.now())) return;
    if (timeout !== 0n && timeout <= BigInt(Number.MAX_SAFE_INTEGER)) this.host.schedule(pollTimer, Number(timeout));
    this.waiting = { ports };
    this.host.block();
  }

  /** Whether the processor takes an interrupt at once: local_events_need_delivery() of Xen. */
  interruptDue(): boolean {
    if (this.callbackVector() === undefined) this.host.setCallbackLine(false);
    return this.host.interruptDue();
  }

  /** Whether the processor waits in a hypercall: an event wakes it whatever its interrupt flag. */
  get isWaiting(): boolean {
    return this.waiting !== undefined;
  }

  /** The processor runs again, whyever. */
  resumed(): void {
    this.waiting = undefined;
    this.host.cancel(pollTimer);
  }

  private wakePoller(port: number): void {
    const ports = this.waiting?.ports;
    if (ports === undefined || ports === null) return;
    if (ports.length !== 1 || ports.includes(port)) this.wake(); // Xen keeps only a single port in mind
  }

  private wake(): void {
    this.resumed();
    this.host.wake();
  }

  /** SCHEDOP_shutdown: the run ends. */
  shutdown(reason: number, what?: string): void {
    if (this.shutdownCode === noShutdown) this.shutdownCode = reason;
    const [outcome, text] = shutdowns[this.shutdownCode] ?? (['panicked', `reason ${String(reason)}`] as const);
    this.host.end({ outcome, reason: what === undefined ? `SCHEDOP_shutdown(${text})` : what });
  }

  /** HLT with interrupts disabled puts a virtual processor down; Xen powers off a domain that has no other. */
  haltedForGood(): void {
    this.shutdown(0, 'HLT with interrupts disabled: the last virtual processor is down');
  }

  /** SCHEDOP_shutdown_code: what a later shutdown is for. */
  setShutdownCode(reason: number): void {
    if (this.shutdownCode === noShutdown) this.shutdownCode = reason;
  }

  /** An event of the machine is due; false when it is none of the domain's. */
  onEvent(name: string): boolean {
    if (this.time.onEvent(name)) return true;
    if (name === pollTimer) this.wake();
    else if (this.watchdogs.owns(name)) this.shutdown(4, 'the domain watchdog ran out');
    else return false;
    return true;
  }

  save(): DomainState {
    return {
      frames: this.frames.save(),
      events: this.events.save(),
      time: this.time.save(),
      grants: this.grants.save(),
      params: this.params.save(),
      watchdogs: this.watchdogs.save(),
      physmap: this.physmap.save(),
      console: this.console.save(),
      store: this.store.save(),
      storeRing: this.storeRing.save(),
      upcallVector: this.upcallVector,
      callbackVector: this.callback,
      shutdownCode: this.shutdownCode,
      runstateUpdateFlag: this.runstateUpdateFlag,
      waiting: this.waiting ?? null,
      logged: this.dispatcher.save(),
    };
  }

  /** RAM, the special pages and pending events are the machine's to restore. */
  restore(state: DomainState): void {
    this.frames.restore(state.frames);
    this.events.restore(state.events);
    this.time.restore(state.time);
    this.grants.restore(state.grants);
    this.params.restore(state.params);
    this.watchdogs.restore(state.watchdogs);
    this.physmap.restore(state.physmap);
    this.console.restore(state.console);
    this.store.restore(state.store);
    this.storeRing.restore(state.storeRing);
    this.upcallVector = state.upcallVector;
    this.callback = state.callbackVector;
    this.shutdownCode = state.shutdownCode;
    this.runstateUpdateFlag = state.runstateUpdateFlag;
    this.waiting = state.waiting ?? undefined;
    this.dispatcher.restore(state.logged);
  }
}
