/** The toolstack asked for an event channel that cannot be had. */
export class EventChannelError extends Error {
  override readonly name = 'EventChannelError';
  readonly code = 'EVENT_CHANNEL';
}
