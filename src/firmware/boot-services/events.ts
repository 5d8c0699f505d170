import { MemoryType } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { Guid } from '../../../firmware-tables/uefi/guids.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { EventType, quietEvent, Tpl, type EfiEvent } from '../events/event.js';
import type { Firmware } from '../firmware.js';
import { service, type Show } from '../service.js';

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** Ticks (1 ns) in the unit of SetTimer. */
const ticksPerUnit = 100;
/** Where nothing says when an event may come, it is looked at so often (ticks). Also the period of a timer of 0. */
const pollTicks = 10_000_000;

/** Combinations of EVT_* that mean something. UEFI 2.10 section 7.1.1. */
const eventTypes: ReadonlySet<number> = new Set([
  0,
  EventType.timer,
  EventType.notifyWait,
  EventType.notifySignal,
  EventType.timer + EventType.notifyWait,
  EventType.timer + EventType.notifySignal,
  EventType.signalExitBootServices,
]);
const notifyLevels: ReadonlySet<bigint> = new Set([BigInt(Tpl.application), BigInt(Tpl.callback), BigInt(Tpl.notify)]);

interface NewEvent {
  readonly Type: number;
  readonly NotifyTpl: bigint;
  readonly NotifyFunction: bigint;
  readonly NotifyContext: bigint;
  readonly Event: bigint;
}

function createEvent(fw: Firmware, given: NewEvent, group: string | undefined, show: Show): bigint {
  const { Type, NotifyTpl, NotifyFunction, NotifyContext, Event } = given;
  if (Event === 0n) return Status.INVALID_PARAMETER;
  // Run-time drivers alone are told of SetVirtualAddressMap, and none can be loaded here.
  if (Type === EventType.signalVirtualAddressChange) return Status.UNSUPPORTED;
  if (!eventTypes.has(Type)) return Status.INVALID_PARAMETER;
  const notifies = (Type & (EventType.notifyWait | EventType.notifySignal)) !== 0;
  if (notifies && (NotifyFunction === 0n || !notifyLevels.has(NotifyTpl))) return Status.INVALID_PARAMETER;
  fw.guest.requireWritable(Event, 8);
  const address = fw.pool.allocate(MemoryType.EfiBootServicesData, 16);
  if (address === undefined) return Status.OUT_OF_RESOURCES;
  fw.events.add(BigInt(address), {
    ...quietEvent,
    type: Type,
    tpl: notifies ? Number(NotifyTpl) : Tpl.application,
    notify: notifies ? NotifyFunction : 0n,
    context: notifies ? NotifyContext : 0n,
    group: Type === EventType.signalExitBootServices ? Guid.EFI_EVENT_GROUP_EXIT_BOOT_SERVICES : group,
  });
  fw.guest.writeU64(Event, BigInt(address));
  show('Event', hex(BigInt(address)));
  return Status.SUCCESS;
}

const creation = {
  Type: 'uint32',
  NotifyTpl: 'uintn',
  NotifyFunction: 'pointer',
  NotifyContext: 'pointer',
} as const;

/** EFI_BOOT_SERVICES.CreateEvent(). UEFI 2.10 section 7.1.1. */
const CreateEvent = service({ ...creation, Event: 'pointer' }, (fw, args, show) =>
  createEvent(fw, args, undefined, show),
);

/** EFI_BOOT_SERVICES.CreateEventEx(). UEFI 2.10 section 7.1.2. */
const CreateEventEx = service({ ...creation, EventGroup: 'guidAt', Event: 'pointer' }, (fw, args, show) => {
  const { EventGroup, Type } = args;
  if (EventGroup === 0n) return createEvent(fw, args, undefined, show);
  if (Type === EventType.signalExitBootServices) return Status.INVALID_PARAMETER;
  return createEvent(fw, args, fw.guest.readGuid(EventGroup), show);
});

/** EFI_BOOT_SERVICES.CloseEvent(). UEFI 2.10 section 7.1.3. */
const CloseEvent = service({ Event: 'handle' }, (fw, { Event }) => {
  if (!fw.events.get(Event)) return Status.INVALID_PARAMETER;
  fw.events.close(Event);
  fw.pool.free(Number(Event));
  return Status.SUCCESS;
});

/** EFI_BOOT_SERVICES.SignalEvent(). UEFI 2.10 section 7.1.4. */
const SignalEvent = service({ Event: 'handle' }, (fw, { Event }) => {
  if (!fw.events.get(Event)) return Status.INVALID_PARAMETER;
  fw.events.signal(Event);
  return Status.SUCCESS;
});

/** Whether an event is there, which takes its signal; `ask` when its notification function has to be called first. */
function look(fw: Firmware, handle: bigint, event: EfiEvent): boolean | 'ask' {
  if (event.forKey) return fw.keyboard.waits;
  if (event.signaled) {
    fw.events.change(handle, { signaled: false });
    return true;
  }
  const asks = (event.type & EventType.notifyWait) !== 0 && event.tpl > fw.events.tpl;
  return asks && !event.asked ? 'ask' : false;
}

