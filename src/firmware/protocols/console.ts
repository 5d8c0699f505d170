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
import { Status } from '../../../firmware-tables/uefi/status.js';
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
  const write = (bytes: Uint8Array, what: string): bigint => {
    const address = memory.allocatePool(data, bytes.length, what);
    memory.write(address, bytes);
    return BigInt(address);
  };
  const mode = write(SimpleTextOutputMode.encode({ MaxMode: 1, Attribute: 0x07 }), 'the console mode');
  const output = write(
    SimpleTextOutputProtocol.encode({ ...functions('SimpleTextOutput', textOutputFunctions), Mode: mode }),
    'the console output protocol',
  );
  const input = write(
    // WaitForKey must be an event; the handle's address serves, nobody can wait on it yet
    SimpleTextInputProtocol.encode({ ...functions('SimpleTextInput', textInputFunctions), WaitForKey: handle }),
    'the console input protocol',
  );
  if (override === 'present' || (override === undefined && 'SimpleTextOutput' in fw.profile.protocols)) {
    fw.handles.install(handle, Guid.EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL, output);
  }
  return { handle, output, input };
}
