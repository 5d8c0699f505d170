import { damaged } from './bounds.js';
import { isBzImage, readSetup } from './bzimage.js';
import { CodecNotReady, type Codec } from './decompress/codec.js';
import { payloadCodec, unpackPayload, type Payload } from './decompress/index.js';
import { isElf, readElf } from './elf.js';
import { ImageError, type ElfImage, type LoadedImage, type UnpackTarget } from './image.js';
import { loadPieces } from './load-pieces.js';
import { hasPeHeader, isDosFile, readPe } from './pe.js';

export interface ReadImageOptions {
  /** Decoders of the host for payloads, preferred to the portable ones. */
  readonly codecs?: readonly Codec[];
}

/**
 * Reads a bzImage, a PE32+ EFI application or an ELF for x86-64 and checks every field that a door relies on.
 * `bytes` is kept, not copied: leave it unchanged. Throws ImageError.
 */
export function readImage(bytes: Uint8Array, options: ReadImageOptions = {}): LoadedImage {
  refuseStrangers(bytes);
  if (isElf(bytes)) {
    const elf = readElf(bytes);
    return { kind: 'elf', bytes, prepare: () => Promise.resolve(), elf: () => elf };
  }
  if (isBzImage(bytes)) return readBzImage(bytes, options);
  if (isDosFile(bytes)) {
    return { kind: 'pe', bytes, pe: readPe(bytes), prepare: () => Promise.resolve(), elf: () => undefined };
  }
  throw new ImageError(
    `no bzImage ("HdrS" at offset 0x202), PE file ("MZ" at 0x0) or ELF (7f "ELF" at 0x0) in these ${String(bytes.length)} bytes: give a kernel such as /boot/vmlinuz-VERSION or an EFI application`,
    0,
  );
}

function readBzImage(bytes: Uint8Array, { codecs = [] }: ReadImageOptions): LoadedImage {
  const setup = readSetup(bytes);
  const pe = hasPeHeader(bytes) ? readPe(bytes) : undefined;
  const payload: Payload = {
    bytes: bytes.subarray(setup.payloadOffset, setup.payloadOffset + setup.payloadBytes),
    offset: setup.payloadOffset,
    initSize: setup.initSize,
    codecs,
  };
  let result: ElfImage | ImageError | undefined;
  let target: UnpackTarget | undefined;
  return {
    kind: 'bzimage',
    bytes,
    setup,
    ...(pe === undefined ? {} : { pe }),
    async prepare() {
      try {
        await payloadCodec(payload.bytes, codecs)?.prepare?.();
      } catch {
        // elf() says what is missing
      }
    },
    elf() {
      if (result === undefined) {
        try {
          const loaded = target === undefined ? undefined : loadPieces(payload, target);
          result = loaded ?? readElf(unpackPayload(payload));
        } catch (error) {
          if (error instanceof CodecNotReady) throw new ImageError(error.message, setup.payloadOffset);
          if (!(error instanceof ImageError)) throw error;
          result = error;
        }
      }
      if (result instanceof ImageError) throw result;
      return result;
    },
    unpackInto(next) {
      target = next;
      if (result !== undefined && !(result instanceof ImageError) && result.loadedInto !== undefined)
        result = undefined;
    },
    release() {
      if (result === undefined || result instanceof ImageError) return undefined;
      const unpacked = result.bytes;
      result = undefined;
      return unpacked.buffer === bytes.buffer ? undefined : unpacked; // a payload may be stored as it is
    },
  };
}

/** Names what people hand over by mistake, with what to do. */
function refuseStrangers(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new ImageError(`the image is empty (0 bytes): ${damaged}`, 0);
  const starts = (offset: number, ...magic: number[]): boolean => magic.every((byte, i) => bytes[offset + i] === byte);
  if (starts(56, 0x41, 0x52, 0x4d, 0x64)) {
    throw new ImageError(
      '"ARM\\x64" at offset 0x38: an arm64 kernel; efikit emulates x86-64, take the amd64 kernel',
      56,
    );
  }
  if (starts(4, 0x7a, 0x69, 0x6d, 0x67)) {
    throw new ImageError(
      '"zimg" at offset 0x4: an EFI zboot kernel (arm64, RISC-V or LoongArch); efikit emulates x86-64, take the amd64 kernel',
      4,
    );
  }
  const wrapper = starts(0, 0x1f, 0x8b)
    ? 'gzip (unpack it with "gunzip")'
    : starts(0, 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)
      ? 'XZ (unpack it with "unxz")'
      : starts(0, 0x28, 0xb5, 0x2f, 0xfd)
        ? 'Zstandard (unpack it with "unzstd")'
        : undefined;
  if (wrapper !== undefined) {
    throw new ImageError(
      `the file itself is compressed with ${wrapper}: unpack it first, then give the kernel (an initrd goes to --initrd)`,
      0,
    );
  }
}