/** Lets the notification function of an event run; the call that is being served is made again behind it. */
function ask(fw: Firmware, handle: bigint): bigint {
  fw.events.change(handle, { asked: true });
  fw.events.enqueue(handle);
  return fw.repeatCall();
}

/** EFI_BOOT_SERVICES.CheckEvent(). UEFI 2.10 section 7.1.6. */
const CheckEvent = service({ Event: 'handle' }, (fw, { Event }) => {
  const event = fw.events.get(Event);
  if (!event || (event.type & EventType.notifySignal) !== 0) return Status.INVALID_PARAMETER;
  const found = look(fw, Event, event);
  if (found === 'ask') return ask(fw, Event);
  fw.events.change(Event, { asked: false });
  return found ? Status.SUCCESS : Status.NOT_READY;
});

/** EFI_BOOT_SERVICES.WaitForEvent(): time goes on to the next timer, or until something is typed. UEFI 2.10 section 7.1.5. */
const WaitForEvent = service(
  { NumberOfEvents: 'uintn', Event: 'pointer', Index: 'pointer' },
  (fw, { NumberOfEvents, Event, Index }, show) => {
    if (NumberOfEvents === 0n || Event === 0n || Index === 0n) return Status.INVALID_PARAMETER;
    if (fw.events.tpl !== Tpl.application) return Status.UNSUPPORTED;
    fw.guest.requireWritable(Index, 8);
    const handles = Array.from({ length: Number(NumberOfEvents) }, (_, i) => fw.guest.readU64(Event + BigInt(i * 8)));
    const give = (index: number, status: bigint): bigint => {
      fw.guest.writeU64(Index, BigInt(index));
      show('Index', String(index));
      return status;
    };
    let input = false;
    let polls = false;
    for (const [index, handle] of handles.entries()) {
      const event = fw.events.get(handle);
      if (!event || (event.type & EventType.notifySignal) !== 0) return give(index, Status.INVALID_PARAMETER);
      const found = look(fw, handle, event);
      if (found === true) return give(index, Status.SUCCESS);
      if (found === 'ask') return ask(fw, handle);
      input ||= event.forKey;
      polls ||= event.asked;
    }
    for (const handle of handles) fw.events.change(handle, { asked: false });
    if (!fw.canWait) return Status.UNSUPPORTED;
    fw.waiting = { input };
    return fw.repeatCall(Math.min(fw.events.nextTimer, polls ? fw.host.now() + pollTicks : Infinity));
  },
);

const TimerDelay = { cancel: 0, periodic: 1, relative: 2 } as const;

/** EFI_BOOT_SERVICES.SetTimer(): times in units of 100 ns. UEFI 2.10 section 7.1.7. */
const SetTimer = service({ Event: 'handle', Type: 'uint32', TriggerTime: 'uint64' }, (fw, args) => {
  const { Event, Type, TriggerTime } = args;
  const event = fw.events.get(Event);
  if (!event || (event.type & EventType.timer) === 0 || Type > TimerDelay.relative) return Status.INVALID_PARAMETER;
  const ticks = Number(TriggerTime) * ticksPerUnit;
  const period = Type === TimerDelay.periodic ? ticks || pollTicks : 0;
  const timer = { due: fw.host.now() + (period || ticks), period };
  fw.events.change(Event, { timer: Type === TimerDelay.cancel ? undefined : timer });
  return Status.SUCCESS;
});

/** EFI_BOOT_SERVICES.RaiseTPL(): gives the level that was. A lower one than that is a mistake without an answer: nothing happens. UEFI 2.10 section 7.1.8. */
const RaiseTPL = service({ NewTpl: 'uintn' }, (fw, { NewTpl }) => {
  const { tpl } = fw.events;
  if (NewTpl > BigInt(tpl) && NewTpl <= BigInt(Tpl.highLevel)) fw.events.tpl = Number(NewTpl);
  return BigInt(tpl);
});

/** EFI_BOOT_SERVICES.RestoreTPL(): what waits at the levels between runs now. Returns nothing. UEFI 2.10 section 7.1.9. */
const RestoreTPL = service({ OldTpl: 'uintn' }, (fw, { OldTpl }) => {
  if (OldTpl <= BigInt(fw.events.tpl)) fw.events.tpl = Number(OldTpl);
  return Status.SUCCESS;
});

/** Event, timer and task priority services. UEFI 2.10 section 7.1. */
export const eventServices = {
  CreateEvent,
  CreateEventEx,
  CloseEvent,
  SignalEvent,
  WaitForEvent,
  CheckEvent,
  SetTimer,
  RaiseTPL,
  RestoreTPL,
};
