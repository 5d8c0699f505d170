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
import { Status } from '../../../firmware-tables/uefi/status.js';
import { structureOf } from '../../memory/provided.js';
import type { Firmware } from '../firmware.js';
import { declared, service } from '../service.js';
import type { ConsoleAddresses } from '../set-up/tables.js';
import type { TableMemory } from '../set-up/xen-table.js';

/** EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL.OutputString(). UEFI 2.10 section 12.4.3. */
const OutputString = service({ This: 'pointer', String: 'string16' }, (fw, { String: text }) => {
  if (text === undefined) return Status.INVALID_PARAMETER;
  fw.host.print(text);
  return Status.SUCCESS;
});

/** The functions of both console protocols. UEFI 2.10 sections 12.3 and 12.4. */
export const consoleFunctions = {
  'SimpleTextOutput.Reset': declared({ This: 'pointer', ExtendedVerification: 'boolean' }),
  'SimpleTextOutput.OutputString': OutputString,
  'SimpleTextOutput.TestString': declared({ This: 'pointer', String: 'string16' }),
  'SimpleTextOutput.QueryMode': declared({ This: 'pointer', ModeNumber: 'uintn', Columns: 'pointer', Rows: 'pointer' }),
  'SimpleTextOutput.SetMode': declared({ This: 'pointer', ModeNumber: 'uintn' }),
  'SimpleTextOutput.SetAttribute': declared({ This: 'pointer', Attribute: 'uintn' }),
  'SimpleTextOutput.ClearScreen': declared({ This: 'pointer' }),
  'SimpleTextOutput.SetCursorPosition': declared({ This: 'pointer', Column: 'uintn', Row: 'uintn' }),
  'SimpleTextOutput.EnableCursor': declared({ This: 'pointer', Visible: 'boolean' }),
  'SimpleTextInput.Reset': declared({ This: 'pointer', ExtendedVerification: 'boolean' }),
  'SimpleTextInput.ReadKeyStroke': declared({ This: 'pointer', Key: 'pointer' }),
};

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
  // WaitForKey must be an event; the handle's address serves, nobody can wait on it yet
  const inputFunctions = functions('SimpleTextInput', textInputFunctions);
  const input = write(SimpleTextInputProtocol, { ...inputFunctions, WaitForKey: handle });
  if (override === 'present' || (override === undefined && 'SimpleTextOutput' in fw.profile.protocols)) {
    fw.handles.install(handle, Guid.EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL, output);
  }
  return { handle, output, input };
}
