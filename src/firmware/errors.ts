/** The firmware cannot do what the caller of the library asked; the message says what to change. */
export class FirmwareError extends Error {
  override readonly name = 'FirmwareError';
  readonly code = 'FIRMWARE';
}
