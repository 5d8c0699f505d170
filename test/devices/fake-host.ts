import type { TimerHost } from '../../src/devices/local-apic-timer.js';

/** A host whose clock the test moves; `tscOffset` is TSC minus ticks. */
export class FakeHost implements TimerHost {
  tick = 0;
  tscOffset = 0n;
  readonly events = new Map<string, number>();
  onEvent: (name: string) => void = () => undefined;

  now(): number {
    return this.tick;
  }
  schedule(name: string, tick: number): void {
    this.events.set(name, tick);
  }
  cancel(name: string): void {
    this.events.delete(name);
  }
  tscToTicks(tsc: bigint): number {
    return Number(tsc - this.tscOffset);
  }

  /** Moves the clock to `tick` and fires what falls due on the way, each at its own time. */
  advanceTo(tick: number): void {
    for (;;) {
      const due = [...this.events].filter(([, at]) => at <= tick).sort((a, b) => a[1] - b[1])[0];
      if (due === undefined) break;
      this.events.delete(due[0]);
      this.tick = Math.max(this.tick, due[1]);
      this.onEvent(due[0]);
    }
    this.tick = tick;
  }
}
