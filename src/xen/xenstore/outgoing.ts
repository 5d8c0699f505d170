import { XsdSockmsg, XsdType } from '../../../firmware-tables/xen/xenstore-ring.js';

/** A message on its way to the guest; the payload has one character a byte. */
export interface OutgoingMessage {
  readonly type: number;
  readonly req_id: number;
  readonly tx_id: number;
  readonly payload: string;
}

/** Replies and watch events that wait for room in the ring, first come, first served. */
export class OutgoingQueue {
  private messages: OutgoingMessage[] = [];
  private left = 0; // of `messages`, those that have left: a shift() of a long list costs its length
  private readonly events = new Set<string>();
  private eventCount = 0;
  private byteCount = 0;

  get first(): OutgoingMessage | undefined {
    return this.messages[this.left];
  }

  /** Messages that answer a request. */
  get replies(): number {
    return this.messages.length - this.left - this.eventCount;
  }

  /** Bytes of all messages with their headers. */
  get bytes(): number {
    return this.byteCount;
  }

  /** Whether an event with this payload waits. */
  hasEvent(payload: string): boolean {
    return this.events.has(payload);
  }

  push(message: OutgoingMessage): void {
    this.messages.push(message);
    this.byteCount += messageBytes(message);
    if (message.type !== XsdType.WATCH_EVENT) return;
    this.eventCount++;
    this.events.add(message.payload);
  }

  /** The first message has left. */
  shift(): void {
    const message = this.first;
    if (message === undefined) return;
    this.left++;
    if (this.left * 2 >= this.messages.length) {
      this.messages = this.messages.slice(this.left);
      this.left = 0;
    }
    this.byteCount -= messageBytes(message);
    if (message.type !== XsdType.WATCH_EVENT) return;
    this.eventCount--;
    this.events.delete(message.payload);
  }

  clear(): void {
    this.messages = [];
    this.events.clear();
    this.left = this.eventCount = this.byteCount = 0;
  }

  save(): readonly OutgoingMessage[] {
    return this.messages.slice(this.left);
  }

  restore(messages: readonly OutgoingMessage[]): void {
    this.clear();
    for (const message of messages) this.push(message);
  }
}

export const messageBytes = ({ payload }: Pick<OutgoingMessage, 'payload'>): number => XsdSockmsg.size + payload.length;

/** The message as it stands in the ring. */
export function messageOf(message: OutgoingMessage): Uint8Array {
  const { type, req_id, tx_id, payload } = message;
  const bytes = new Uint8Array(messageBytes(message));
  bytes.set(XsdSockmsg.encode({ type, req_id, tx_id, len: payload.length }));
  for (let i = 0; i < payload.length; i++) bytes[XsdSockmsg.size + i] = payload.charCodeAt(i);
  return bytes;
}
