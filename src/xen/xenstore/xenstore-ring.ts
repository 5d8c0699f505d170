import {
  XenStoreConnection,
  XenStoreFeature,
  XenStoreInterface,
  xenStorePayloadMax,
  XenStoreRingError,
  XsdSockmsg,
  XsdType,
} from '../../../firmware-tables/xen/xenstore-ring.js';
import type { Stateful } from '../../devices/device.js';
import { ByteRing } from '../byte-ring.js';
import { messageBytes, messageOf, OutgoingQueue, type OutgoingMessage } from './outgoing.js';
import { quotas } from './quotas.js';
import { eventLine, requestLine } from './transcript.js';
import type { XenStore } from './xen-store.js';

const at = (field: Parameters<typeof XenStoreInterface.offsetOf>[0]) => XenStoreInterface.offsetOf(field);
const requestPlace = { data: at('req'), size: 1024, cons: at('req_cons'), prod: at('req_prod') };
const replyPlace = { data: at('rsp'), size: 1024, cons: at('rsp_cons'), prod: at('rsp_prod') };

export interface XenStoreRingState {
  /** Bytes of a request that has not come in full. */
  readonly input: readonly number[];
  readonly outgoing: readonly OutgoingMessage[];
  /** Bytes of the first outgoing message that are in the ring already. */
  readonly sent: number;
  readonly stopped: boolean;
}

/**
 * The server's side of the xenstore ring, as xenstored 4.17 has it: requests are served in their order, replies and watch
 * events wait for room. Indices that are wrong and messages that are too long end the connection; the guest may ask for
 * a new one (RECONNECT). Xen docs/misc/xenstore-ring.txt. The page is the domain's, to save as well.
 */
export class XenStoreRing implements Stateful<XenStoreRingState> {
  /** The dialogue, a line for each request with its reply and for each event. */
  onMessage: (line: string) => void = () => undefined;

  private readonly requests: ByteRing;
  private readonly replies: ByteRing;
  private readonly view: DataView;
  private input = new Uint8Array(0);
  private readonly outgoing = new OutgoingQueue();
  private sent = 0;
  private stopped = false;
  private serving = false;
  /** Lines of events that the request at hand causes: they stand behind its own. */
  private linesBehind: string[] | undefined;

  /** `page`: 4096 bytes shared with the guest; `signal` sends the guest the store's event. */
  constructor(
    page: Uint8Array,
    private readonly store: XenStore,
    private readonly signal: () => void,
  ) {
    this.requests = new ByteRing(page, requestPlace);
    this.replies = new ByteRing(page, replyPlace);
    this.view = new DataView(page.buffer, page.byteOffset, page.byteLength);
    this.set('server_features', XenStoreFeature.RECONNECTION);
    const { connection } = store;
    connection.queuedBytes = () => this.outgoing.bytes;
    connection.onEvent = (path, token) => {
      this.onEvent(path, token);
    };
  }

  /** The guest sent an event: there are requests, or it took replies. */
  onNotify(): void {
    if (this.view.getUint32(at('connection'), true) === XenStoreConnection.RECONNECT) {
      this.reconnect();
      return;
    }
    if (this.stopped) return;
    this.serving = true;
    let moved = this.flush();
    while (this.mayRead()) {
      const taken = this.take();
      if (taken === 0) break;
      moved = true;
      this.flush();
    }
    this.serving = false;
    if (moved) this.signal();
  }

  save(): XenStoreRingState {
    const { sent, stopped } = this;
    return { input: Array.from(this.input), outgoing: this.outgoing.save(), sent, stopped };
  }

  restore(state: XenStoreRingState): void {
    this.input = Uint8Array.from(state.input);
    this.outgoing.restore(state.outgoing);
    this.sent = state.sent;
    this.stopped = state.stopped;
  }

