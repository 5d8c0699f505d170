/** What happens between firmware and guest besides calls of services; the log of calls would have gaps without it. */
export interface FirmwareEvent {
  /** An image is entered; an image returned from its entry point; an exception or interrupt came while the firmware's IDT was loaded. */
  readonly event: 'image-entry' | 'image-return' | 'exception';
  /** Readable, by name: handle, status, vector ... */
  readonly details: Readonly<Record<string, string>>;
  /** Guest-virtual: the entry point, where the image returned to, the instruction that faulted; undefined when unknown. */
  readonly address: bigint | undefined;
  /** Virtual time, in ticks. */
  readonly tick: number;
  /** The image that is entered. Guest-physical. */
  readonly image?: { readonly base: number; readonly bytes: number };
}

/** An image is about to run, in memory from `base` on; `commandLine` where the firmware has one for it. */
export function imageEntry(
  tick: number,
  handle: bigint,
  image: { readonly base: number; readonly bytes: number; readonly entryPoint: number },
  commandLine?: string,
): FirmwareEvent {
  const { base, bytes, entryPoint } = image;
  const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
  const details = {
    ImageHandle: hex(handle),
    ImageBase: hex(base),
    ImageSize: hex(bytes),
    ...(commandLine === undefined ? {} : { CommandLine: JSON.stringify(commandLine) }),
  };
  return { event: 'image-entry', details, address: BigInt(entryPoint), tick, image: { base, bytes } };
}
