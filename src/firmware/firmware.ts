import { GuestAddressError, type GuestFault } from '../memory/guest-memory.js';
import { ProvidedMemory } from '../memory/provided.js';
import { Status, statusName } from '../../firmware-tables/uefi/status.js';
import type { ServiceCall } from './log/describe.js';
import { corruptions } from './corruptions.js';
import { FirmwareError } from './errors.js';
import type { FirmwareOptions } from './firmware-options.js';
import type { FirmwareState, MissedService, VirtualRange } from './firmware-state.js';
import { reportException } from './exceptions.js';
import { imageEntry, type FirmwareEvent } from './log/firmware-event.js';
import { Events } from './events/events.js';
import { Keyboard } from './events/keyboard.js';
import { GateGroup, gateStride } from './gate.js';
import { GuestAccess } from './guest-access.js';
import { HandleDatabase } from './handles.js';
import type { FirmwareHost, FirmwareRegister } from './host.js';
import { endImage } from './boot-services/images.js';
import { Images, type Resumption } from './images/images.js';
import { MemoryMap } from './memory/memory-map.js';
import { NoExecute } from './memory/no-execute.js';
import { clobber } from './poison.js';
import { Pool } from './memory/pool.js';
import { profiles, proposal, type Overrides, type Profile, type ServiceName } from './profiles.js';
import { decodeArguments, type Show } from './service.js';
import { buildSlots, type Slot } from './slots.js';
import { setUp, type BootInputs, type FirmwareEntry } from './set-up/set-up.js';
import { Tables } from './set-up/tables.js';
import { variablesAtStart } from './variables/variable-policy.js';
import { VariableStore } from './variables/variable-store.js';

export type { FirmwareOptions } from './firmware-options.js';
export type { FirmwareState, MissedService, VirtualRange } from './firmware-state.js';

/** The EFI System Table provider: EFI services as TypeScript over guest memory. UEFI 2.10. */
export class Firmware {
  readonly profile: Profile;
  readonly overrides: Overrides;
  readonly guest: GuestAccess;
  /** For the log: reads that no device notices. */
  private readonly peek: GuestAccess;
  readonly memoryMap = new MemoryMap([]);
  readonly pool: Pool;
  readonly handles = new HandleDatabase();
  readonly variables: VariableStore;
  readonly tables: Tables;
  /** Is told what is laid out for the guest. */
  readonly provided: ProvidedMemory;
  readonly slots: ReadonlyMap<number, Slot>;
  /** The image that was started; 0 before boot(). */
  imageHandle = 0n;
  /** Images that LoadImage brought. */
  readonly images = new Images();
  readonly events = new Events();
  readonly keyboard: Keyboard;
  /** SIMPLE_TEXT_OUTPUT_MODE, guest-physical; 0 where the console has no cursor. */
  textMode = 0;
  /** What a call of WaitForEvent waits for besides a timer; undefined while none waits. */
  waiting: { readonly input: boolean } | undefined;
  /** Set by a service whose call is to be made once more: at a tick, or at once where a notification function runs first. */
  private repetition: { readonly until?: number } | undefined;
  /** The gate to which an image returns, guest-physical. */
  imageReturn = 0n;
  /** The LoadFile2 interface that offers the initrd; 0 when there is none. */
  loadFile2 = 0n;
  initrd: Uint8Array | undefined;
  bootServicesEnded = false;
  virtualMap: readonly VirtualRange[] | undefined;
  /** Keeps memory non-executable by its type, where an override asks for it. */
  noExecute: NoExecute | undefined;
  private readonly strict: boolean;
  private readonly onCall: ((call: ServiceCall) => void) | undefined;
  private readonly onEvent: ((event: FirmwareEvent) => void) | undefined;
  private readonly noted: FirmwareEvent[] = [];
  private resumption: Resumption | undefined;
  private readonly missed = new Map<string, { tick: number; calls: number }>();
  private readonly forcedCalls = new Map<string, number>();

