import { grouped } from '../../report/numbers.js';
import { probe } from '../probe.js';

/** Virtual time that the guest was halted, from one point of its way to the next. */
interface IdleTime {
  readonly from: string;
  readonly to: string;
  readonly nanoseconds: number;
}

/** How long the guest waits in HLT: time in which it executes nothing. Intel SDM volume 2, HLT. */
export const idleTime = probe<readonly IdleTime[]>({
  name: 'idle-time',
  question: 'How long does the guest wait in HLT?',
  start(run) {
    const stretches: IdleTime[] = [];
    const { processor } = run.machine;
    let [from, before] = ['entry', 0];
    const close = (to: string): void => {
      const now = processor.extraTicks; // a tick is a nanosecond
      stretches.push({ from, to, nanoseconds: now - before });
      [from, before] = [to, now];
    };
    run.onPhase(({ name }) => {
      if (name !== 'entry') close(name);
    });
    return () => {
      close('end');
      return stretches;
    };
  },
  record: (taken) => taken,
  show: (doors) => [
    {
      title: 'waiting in HLT',
      detail: true,
      note: 'Nanoseconds of virtual time up to each point of the way.',
      table: {
        columns: ['door', 'from', 'to', 'nanoseconds'],
        rows: doors.flatMap(({ door, taken }) =>
          taken.map(({ from, to, nanoseconds }) => [door, from, to, grouped(nanoseconds)]),
        ),
      },
    },
  ],
});
