import type { TakenAtDoor } from '../probe.js';
import type { Section } from '../section.js';
import type { HandOver, JoinedHandOver } from '../probes/hand-over.js';

const longest = 44; // characters of a cell

/** What the doors hand over differently, each difference with its reason; a single door's hand-over as it is. */
export function handOverSections(
  doors: readonly TakenAtDoor<HandOver | undefined>[],
  joined: JoinedHandOver | undefined,
): Section[] {
  if (joined === undefined)
    return doors.flatMap(({ door, taken }) => (taken === undefined ? [] : [single(door, taken)]));
  const reasons = [...new Set(joined.different.flatMap(({ why }) => (why === undefined ? [] : [why])))];
  const number = (why: string | undefined): string =>
    why === undefined ? '' : `(${String(reasons.indexOf(why) + 1)})`;
  return [
    {
      title: 'what the kernel has at start_kernel',
      lines: [
        `${String(joined.same)} fields are the same behind ${joined.doors.join(', ')}; ${String(joined.different.length)} differ`,
      ],
    },
    {
      title: 'what differs at start_kernel',
      detail: true,
      note: 'boot_params, the e820 table, registers, MSRs and the local APIC; what is 0 or not there is a dash.',
      table: {
        columns: ['', ...joined.doors, ''],
        rows: joined.different.map(({ field, values, why }) => [
          field,
          ...values.map((value) => cut(value ?? '-')),
          number(why),
        ]),
      },
      lines: reasons.map((why, i) => `(${String(i + 1)}) ${why}`),
    },
  ];
}

const cut = (text: string): string => (text.length <= longest ? text : `${text.slice(0, longest - 3)}...`);

function single(door: string, { zeroPage, registers, msrs }: HandOver): Section {
  const rows = { ...zeroPage?.fields, ...registers, ...msrs };
  return {
    title: `what the kernel has at start_kernel, door ${door}`,
    detail: true,
    table: { columns: ['', ''], rows: Object.entries(rows).map(([name, value]) => [name, cut(value)]) },
  };
}
