/** A file of an archive; folders above it must be there already. */
export interface CpioFile {
  /** Path without a leading slash. */
  readonly name: string;
  readonly data: Uint8Array;
}

const executable = 0o100755;

/**
 * A cpio archive in the format "newc", every file executable. Linux Documentation/driver-api/early-userspace/
 * buffer-format.rst: thirteen fields of eight hexadecimal digits after the magic number, name and data padded to 4 bytes.
 */
export function cpio(files: readonly CpioFile[]): Uint8Array {
  const trailer = { name: 'TRAILER!!!', data: new Uint8Array() };
  return Buffer.concat([...files, trailer].flatMap((file, index) => member(file, index + 1)));
}

function member({ name, data }: CpioFile, inode: number): Uint8Array[] {
  const fields = [inode, executable, 0, 0, 1, 0, data.length, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0];
  const head = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`);
  return [head, padding(head.length), data, padding(data.length)];
}

/** Zero bytes up to the next multiple of 4. */
export const padding = (length: number): Uint8Array => new Uint8Array(-length & 3);
