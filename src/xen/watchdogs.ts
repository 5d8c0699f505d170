import type { Stateful } from '../devices/device.js';
import { reachable } from './domain-time.js';
import { Errno } from './errno.js';
import type { XenHost } from './host.js';

const count = 2;
const nanosecondsPerSecond = 1_000_000_000;
const eventName = (index: number): string => `xen watchdog ${String(index + 1)}`;

/** SCHEDOP_watchdog: timers that end the domain unless it sets them again. domain_watchdog() of xen/common/sched/core.c. */
export class Watchdogs implements Stateful<readonly boolean[]> {
  private readonly used = new Array<boolean>(count).fill(false);

  constructor(private readonly host: XenHost) {}

  /** Timer `id`, or a free one for 0, to `seconds` from now; 0 seconds give it back. The number of a new timer, 0, or an errno. */
  set(id: number, seconds: number): number {
    if (id > count) return Errno.EINVAL;
    if (id === 0) {
      const free = this.used.indexOf(false);
      if (free < 0) return Errno.ENOSPC;
      this.used[free] = true;
      this.arm(free, seconds);
      return free + 1;
    }
    if (this.used[id - 1] !== true) return Errno.EINVAL;
    if (seconds === 0) {
      this.used[id - 1] = false;
      this.host.cancel(eventName(id - 1));
    } else this.arm(id - 1, seconds);
    return 0;
  }

  /** Whether the event is a watchdog's. */
  owns(name: string): boolean {
    return this.used.some((_, index) => eventName(index) === name);
  }

  save(): readonly boolean[] {
    return [...this.used];
  }

  restore(state: readonly boolean[]): void {
    state.forEach((used, index) => (this.used[index] = used));
  }

  private arm(index: number, seconds: number): void {
    this.host.schedule(eventName(index), reachable(this.host.now() + seconds * nanosecondsPerSecond));
  }
}
