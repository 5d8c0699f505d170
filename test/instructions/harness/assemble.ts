import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Machine code of instructions in GNU assembler syntax, one array a text. `folder` takes the temporary files. */
export function assemble(texts: readonly string[], bits: readonly number[], folder: string): Uint8Array[] {
  const source = join(folder, 'code.s');
  const object = join(folder, 'code.o');
  // Line n + 2 of the source is text n. The offsets of all labels go into a table of their own.
  const lines = [
    '.intel_syntax noprefix; .section .text',
    ...texts.map((text, i) => `L${String(i)}: .code${String(bits[i])}; ${text}`),
    `L${String(texts.length)}:`,
  ];
  const table = [
    '.section .offsets,"a"',
    ...Array.from({ length: texts.length + 1 }, (_, i) => `.long L${String(i)}-L0`),
  ];
  writeFileSync(source, `${[...lines, ...table].join('\n')}\n`);
  execFileSync('as', ['--64', '-o', object, source], { stdio: ['ignore', 'inherit', 'inherit'] });
  const section = (name: string): Uint8Array => {
    const file = join(folder, `code${name}`);
    execFileSync('objcopy', ['-O', 'binary', '-j', name, object, file]);
    return readFileSync(file);
  };
  const code = section('.text');
  const offsets = section('.offsets');
  const view = new DataView(offsets.buffer, offsets.byteOffset, offsets.byteLength);
  return texts.map((_, i) =>
    Uint8Array.from(code.subarray(view.getUint32(4 * i, true), view.getUint32(4 * i + 4, true))),
  );
}
