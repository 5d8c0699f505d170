import { statusName } from '../firmware-tables/uefi/status.js';
import type { GeneralRegister } from './cpu/types.js';
import { Firmware, type FirmwareHost, type FirmwareOptions } from './firmware/index.js';
import type { Machine } from './machine.js';
import { SeededRandom } from './random.js';

/** Puts the EFI System Table provider into a machine: gates that the guest executes are served by it from now on. */
export function attachFirmware(machine: Machine, options: FirmwareOptions & { readonly seed?: number }): Firmware {
  const { registers } = machine.processor;
  const random = new SeededRandom(options.seed ?? 1);
  const encoder = new TextEncoder();
  const host: FirmwareHost = {
    memory: machine.memory,
    getRegister: (name) => (name === 'cr2' ? registers.cr2 : registers.get(name)),
    setRegister: (name, value) => {
      registers.set(name as GeneralRegister, value);
    },
    now: () => machine.ticks,
    random: () => random.next64(),
    disableInterrupts: () => {
      registers.rflags &= ~0x200n;
    },
    print: (text) => {
      for (const byte of encoder.encode(text)) machine.onConsole(byte);
    },
    poweroff: (reason) => {
      machine.end({ outcome: 'powered-off', reason });
    },
    reset: (_kind, reason) => {
      machine.end({ outcome: 'reset', reason });
    },
    exit: (status, exitData) => {
      const why = exitData === undefined || exitData === '' ? '' : `, "${exitData}"`;
      machine.end({ outcome: 'exited', reason: `Exit(${statusName(status)})${why}`, status });
    },
    crash: (reason) => {
      machine.end({ outcome: 'halted', reason });
    },
  };
  const firmware = new Firmware(host, options);
  machine.onGate = (gate) => {
    firmware.serve(gate);
  };
  return firmware;
}