  constructor(
    readonly host: FirmwareHost,
    options: FirmwareOptions = {},
  ) {
    this.profile = options.profile ?? proposal;
    this.overrides = options.overrides ?? {};
    this.pool = new Pool(this.memoryMap, redZone(this.overrides));
    this.strict = options.strict ?? false;
    this.onCall = options.onCall;
    this.onEvent = options.onEvent;
    this.guest = new GuestAccess(host.memory);
    this.peek = new GuestAccess(host.memory, true);
    this.variables = new VariableStore(variablesAtStart(options.variables));
    this.variables.commit = options.commitVariable;
    this.provided = host.provided ?? new ProvidedMemory();
    this.tables = new Tables(host.memory, this.provided);
    this.keyboard = new Keyboard(() => host.readInput?.());
    this.slots = buildSlots(this.profile, this.overrides);
  }

  /** Lays out guest memory, loads the image and says in which state it is entered. Throws FirmwareError. */
  boot(inputs: BootInputs): FirmwareEntry {
    if (this.profile.handedOver === true) {
      throw new FirmwareError(
        `the profile ${this.profile.name} has no services to enter an image with: take the door linux64, or another profile`,
      );
    }
    const entry = setUp(this, inputs);
    const { imageBase: base, imageBytes: bytes, entryPoint } = entry;
    this.note(imageEntry(this.host.now(), entry.imageHandle, { base, bytes, entryPoint }, inputs.commandLine));
    this.tellEvents();
    return entry;
  }

  /**
   * Acts on a gate that the guest executed. RIP stands behind the gate at its RET, RSP at the return address. Sets RAX;
   * the guest's own RET returns to the caller. Where a pointer cannot be followed the gate faults instead.
   */
  serve(gate: number): void {
    this.serveGate(gate);
    this.tellEvents();
  }

  private serveGate(gate: number): void {
    if (gate === GateGroup.imageReturn) {
      this.returnFromImage(this.host.getRegister('rax'));
      return;
    }
    if (gate === GateGroup.notifyReturn) {
      if (this.events.returned(this.host)) this.dispatch();
      else
        throw new FirmwareError('a notification function returned that was never called: the guest jumped into a gate');
      return;
    }
    if (gate >= GateGroup.vectors && gate < GateGroup.vectors + 256) {
      this.note(reportException(this.host, this.peek, gate - GateGroup.vectors, (at) => this.slots.get(at)?.name));
      return;
    }
    const slot = this.slots.get(gate);
    if (!slot) {
      throw new FirmwareError(
        `gate 0x${gate.toString(16)} belongs to no service: the guest's code is damaged or not ours`,
      );
    }
    this.events.expire(this.host.now());
    const answer = this.call(slot);
    const { repetition } = this;
    this.repetition = undefined;
    if (repetition) {
      if (!this.dispatch(slot.gate)) this.host.repeat?.(repetition.until);
      return;
    }
    if (typeof answer !== 'bigint') {
      this.host.fault(answer);
      return;
    }
    this.host.setRegister('rax', answer);
    if (this.resumption) this.goElsewhere(this.resumption);
    else {
      if (this.strict) clobber(this.host);
      this.dispatch();
    }
  }

  /** Lets a notification function of an event run, before the gate `again` or the return to the caller. */
  private dispatch(again?: number): boolean {
    const { imageReturn } = this;
    const address = (gate: number): bigint => imageReturn + BigInt((gate - GateGroup.imageReturn) * gateStride);
    const gates = {
      notifyReturn: address(GateGroup.notifyReturn),
      ...(again === undefined ? {} : { again: address(again) }),
    };
    return this.events.dispatch(
      this.host,
      (at, value) => {
        this.guest.writeU64(at, value);
      },
      gates,
    );
  }

  /** For a service: the call is made once more, at `until` or when what `waiting` names is there; at once without it. */
  repeatCall(until?: number): bigint {
    this.repetition = until === undefined ? {} : { until };
    return Status.NOT_READY;
  }

  /** Whether a call can wait at all. */
  get canWait(): boolean {
    return this.host.repeat !== undefined;
  }

  /** The call that is served does not return to its caller: these registers change, and the gate's RET takes RSP's address. */
  resume(registers: Resumption): void {
    this.resumption = registers;
  }

  /** For the log: what happens stands behind the call that is being served. */
  note(event: FirmwareEvent): void {
    this.noted.push(event);
  }

