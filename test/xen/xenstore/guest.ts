import { XenStoreInterface, XsdSockmsg, XsdType } from '../../../firmware-tables/xen/xenstore-ring.js';
import { XenStoreRing } from '../../../src/xen/xenstore/xenstore-ring.js';
import { XenStore } from '../../../src/xen/xenstore/xen-store.js';

export const description = {
  name: 'guest',
  uuid: '11111111-2222-3333-4444-555555555555',
  memoryKiB: 262144,
} as const;

/** A message as the guest finds it. */
export interface Received {
  readonly type: number;
  readonly req_id: number;
  readonly tx_id: number;
  readonly payload: string;
}

type Field = Parameters<typeof XenStoreInterface.offsetOf>[0];

/** The guest's side of the ring, with a store at the other end. */
export class RingGuest {
  readonly view: DataView;
  readonly ring: XenStoreRing;
  readonly lines: string[] = [];
  signals = 0;
  private unread: number[] = [];
  private nextRequest = 1;

  constructor(
    readonly store = new XenStore(description),
    readonly page = new Uint8Array(4096),
  ) {
    this.view = new DataView(page.buffer, page.byteOffset, page.byteLength);
    this.ring = new XenStoreRing(page, store, () => {
      this.signals++;
    });
    this.ring.onMessage = (line) => this.lines.push(line);
  }

  get(field: Field): number {
    return this.view.getUint32(XenStoreInterface.offsetOf(field), true);
  }

  set(field: Field, value: number): void {
    this.view.setUint32(XenStoreInterface.offsetOf(field), value, true);
  }

  /** Puts bytes into req[] without an event; there must be room. */
  put(bytes: Uint8Array): void {
    const first = this.get('req_prod');
    bytes.forEach((byte, i) => (this.page[(first + i) % 1024] = byte));
    this.set('req_prod', (first + bytes.length) >>> 0);
  }

  /** Sends bytes as the ring has room for them, taking what comes back. Gives up when the ring is not read. */
  send(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const room = 1024 - ((this.get('req_prod') - this.get('req_cons')) >>> 0);
      if (room === 0) return;
      const part = bytes.subarray(at, at + room);
      this.put(part);
      at += part.length;
      this.ring.onNotify();
      this.takeAll();
    }
  }

  /** All messages that have come in full. */
  receive(): Received[] {
    const messages: Received[] = [];
    this.takeAll();
    let at = 0;
    while (this.unread.length - at >= XsdSockmsg.size) {
      const body = at + XsdSockmsg.size;
      const { len, ...header } = XsdSockmsg.decode(Uint8Array.from(this.unread.slice(at, body)));
      if (this.unread.length < body + len) break;
      messages.push({ ...header, payload: String.fromCharCode(...this.unread.slice(body, body + len)) });
      at = body + len;
    }
    this.unread.splice(0, at);
    return messages;
  }

  /** Asks, and gives everything that comes back: events, and the reply. */
  exchange(type: keyof typeof XsdType, payload: string, transaction = 0): Received[] {
    this.send(message(XsdType[type], payload, this.nextRequest++, transaction));
    return this.receive();
  }

  /** Asks, and gives the reply as text: its payload, or the error's name. NULs are shown as "|". */
  ask(type: keyof typeof XsdType, payload: string, transaction = 0): string {
    const reply = this.exchange(type, payload, transaction).find((received) => received.type !== XsdType.WATCH_EVENT);
    return (reply?.payload ?? '(no reply)').replaceAll('\0', '|');
  }

  private takeAll(): void {
    while (this.takeBytes()) this.ring.onNotify();
  }

  private takeBytes(): boolean {
    const first = this.get('rsp_cons');
    const count = (this.get('rsp_prod') - first) >>> 0;
    for (let i = 0; i < count; i++) this.unread.push(this.page[1024 + ((first + i) % 1024)] ?? 0);
    this.set('rsp_cons', (first + count) >>> 0);
    return count > 0;
  }
}

/** A request as it stands in the ring. */
export function message(type: number, payload: string, req_id = 1, tx_id = 0): Uint8Array {
  const body = Uint8Array.from(payload, (character) => character.charCodeAt(0));
  return Uint8Array.of(...XsdSockmsg.encode({ type, req_id, tx_id, len: body.length }), ...body);
}
