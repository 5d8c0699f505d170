import { VariableFormatError } from './errors.js';
import { isStore } from './store-format.js';

/** A format that variables come in and go out in. */
export interface ForeignFormat {
  readonly kind: 'json' | 'ovmf' | 'qcow2';
  readonly description: string;
}

const json: ForeignFormat = { kind: 'json', description: 'a JSON variable store of QEMU' };
const ovmf: ForeignFormat = { kind: 'ovmf', description: 'an OVMF_VARS image' };
const qcow2: ForeignFormat = { kind: 'qcow2', description: 'a qcow2 image' };

/** Says from its first bytes what a file is. undefined: nothing that is known. */
export function recognise(bytes: Uint8Array): 'store' | ForeignFormat | undefined {
  if (isStore(bytes)) return 'store';
  if (hasText(bytes, 0, 'QFI\xfb')) return qcow2;
  if (hasText(bytes, 0x28, '_FVH')) return ovmf;
  const first = bytes.find((byte) => byte > 0x20);
  return first === 0x7b ? json : undefined; // an object
}

/** The refusal of a qcow2 image, with the command that helps. */
export function qcow2Error(file: string): VariableFormatError {
  const raw = file.replace(/(\.qcow2)?$/, '.fd');
  return new VariableFormatError(
    `${file}: a qcow2 image; unpack it first: qemu-img convert -f qcow2 -O raw ${quoted(file)} ${quoted(raw)}`,
  );
}

/** A file name as a shell takes it. */
const quoted = (file: string): string => (/^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`);

const hasText = (bytes: Uint8Array, offset: number, text: string): boolean =>
  Array.from(text).every((character, i) => bytes[offset + i] === character.charCodeAt(0));
