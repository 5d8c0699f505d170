/** The machine as the firmware sees it. */
import type { FirmwareHost } from './firmware/host.js';
import { statusName } from '../firmware-tables/uefi/status.js';
import { ImageError } from './loaders/image.js';
import { readPe } from './loaders/pe.js';
import type { Machine } from './machine.js';
import type { SeededRandom } from './cpu/seeded-random.js';

const INTERRUPT_FLAG = 0x200n;

/** Names of the machine's events: the guest waits in the firmware no longer; EFI's watchdog timer runs out. */
export const firmwareEvent = 'firmware';
export const watchdogEvent = 'firmware watchdog';

export function firmwareHost(machine: Machine, random: SeededRandom): FirmwareHost {
  const registers = () => machine.processor.registers;
  return {
    get memory() {
      return machine.memory;
    },
    get provided() {
      return machine.provided;
    },
    getRegister: (name) => (name === 'cr2' ? registers().cr2 : registers().get(name)),
    setRegister: (name, value) => {
      if (name === 'cr2') registers().cr2 = value;
      else registers().set(name, value);
    },
    now: () => machine.ticks,
    random: () => random.next64(),
    stall: (ticks) => {
      machine.processor.skipTo(machine.ticks + ticks);
    },
    repeat: (until) => {
      machine.processor.repeatGate();
      if (until === undefined) return;
      if (until !== Infinity) machine.schedule(firmwareEvent, until);
      machine.processor.requestStop();
    },
    watchdog: (tick) => {
      if (tick === undefined) machine.events.cancel(watchdogEvent);
      else machine.schedule(watchdogEvent, tick);
    },
    readInput: () => machine.consoleDevice?.take?.(),
    flushTlb: () => {
      const { cr3 } = registers();
      registers().cr3 = cr3;
    },
    disableInterrupts: () => {
      registers().rflags &= ~INTERRUPT_FLAG;
    },
    print: (text) => {
      for (const byte of new TextEncoder().encode(text)) machine.onConsole(byte);
    },
    poweroff: (reason) => {
      machine.end({ outcome: 'powered-off', reason });
    },
    reset: (_kind, reason) => {
      machine.end({ outcome: 'reset', reason });
    },
    exit: (status, exitData) => {
      const detail = exitData === undefined ? '' : `: ${exitData}`;
      machine.end({ outcome: 'exited', reason: `Exit(${statusName(status)})${detail}`, status });
    },
    readPe: (file) => {
      try {
        return readPe(file);
      } catch (error) {
        if (error instanceof ImageError) return undefined;
        throw error;
      }
    },
    fault: (fault) => {
      machine.processor.faultAtGate(fault);
    },
    crash: (reason) => {
      machine.end({ outcome: 'halted', reason });
    },
  };
}
