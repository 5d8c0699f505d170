import { grouped } from '../../report/numbers.js';
import type { TakenAtDoor } from '../probe.js';
import type { Section } from '../section.js';
import type { JoinedTouches, SharedTouch, Touched, TouchKind } from '../probes/touches.js';

const titles: readonly (readonly [TouchKind, string])[] = [
  ['cpuid', 'CPUID leaves'],
  ['rdmsr', 'MSRs read'],
  ['wrmsr', 'MSRs written'],
  ['in', 'ports read'],
  ['out', 'ports written'],
  ['mmio-read', 'registers outside RAM read'],
  ['mmio-write', 'registers outside RAM written'],
];

/** Touches for people: how many by kind, then each that not every door touches alike, then all. */
export function touchSections(doors: readonly TakenAtDoor<readonly Touched[]>[], joined: JoinedTouches): Section[] {
  if (doors.length === 0) return [];
  const different = joined.touches.filter(({ times }) => times.some((count) => (count === 0) !== (times[0] === 0)));
  return [
    summary(joined),
    ...(doors.length < 2
      ? []
      : [{ ...list('touched behind some doors only', joined, different), detail: true as const }]),
    { ...list('everything that is touched', joined, joined.touches), detail: true },
  ];
}

/** `12 (1,234 times)` by kind and door. */
function summary({ doors, touches }: JoinedTouches): Section {
  return {
    title: 'touched besides memory',
    note: 'How many different ones, and how often.',
    table: {
      columns: ['', ...doors, ...(doors.length < 2 ? [] : ['every door', ...doors.map((door) => `${door} alone`)])],
      numbers: true,
      rows: titles.flatMap(([kind, title]) => {
        const ofKind = touches.filter((touch) => touch.kind === kind);
        if (ofKind.length === 0) return [];
        const count = (fits: (touch: SharedTouch) => boolean): string => grouped(ofKind.filter(fits).length);
        const alone = doors.map((_, door) =>
          count(({ times }) => (times[door] ?? 0) > 0 && times.every((other, i) => i === door || other === 0)),
        );
        return [
          [
            title,
            ...doors.map((_, door) => {
              const all = ofKind.reduce((sum, { times }) => sum + (times[door] ?? 0), 0);
              return `${count(({ times }) => (times[door] ?? 0) > 0)} (${grouped(all)} times)`;
            }),
            ...(doors.length < 2 ? [] : [count(({ times }) => times.every((other) => other > 0)), ...alone]),
          ],
        ];
      }),
    },
  };
}

const list = (title: string, { doors }: JoinedTouches, touches: readonly SharedTouch[]): Section => ({
  title,
  table: {
    columns: ['', 'at', ...doors, 'what it is'],
    rows: touches.map(({ kind, at, name, times }) => [kind, at, ...times.map(grouped), name ?? '']),
  },
});
