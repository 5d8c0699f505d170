import { declared } from '../service.js';

/** Events, timers and task priorities: no profile has them yet, each is a gate that logs its arguments. UEFI 2.10 section 7.1. */
export const eventServices = {
  CreateEvent: declared({
    Type: 'uint32',
    NotifyTpl: 'uintn',
    NotifyFunction: 'pointer',
    NotifyContext: 'pointer',
    Event: 'pointer',
  }),
  CreateEventEx: declared({
    Type: 'uint32',
    NotifyTpl: 'uintn',
    NotifyFunction: 'pointer',
    NotifyContext: 'pointer',
    EventGroup: 'guid',
    Event: 'pointer',
  }),
  CloseEvent: declared({ Event: 'pointer' }),
  SignalEvent: declared({ Event: 'pointer' }),
  WaitForEvent: declared({ NumberOfEvents: 'uintn', Event: 'pointer', Index: 'pointer' }),
  CheckEvent: declared({ Event: 'pointer' }),
  SetTimer: declared({ Event: 'pointer', Type: 'uint32', TriggerTime: 'uint64' }),
  RaiseTPL: declared({ NewTpl: 'uintn' }),
  RestoreTPL: declared({ OldTpl: 'uintn' }),
};
