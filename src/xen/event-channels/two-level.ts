import { Errno } from '../errno.js';
import type { EventAbi, EventDelivery } from './abi.js';
import type { Port } from './port.js';
import type { SharedPage } from './shared-page.js';

/**
 * The 2-level ABI: a pending and a mask bit for every port in shared_info, a selector bit for every word of pending bits
 * in vcpu_info. Xen common/event_2l.c.
 */
export class TwoLevelAbi implements EventAbi {
  constructor(
    private readonly page: SharedPage,
    private readonly delivery: EventDelivery,
  ) {}

  get maxPorts(): number {
    return this.page.wordBits ** 2;
  }

  initialise(): void {
    // Pending and mask bits stay as they are.
  }

  setPending(port: Port): void {
    const { page } = this;
    if (page.shared.setBit(page.pendingOffset, port.number)) return;
    if (!this.isMasked(port)) this.#select(port);
    this.delivery.wakePollers(port.number);
  }

  clearPending(port: Port): void {
    this.page.shared.clearBit(this.page.pendingOffset, port.number);
  }

  unmask(port: Port): void {
    if (this.page.shared.clearBit(this.page.maskOffset, port.number) && this.isPending(port)) this.#select(port);
  }

  #select(port: Port): void {
    if (!this.page.setSelector(Math.floor(port.number / this.page.wordBits))) this.delivery.markEventsPending();
  }

  isPending(port: Port): boolean {
    return this.page.shared.testBit(this.page.pendingOffset, port.number);
  }

  isMasked(port: Port): boolean {
    return this.page.shared.testBit(this.page.maskOffset, port.number);
  }

  isBusy(): boolean {
    return false;
  }

  setPriority(): number {
    return Errno.ENOSYS;
  }
}