  private tellEvents(): void {
    for (const event of this.noted.splice(0)) this.onEvent?.(event);
  }

  private goElsewhere(registers: Resumption): void {
    this.resumption = undefined;
    for (const [name, value] of Object.entries(registers)) this.host.setRegister(name as FirmwareRegister, value);
  }

  /** An image returned from its entry point: StartImage returns, or the run ends. */
  private returnFromImage(status: bigint): void {
    const nested = this.images.running.length > 0 && !this.bootServicesEnded;
    const handle = (nested ? this.images.running.at(-1)?.handle : undefined) ?? this.imageHandle;
    const details = { ImageHandle: `0x${handle.toString(16)}`, ExitStatus: statusName(status) };
    this.note({ event: 'image-return', details, address: undefined, tick: this.host.now() });
    if (nested) endImage(this, status, new Uint8Array(0));
    else this.host.exit(status);
    if (this.resumption) this.goElsewhere(this.resumption);
  }

  /** The services that were called although the profile lacks them, the first one first. */
  missedServices(): MissedService[] {
    return [...this.missed].map(([name, { tick, calls }]) => ({
      name,
      tick,
      calls,
      profile: profiles.find((profile) => name in profile.services)?.name,
    }));
  }

  /** ExitBootServices succeeded: boot services end. UEFI 2.10 section 7.4.6. */
  leaveBootServices(): void {
    this.host.watchdog?.(undefined);
    this.bootServicesEnded = true;
    this.host.disableInterrupts();
    this.tables.clearBootFields();
  }

  /** The status that goes into RAX, or the exception that the guest gets. */
  private call(slot: Slot): bigint | GuestFault {
    const { service } = slot;
    const tick = this.host.now();
    const unserved = this.whyUnserved(slot);
    const decoded = decodeArguments(this.host, unserved ? this.peek : this.guest, this.peek, service.signature);
    const results: Record<string, string> = {};
    const lists: Record<string, readonly string[]> = {};
    const caller = this.peekReturnAddress();
    let answer: bigint | GuestFault;
    if (unserved) {
      answer = service.absent;
      if (unserved === 'profile') this.miss(slot.name, tick);
    } else if (this.takeForced(slot)) {
      answer = slot.forced?.status ?? Status.UNSUPPORTED;
    } else if (decoded.bad) {
      // As EDK II: an argument that is NULL is refused before any pointer is followed.
      answer = (decoded.hasNull ? undefined : decoded.bad.fault) ?? Status.INVALID_PARAMETER;
    } else {
      answer = this.actOrSpoil(slot, decoded.values, (name, text) => {
        if (typeof text === 'string') results[name] = text;
        else lists[name] = text;
      });
    }
    if (this.repetition) return answer;
    if (!this.bootServicesEnded) this.noExecute?.update();
    if (slot.delay > 0) this.host.stall?.(slot.delay);
    this.onCall?.({
      name: slot.name,
      section: slot.section,
      args: decoded.texts,
      results,
      ...(Object.keys(lists).length > 0 ? { lists } : {}),
      ...(typeof answer === 'bigint' ? { status: answer } : { status: undefined, fault: answer }),
      caller,
      tick,
      ...(unserved ? { unserved } : {}),
    });
    return answer;
  }

  /** Acts; where an override wants it, spoils what the caller gets. */
  private actOrSpoil(slot: Slot, values: Record<string, unknown>, show: Show): bigint | GuestFault {
    const { corrupt, name } = slot;
    const before = this.forcedCalls.get(name) ?? 0;
    const isDue = corrupt !== undefined && (corrupt.times === undefined || before < corrupt.times);
    const corruption = isDue ? corruptions[name as ServiceName]?.[corrupt.corrupt] : undefined;
    let spoilt = corruption?.before?.(this, values) === true;
    let answer = this.act(slot, values, show);
    if (typeof answer === 'bigint') {
      const instead = corruption?.after?.(this, values, answer);
      spoilt ||= instead !== undefined;
      answer = instead ?? answer;
    }
    if (spoilt) {
      this.forcedCalls.set(name, before + 1);
      show('corrupted', corruption?.meaning ?? '');
    }
    return answer;
  }

