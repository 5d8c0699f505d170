import { Guid } from '../../../firmware-tables/uefi/guids.js';
import { MemoryType } from '../../../firmware-tables/uefi/memory-descriptor.js';
import {
  SimpleTextInputProtocol,
  textInputFunctions,
} from '../../../firmware-tables/uefi/protocols/simple-text-input.js';
import {
  SimpleTextOutputMode,
  SimpleTextOutputProtocol,
  textOutputFunctions,
} from '../../../firmware-tables/uefi/protocols/simple-text-output.js';
import type { Struct } from '../../../firmware-tables/layout.js';
import { structureOf } from '../../memory/provided.js';
import type { Firmware } from '../firmware.js';
import { EventType, quietEvent, Tpl } from '../events/event.js';
import type { ConsoleAddresses } from '../set-up/tables.js';
import type { TableMemory } from '../set-up/xen-table.js';
import { textInputServices } from './text-input.js';
import { textOutputServices } from './text-output.js';

/** The functions of both console protocols. UEFI 2.10 sections 12.3 and 12.4. */
export const consoleFunctions = { ...textOutputServices, ...textInputServices };

/**
 * Writes both console tables; each function is a real gate whether the profile has it or not, because callers use ConOut
 * without a check. The handle carries the protocols only where the profile names them.
 */
export function installConsole(
  fw: Firmware,
  memory: TableMemory,
  slotAddress: (name: string) => bigint,
  handle: bigint,
): ConsoleAddresses {
  const override = fw.overrides['protocol:SimpleTextOutput'];
  if (override === 'null') return { handle, output: 0n, input: 0n };
  const data = MemoryType.EfiBootServicesData;
  const functions = (prefix: string, list: readonly { readonly name: string }[]): Record<string, bigint> =>
    Object.fromEntries(list.map(({ name }) => [name, slotAddress(`${prefix}.${name}`)]));
  const write = <V, I>(layout: Struct<V, I>, values: I): bigint => {
    const address = memory.allocatePool(data, layout.size, layout.name);
    memory.write(address, layout.encode(values));
    fw.provided.add(structureOf('firmware', layout.name, address, [layout]));
    return BigInt(address);
  };
  const Mode = write(SimpleTextOutputMode, { MaxMode: 1, Attribute: 0x07 });
  const output = write(SimpleTextOutputProtocol, { ...functions('SimpleTextOutput', textOutputFunctions), Mode });
  if (isServed(fw, 'SimpleTextOutput.SetCursorPosition')) fw.textMode = Number(Mode);
  const inputFunctions = functions('SimpleTextInput', textInputFunctions);
  const WaitForKey = waitForKey(fw, memory) ?? handle; // without events nobody can wait on it
  const input = write(SimpleTextInputProtocol, { ...inputFunctions, WaitForKey });
  if (override === 'present' || (override === undefined && 'SimpleTextOutput' in fw.profile.protocols)) {
    fw.handles.install(handle, Guid.EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL, output);
  }
  if ('SimpleTextInput' in fw.profile.protocols) fw.handles.install(handle, Guid.EFI_SIMPLE_TEXT_INPUT_PROTOCOL, input);
  return { handle, output, input };
}

const isServed = (fw: Firmware, name: string): boolean =>
  [...fw.slots.values()].some((slot) => slot.name === name && slot.absent === undefined);

/** The event that waits for a key. UEFI 2.10 section 12.3.1. */
function waitForKey(fw: Firmware, memory: TableMemory): bigint | undefined {
  if (!isServed(fw, 'SimpleTextInput.ReadKeyStroke')) return undefined;
  const event = BigInt(memory.allocatePool(MemoryType.EfiBootServicesData, 16, 'the event for a key'));
  fw.provided.occupy('firmware', 'handles', Number(event), 16);
  const type = EventType.notifyWait;
  fw.events.add(event, {
    ...quietEvent,
    type,
    tpl: Tpl.notify,
    notify: 0n,
    context: 0n,
    group: undefined,
    forKey: true,
  });
  return event;
}
