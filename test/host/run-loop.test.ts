import { expect } from 'chai';
import { noInput } from '../../src/host/console-input.js';
import { runMachine, type InputSource, type RunnableMachine } from '../../src/host/run-loop.js';
import type { Outcome } from '../../src/machine.js';

/** A guest that runs `busy` instructions after each of its timers, which are `gap` ticks apart, and halts in between. */
class FakeGuest implements RunnableMachine {
  outcome: Outcome | undefined;
  idle = false;
  ticks = 0;
  instructions = 0;
  readonly slices: number[] = [];
  readonly skips: number[] = [];
  private left: number;

  constructor(
    private readonly busy: number,
    private readonly gap: number | undefined,
    private readonly costPerSlice = 0,
  ) {
    this.left = busy;
  }

  run(ticks: number): void {
    this.slices.push(ticks);
    const until = performance.now() + this.costPerSlice;
    while (performance.now() < until);
    const now = Math.min(ticks, this.left);
    this.ticks += now;
    this.instructions += now;
    this.left -= now;
    this.idle = this.left === 0;
  }

  idleUntil(): number | undefined {
    return this.gap === undefined ? undefined : this.ticks + this.gap;
  }

  skipTo(tick: number): void {
    this.skips.push(tick - this.ticks);
    this.ticks = tick;
    this.left = this.busy;
  }

  end(outcome: Outcome): void {
    this.outcome ??= outcome;
  }
}

function openInput(): InputSource & { arrive(): void; close(): void } {
  let wake: (() => void) | undefined;
  return {
    open: true,
    waiting: false,
    deliver: () => false,
    changed() {
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
    arrive() {
      wake?.();
    },
    close() {
      Object.assign(this, { open: false });
      wake?.();
    },
  };
}

describe("the host's loop", () => {
  it('stops exactly at --max-instructions', async () => {
    const guest = new FakeGuest(Infinity, 1000);
    const outcome = await runMachine(guest, { input: noInput, maxInstructions: 1_234_567 });
    expect(outcome.outcome).to.equal('limit');
    expect(guest.instructions).to.equal(1_234_567);
  });

  it('turns the event loop every few milliseconds while the guest spins, so that --timeout and signals work', async () => {
    const guest = new FakeGuest(Infinity, 1000, 1);
    let turns = 0;
    const count = setInterval(() => turns++, 1);
    const started = performance.now();
    const outcome = await runMachine(guest, { input: noInput, timeoutSeconds: 0.2 });
    clearInterval(count);
    expect(outcome).to.deep.equal({ outcome: 'limit', reason: '--timeout 0.2 seconds have passed' });
    expect(performance.now() - started).to.be.within(190, 400);
    expect(turns).to.be.greaterThan(10);
  });

  it('leaves within 50 ms of an abort', async () => {
    const guest = new FakeGuest(Infinity, 1000, 1);
    const leave = new AbortController();
    let asked = 0;
    setTimeout(() => {
      asked = performance.now();
      leave.abort('left by Ctrl-A x');
    }, 30);
    const outcome = await runMachine(guest, { input: noInput, signal: leave.signal });
    expect(performance.now() - asked).to.be.lessThan(50);
    expect(outcome.reason).to.equal('left by Ctrl-A x');
  });

  it('makes slices longer while they end early and shorter when they take too long', async () => {
    const quick = new FakeGuest(Infinity, 1000);
    await runMachine(quick, { input: noInput, maxInstructions: 50_000_000 });
    expect(Math.max(...quick.slices)).to.be.greaterThan(1_000_000);
    const slow = new FakeGuest(Infinity, 1000, 20);
    await runMachine(slow, { input: noInput, timeoutSeconds: 0.15 });
    expect(Math.min(...slow.slices)).to.be.lessThan(10_000);
  });

  it('jumps to the next timer when no input can come', async () => {
    const guest = new FakeGuest(1000, 3_600e9);
    const started = performance.now();
    await runMachine(guest, { input: noInput, maxInstructions: 10_000 });
    expect(guest.ticks).to.be.greaterThan(9 * 3_600e9);
    expect(performance.now() - started).to.be.lessThan(1000);
  });

  it('waits by the wall clock for the next timer while input is open, and skips to it exactly', async () => {
    const guest = new FakeGuest(1000, 30e6);
    const started = performance.now();
    await runMachine(guest, { input: openInput(), maxInstructions: 3000 });
    expect(performance.now() - started).to.be.within(55, 300);
    expect(new Set(guest.skips)).to.deep.equal(new Set([30e6]));
  });

  it('wakes at once for input', async () => {
    const guest = new FakeGuest(1000, 3_600e9);
    const input = openInput();
    setTimeout(() => {
      input.arrive();
    }, 20);
    const started = performance.now();
    await runMachine(guest, { input, maxInstructions: 2000 });
    expect(performance.now() - started).to.be.within(15, 300);
    expect(guest.skips[0]).to.be.within(10e6, 300e6);
  });

  it('ends a guest that nothing can wake: no timer, input over', async () => {
    const outcome = await runMachine(new FakeGuest(1000, undefined), { input: noInput });
    expect(outcome.outcome).to.equal('halted');
    const input = openInput();
    setTimeout(() => {
      input.close();
    }, 10);
    expect((await runMachine(new FakeGuest(1000, undefined), { input })).outcome).to.equal('halted');
  });

  it('ends a guest that does nothing but wait for a virtual day', async () => {
    const outcome = await runMachine(new FakeGuest(1000, 1e9), { input: noInput });
    expect(outcome.reason).to.match(/standard input has ended/);
  });
});