  /** Requests stay in the ring while the guest leaves too much untaken. */
  private mayRead(): boolean {
    if (this.stopped) return false;
    return this.outgoing.replies < quotas.outstanding && this.store.connection.bytes < quotas.memory;
  }

  /** Takes the next part of a request, at most to its end, and serves what is complete. Gives the bytes taken. */
  private take(): number {
    if (this.requests.used === undefined) {
      this.stop(XenStoreRingError.RINGIDX, 'the request indices are further apart than the ring is long');
      return 0;
    }
    const { size } = XsdSockmsg;
    const wanted = this.input.length < size ? size : size + XsdSockmsg.decode(this.input).len;
    const part = this.requests.take(wanted - this.input.length);
    this.input = Uint8Array.of(...this.input, ...part);
    if (this.input.length < size) return part.length;
    const header = XsdSockmsg.decode(this.input);
    if (header.len > xenStorePayloadMax) {
      this.stop(XenStoreRingError.PROTO, `a request of ${String(header.len)} bytes`);
    } else if (this.input.length === size + header.len) {
      const payload = String.fromCharCode(...this.input.subarray(size));
      this.input = new Uint8Array(0);
      this.serve({ ...header, payload });
    }
    return part.length;
  }

  private serve(request: OutgoingMessage): void {
    const { type, req_id, tx_id, payload } = request;
    this.linesBehind = [];
    const reply = this.store.request(type, tx_id, payload);
    this.onMessage(requestLine(request, reply));
    for (const line of this.linesBehind) this.onMessage(line);
    this.linesBehind = undefined;
    this.outgoing.push({ type: reply.type, req_id, tx_id, payload: reply.payload });
    reply.then?.();
  }

  /** A watch fired. An event that waits already is not sent twice, and one that there is no memory for is lost. */
  private onEvent(path: string, token: string): void {
    const payload = `${path}\0${token}\0`;
    if (this.stopped || payload.length > xenStorePayloadMax) return;
    if (!path.startsWith('@') && this.outgoing.hasEvent(payload)) return;
    if (this.store.connection.bytes + messageBytes({ payload }) >= quotas.memory) return;
    const line = eventLine(path, token);
    if (this.linesBehind === undefined) this.onMessage(line);
    else this.linesBehind.push(line);
    this.outgoing.push({ type: XsdType.WATCH_EVENT, req_id: 0, tx_id: 0, payload });
    if (!this.serving && this.flush()) this.signal();
  }

  /** Writes what there is room for. True when something was written. */
  private flush(): boolean {
    let moved = false;
    for (let { first } = this.outgoing; first !== undefined; { first } = this.outgoing) {
      if (this.replies.used === undefined) {
        this.stop(XenStoreRingError.RINGIDX, 'the reply indices are further apart than the ring is long');
        break;
      }
      const bytes = messageOf(first);
      const put = this.replies.put(bytes.subarray(this.sent));
      moved ||= put > 0;
      this.sent += put;
      if (this.sent < bytes.length) break;
      this.outgoing.shift();
      this.sent = 0;
    }
    return moved;
  }

  /** Ends the connection: nothing is read or written until the guest asks for a new one. */
  private stop(error: number, why: string): void {
    this.onMessage(`the connection ends: ${why}`);
    this.set('error', error);
    this.clear();
    this.stopped = true;
  }

  /** "The ring reconnection feature". */
  private reconnect(): void {
    this.onMessage('the guest asks for a new connection');
    this.clear();
    this.stopped = false;
    this.requests.reset();
    this.replies.reset();
    this.set('error', XenStoreRingError.NONE);
    this.set('connection', XenStoreConnection.CONNECTED);
    this.signal();
  }

  private clear(): void {
    this.store.connection.reset();
    this.input = new Uint8Array(0);
    this.outgoing.clear();
    this.sent = 0;
  }

  private set(field: 'server_features' | 'connection' | 'error', value: number): void {
    this.view.setUint32(at(field), value, true);
  }
}
