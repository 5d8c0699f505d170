/** Keys out of the bytes that a terminal sends. */

/** A key as EFI_INPUT_KEY has it. UEFI 2.10 section 12.3.3. */
export interface Key {
  readonly scanCode: number;
  readonly unicode: number;
}

/** Scan codes, UEFI 2.10 table 12-2, by what follows ESC on an ANSI terminal (ECMA-48, xterm). */
const sequences: Readonly<Record<string, number>> = {
  '[A': 0x01, // up
  '[B': 0x02,
  '[C': 0x03, // right
  '[D': 0x04,
  '[H': 0x05, // home
  '[1~': 0x05,
  '[F': 0x06, // end
  '[4~': 0x06,
  '[2~': 0x07, // insert
  '[3~': 0x08, // delete
  '[5~': 0x09, // page up
  '[6~': 0x0a,
  OP: 0x0b, // F1
  OQ: 0x0c,
  OR: 0x0d,
  OS: 0x0e,
  '[15~': 0x0f,
  '[17~': 0x10,
  '[18~': 0x11,
  '[19~': 0x12,
  '[20~': 0x13,
  '[21~': 0x14, // F10
};
const escape = 0x1b;
const escapeScanCode = 0x17;
const longest = Math.max(...Object.keys(sequences).map(({ length }) => length));
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const backspace = 0x08;
const rubOut = 0x7f;

/** What was typed and not read. */
export class Keyboard {
  private bytes: number[] = [];

  /** `take` gives the next byte of the terminal. */
  constructor(private readonly take: () => number | undefined) {}

  get waits(): boolean {
    this.fill(1);
    return this.bytes.length > 0;
  }

  /** The next key; undefined when none waits. */
  read(): Key | undefined {
    this.fill(1 + longest);
    const [first] = this.bytes;
    if (first === undefined) return undefined;
    this.bytes.shift();
    if (first === escape) return { scanCode: this.sequence() ?? escapeScanCode, unicode: 0 };
    const unicode = first === lineFeed ? carriageReturn : first === rubOut ? backspace : first;
    return { scanCode: 0, unicode };
  }

  /** What was typed is forgotten. */
  clear(): void {
    while (this.waits) this.bytes = [];
  }

  save(): readonly number[] {
    return [...this.bytes];
  }

  restore(bytes: readonly number[]): void {
    this.bytes = [...bytes];
  }

  private fill(count: number): void {
    while (this.bytes.length < count) {
      const byte = this.take();
      if (byte === undefined) return;
      this.bytes.push(byte);
    }
  }

  private sequence(): number | undefined {
    for (let length = longest; length > 0; length--) {
      const scanCode = sequences[String.fromCharCode(...this.bytes.slice(0, length))];
      if (scanCode === undefined) continue;
      this.bytes.splice(0, length);
      return scanCode;
    }
    return undefined;
  }
}