  private act(slot: Slot, values: Record<string, unknown>, show: Show): bigint | GuestFault {
    try {
      return slot.service.run?.(this, values as never, show) ?? slot.service.absent;
    } catch (error) {
      if (!(error instanceof GuestAddressError)) throw error;
      if (error.fault) return error.fault;
      show('reason', error.message);
      return Status.INVALID_PARAMETER;
    }
  }

  private whyUnserved(slot: Slot): ServiceCall['unserved'] {
    if (slot.absent) return slot.absent;
    return this.bootServicesEnded && !slot.runtime ? 'after-exit-boot-services' : undefined;
  }

  /** True when an override answers this call instead of the service. */
  private takeForced(slot: Slot): boolean {
    if (!slot.forced) return false;
    const before = this.forcedCalls.get(slot.name) ?? 0;
    this.forcedCalls.set(slot.name, before + 1);
    return slot.forced.times === undefined || before < slot.forced.times;
  }

  private miss(name: string, tick: number): void {
    const known = this.missed.get(name);
    if (known) known.calls++;
    else this.missed.set(name, { tick, calls: 1 });
  }

  private peekReturnAddress(): bigint {
    try {
      return this.peek.readU64(this.host.getRegister('rsp'));
    } catch (error) {
      if (error instanceof GuestAddressError) return 0n;
      throw error;
    }
  }

  save(): FirmwareState {
    const hex = (value: bigint): string => `0x${value.toString(16)}`;
    return {
      memoryMap: this.memoryMap.save(),
      pool: this.pool.save(),
      handles: this.handles.save(),
      variables: this.variables.export(),
      tables: { ...this.tables.addresses },
      imageHandle: hex(this.imageHandle),
      images: this.images.save(),
      imageReturn: hex(this.imageReturn),
      loadFile2: hex(this.loadFile2),
      bootServicesEnded: this.bootServicesEnded,
      events: this.events.save(),
      keys: this.keyboard.save(),
      textMode: this.textMode,
      ...(this.waiting && { waiting: this.waiting }),
      virtualMap: this.virtualMap?.map((range) => ({ ...range, virtual: hex(range.virtual) })) ?? null,
      missed: [...this.missed].map(([name, entry]) => ({ name, ...entry })),
      forcedCalls: Object.fromEntries(this.forcedCalls),
      ...(this.noExecute ? { noExecute: this.noExecute.place } : {}),
    };
  }

  /** Takes up a saved state; the profile and overrides must be those of the saving firmware, the initrd is given anew. */
  restore(state: FirmwareState, initrd?: Uint8Array): void {
    this.memoryMap.restore(state.memoryMap);
    this.pool.restore(state.pool);
    this.handles.restore(state.handles);
    this.variables.import(state.variables);
    this.tables.addresses = { ...state.tables };
    this.imageHandle = BigInt(state.imageHandle);
    this.images.restore(state.images);
    this.imageReturn = BigInt(state.imageReturn);
    this.loadFile2 = BigInt(state.loadFile2);
    this.bootServicesEnded = state.bootServicesEnded;
    this.events.restore(state.events);
    this.keyboard.restore(state.keys ?? []);
    this.textMode = state.textMode ?? 0;
    this.waiting = state.waiting;
    this.virtualMap = state.virtualMap?.map((range) => ({ ...range, virtual: BigInt(range.virtual) }));
    this.missed.clear();
    for (const { name, tick, calls } of state.missed) this.missed.set(name, { tick, calls });
    this.forcedCalls.clear();
    for (const [name, calls] of Object.entries(state.forcedCalls)) this.forcedCalls.set(name, calls);
    this.noExecute = state.noExecute && new NoExecute(this.host, this.memoryMap, state.noExecute);
    this.initrd = initrd;
  }
}

/** Bytes on both sides of each pool block. Throws FirmwareError. */
function redZone({ 'memory:red-zones': bytes = 0 }: Overrides): number {
  if (Number.isSafeInteger(bytes) && bytes >= 0 && bytes % 16 === 0) return bytes;
  throw new FirmwareError(`red zones of ${String(bytes)} bytes: give a multiple of 16`);
}
