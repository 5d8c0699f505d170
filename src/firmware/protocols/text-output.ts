import { SimpleTextOutputMode } from '../../../firmware-tables/uefi/protocols/simple-text-output.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import type { Firmware } from '../firmware.js';
import { service } from '../service.js';

/** The one mode there is, as UEFI 2.10 section 12.4.1 wants it. */
const columns = 80;
const rows = 25;

const escape = '\u001b[';
/** Colours of ECMA-48 by EFI's: black, blue, green, cyan, red, magenta, brown, light grey. UEFI 2.10 section 12.4.7. */
const colours = [0, 4, 2, 6, 1, 5, 3, 7] as const;
const bright = 8;
const highestAttribute = 0x7f;
const lightGreyOnBlack = 0x07;

type Mode = ReturnType<typeof SimpleTextOutputMode.decode>;

function readMode(fw: Firmware): Mode {
  return SimpleTextOutputMode.decode(fw.host.memory.readPhysical(fw.textMode, SimpleTextOutputMode.size));
}

/** Where there is a cursor: changes what SIMPLE_TEXT_OUTPUT_MODE says. */
function changeMode(fw: Firmware, change: (mode: Mode) => Partial<Mode>): void {
  if (fw.textMode === 0) return;
  const mode = readMode(fw);
  fw.host.memory.writePhysical(fw.textMode, SimpleTextOutputMode.encode({ ...mode, ...change(mode) }));
}

/** Where the cursor stands behind a text. The last row scrolls. */
function cursorBehind(text: string, from: { readonly column: number; readonly row: number }) {
  let { column, row } = from;
  for (const character of text) {
    if (character === '\r') column = 0;
    else if (character === '\n') row++;
    else if (character === '\b') column = Math.max(0, column - 1);
    else if (++column === columns) {
      column = 0;
      row++;
    }
  }
  return { CursorColumn: column, CursorRow: Math.min(row, rows - 1) };
}

/** EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL.OutputString(). UEFI 2.10 section 12.4.3. */
const OutputString = service({ This: 'pointer', String: 'string16' }, (fw, { String: text }) => {
  if (text === undefined) return Status.INVALID_PARAMETER;
  fw.host.print(text);
  changeMode(fw, ({ CursorColumn, CursorRow }) => cursorBehind(text, { column: CursorColumn, row: CursorRow }));
  return Status.SUCCESS;
});

/** EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL.TestString(): a terminal shows every character. UEFI 2.10 section 12.4.4. */
const TestString = service({ This: 'pointer', String: 'string16' }, (_fw, { String: text }) =>
  text === undefined ? Status.INVALID_PARAMETER : Status.SUCCESS,
);

/** EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL.QueryMode(). UEFI 2.10 section 12.4.5. */
const QueryMode = service(
  { This: 'pointer', ModeNumber: 'uintn', Columns: 'pointer', Rows: 'pointer' },
  (fw, { ModeNumber, Columns, Rows }) => {
    if (ModeNumber !== 0n) return Status.UNSUPPORTED;
    fw.guest.writeU64(Columns, BigInt(columns));
    fw.guest.writeU64(Rows, BigInt(rows));
    return Status.SUCCESS;
  },
);

function clear(fw: Firmware): void {
  fw.host.print(`${escape}2J${escape}H`);
  changeMode(fw, () => ({ CursorColumn: 0, CursorRow: 0 }));
}

function setAttribute(fw: Firmware, attribute: number): void {
  const foreground = attribute & 0x0f;
  const isBright = foreground >= bright;
  const codes = [0, ...(isBright ? [1] : []), 30 + (colours[foreground & 7] ?? 7), 40 + (colours[attribute >> 4] ?? 0)];
  fw.host.print(`${escape}${codes.join(';')}m`);
  changeMode(fw, () => ({ Attribute: attribute }));
}

/** EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL.Reset(). UEFI 2.10 section 12.4.2. */
const Reset = service({ This: 'pointer', ExtendedVerification: 'boolean' }, (fw) => {
  setAttribute(fw, lightGreyOnBlack);
  clear(fw);
  return Status.SUCCESS;
});

/** EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL.SetMode(). UEFI 2.10 section 12.4.6. */
const SetMode = service({ This: 'pointer', ModeNumber: 'uintn' }, (fw, { ModeNumber }) => {
  if (ModeNumber !== 0n) return Status.UNSUPPORTED;
  clear(fw);
  return Status.SUCCESS;
});

/** EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL.SetAttribute(). UEFI 2.10 section 12.4.7. */
const SetAttribute = service({ This: 'pointer', Attribute: 'uintn' }, (fw, { Attribute }) => {
  if (Attribute > BigInt(highestAttribute)) return Status.UNSUPPORTED;
  setAttribute(fw, Number(Attribute));
  return Status.SUCCESS;
});

/** EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL.ClearScreen(). UEFI 2.10 section 12.4.8. */
const ClearScreen = service({ This: 'pointer' }, (fw) => {
  clear(fw);
  return Status.SUCCESS;
});

/** EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL.SetCursorPosition(). UEFI 2.10 section 12.4.9. */
const SetCursorPosition = service({ This: 'pointer', Column: 'uintn', Row: 'uintn' }, (fw, { Column, Row }) => {
  if (Column >= BigInt(columns) || Row >= BigInt(rows)) return Status.UNSUPPORTED;
  fw.host.print(`${escape}${String(Row + 1n)};${String(Column + 1n)}H`);
  changeMode(fw, () => ({ CursorColumn: Number(Column), CursorRow: Number(Row) }));
  return Status.SUCCESS;
});

/** EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL.EnableCursor(). UEFI 2.10 section 12.4.10. */
const EnableCursor = service({ This: 'pointer', Visible: 'boolean' }, (fw, { Visible }) => {
  fw.host.print(`${escape}?25${Visible ? 'h' : 'l'}`);
  changeMode(fw, () => ({ CursorVisible: Visible ? 1 : 0 }));
  return Status.SUCCESS;
});

/** A terminal of ECMA-48 as a text console. UEFI 2.10 section 12.4. */
export const textOutputServices = {
  'SimpleTextOutput.Reset': Reset,
  'SimpleTextOutput.OutputString': OutputString,
  'SimpleTextOutput.TestString': TestString,
  'SimpleTextOutput.QueryMode': QueryMode,
  'SimpleTextOutput.SetMode': SetMode,
  'SimpleTextOutput.SetAttribute': SetAttribute,
  'SimpleTextOutput.ClearScreen': ClearScreen,
  'SimpleTextOutput.SetCursorPosition': SetCursorPosition,
  'SimpleTextOutput.EnableCursor': EnableCursor,
};
