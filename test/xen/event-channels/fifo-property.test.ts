import { expect } from 'chai';
import fc from 'fast-check';
import { EventChannels } from '../../../src/xen/event-channels/index.js';
import { Guest } from './domain.js';
import { LinuxGuest } from './linux-guest.js';

const ports = 12;

const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('send' as const), port: fc.integer({ min: 1, max: ports }) }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('step' as const), port: fc.constant(0) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constantFrom('mask' as const, 'unmask' as const, 'close' as const, 'bind' as const),
      port: fc.integer({ min: 1, max: ports }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('priority' as const),
      port: fc.integer({ min: 1, max: ports }),
      value: fc.constantFrom(0, 3, 7, 15),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('save' as const), port: fc.constant(0) }) },
);

/** What must be so, kept apart from the words and links in the guest's memory. */
class Model {
  readonly bound = new Set<number>();
  readonly priority = new Map<number, number>();
  readonly pending = new Set<number>();
  readonly masked = new Set<number>();
  readonly queues: number[][] = Array.from({ length: 16 }, () => []);

  linked(port: number): boolean {
    return this.queues.some((queue) => queue.includes(port));
  }

  link(port: number): void {
    if (this.pending.has(port) && !this.masked.has(port) && !this.linked(port))
      this.queues[this.priority.get(port)!]!.push(port);
  }

  /** What the guest finds next: the first of the first queue that has one. */
  next(): { queue: number; port: number } | undefined {
    const queue = this.queues.findIndex((each) => each.length > 0);
    return queue < 0 ? undefined : { queue, port: this.queues[queue]![0]! };
  }

  freePort(): number {
    let port = 1;
    while (this.bound.has(port) || this.linked(port)) port++;
    return port;
  }
}

describe('Xen event channels: a guest that takes FIFO queues as Linux does', () => {
  it('property: every event once, none lost, by priority and in the order of their coming', () => {
    fc.assert(
      fc.property(fc.array(command, { minLength: 1, maxLength: 120 }), (commands) => {
        const guest = new Guest().useFifo();
        const linux = new LinuxGuest(guest);
        const model = new Model();

        const bind = (): void => {
          const port = model.freePort();
          if (port > ports) return;
          expect(linux.channels.bindIpi(0), 'the lowest port that is free and unlinked').to.equal(port);
          model.bound.add(port);
          model.priority.set(port, 7);
        };
        const unmask = (port: number): void => {
          linux.unmask(port);
          model.masked.delete(port);
          if (model.bound.has(port)) model.link(port);
        };
        /** False when the guest has nothing to do. */
        const step = (): boolean => {
          const expected = model.next();
          const result = linux.step();
          if (result === false) {
            expect(expected, 'events are due and no upcall came').to.equal(undefined);
            return false;
          }
          if (linux.unlinked === undefined) {
            expect(expected, 'the guest went back to sleep').to.equal(undefined);
            return true;
          }
          expect(linux.unlinked).to.deep.equal(expected);
          const { queue, port } = linux.unlinked;
          model.queues[queue]!.shift();
          const due = model.pending.has(port) && !model.masked.has(port);
          expect(result, 'the handler runs for what is pending and not masked').to.equal(due ? port : undefined);
          if (due) model.pending.delete(port);
          return true;
        };

        for (let port = 1; port <= ports; port++) model.masked.add(port);
        for (let port = 1; port <= ports; port++) {
          bind();
          unmask(port);
        }
        for (const each of commands) {
          const { op, port } = each;
          if (op === 'step') step();
          else if (op === 'mask') {
            linux.mask(port);
            model.masked.add(port);
          } else if (op === 'unmask') unmask(port);
          else if (op === 'bind') bind();
          else if (op === 'save') {
            const restored = new EventChannels(guest.memory, () => guest.upcalls++);
            restored.restore(JSON.parse(JSON.stringify(linux.channels.save())) as ReturnType<EventChannels['save']>);
            linux.channels = restored;
          } else if (model.bound.has(port)) {
            if (op === 'send') {
              model.pending.add(port);
              model.link(port);
              expect(linux.channels.send(port)).to.equal(0);
            } else if (op === 'priority') {
              model.priority.set(port, each.value);
              expect(linux.channels.setPriority(port, each.value)).to.equal(0);
            } else {
              expect(linux.channels.close(port)).to.equal(0);
              model.bound.delete(port);
              model.pending.delete(port);
            }
          }
        }
        for (let port = 1; port <= ports; port++) if (model.bound.has(port)) unmask(port);
        let steps = 0;
        while (step()) expect(++steps, 'the queues end').to.be.lessThan(200);
        expect([...model.pending], 'lost').to.deep.equal([]);
      }),
      { numRuns: 600, seed: 20 },
    );
  });
});
