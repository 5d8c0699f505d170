import { grouped, percent } from '../../report/numbers.js';
import type { Share } from './shares.js';
import type { TakenAtDoor } from '../probe.js';
import type { Section } from '../section.js';
import type { CoveredCode, CoverageScope, JoinedCoverage } from '../probes/coverage.js';

const functionsShown = 20;

/** Coverage for people; nothing for a single door. */
export function coverageSections(_doors: readonly TakenAtDoor<CoveredCode>[], joined: JoinedCoverage): Section[] {
  const { doors, refused, scopes, joins } = joined;
  if (doors.length < 2) return [];
  if (refused !== undefined) return [{ title: 'what the doors have in common', lines: [`not compared: ${refused}`] }];
  if (scopes.length === 0) return [];
  const early = scopes.find(({ scope }) => scope === 'up to start_kernel');
  return [
    {
      title: 'what the doors have in common',
      note: 'Instructions are different ones, told by where the kernel was linked; executions say how often. User space, modules and code that the kernel makes are left out.',
      table: {
        columns: ['', 'instructions', 'functions', ...doors.map((door) => `executed by ${door}`)],
        rows: scopes.flatMap((scope) => scopeRows(doors, scope)),
      },
    },
    ...(joins.every(({ at }) => at === undefined) ? [] : [joinSection(joins)]),
    ...(early === undefined ? [] : [{ ...ownFunctions(doors, early), detail: true as const }]),
    ...scopes.map((scope) => ({ ...subsystems(doors, scope), detail: true as const })),
  ];
}

function joinSection(joins: JoinedCoverage['joins']): Section {
  return {
    title: 'where the paths join',
    note: 'Up to start_kernel: from where on a door meets no new code of the kernel but what every other executes as well.',
    lines: joins.map(({ door, at, instructions }) =>
      at === undefined || instructions === undefined
        ? `${door}: never`
        : `${door}: at ${at}, after ${grouped(instructions)} instructions`,
    ),
  };
}

function scopeRows(doors: readonly string[], { scope, all, common, some, only }: CoverageScope): string[][] {
  const row = (title: string, share: Share): string[] => [
    title,
    `${grouped(share.addresses)} (${percent(share.addresses, all.addresses)})`,
    grouped(share.functions),
    ...share.executions.map((count, door) => `${grouped(count)} (${percent(count, all.executions[door] ?? 0)})`),
  ];
  return [
    row(scope, all),
    row('  every door', common),
    ...(doors.length > 2 ? [row('  several, not all', some)] : []),
    ...doors.map((door, i) => row(`  ${door} alone`, only[i] ?? { addresses: 0, functions: 0, executions: [] })),
  ];
}

function subsystems(doors: readonly string[], { scope, subsystems: all }: CoverageScope): Section {
  const rows = [...all].sort((a, b) => b.common + b.some - (a.common + a.some));
  return {
    title: `instructions in common by subsystem, ${scope}`,
    table: {
      columns: ['', 'every door', ...(doors.length > 2 ? ['several'] : []), ...doors.map((door) => `${door} alone`)],
      numbers: true,
      rows: rows.map(({ subsystem, common, some, only }) => [
        subsystem,
        grouped(common),
        ...(doors.length > 2 ? [grouped(some)] : []),
        ...only.map(grouped),
      ]),
    },
  };
}

/** The functions of which a door alone executes most. */
function ownFunctions(doors: readonly string[], { functions = {} }: CoverageScope): Section {
  const rows = doors.flatMap((door, i) =>
    Object.entries(functions)
      .flatMap(([subsystem, byName]) =>
        Object.entries(byName).map(([name, counts]) => ({
          name,
          subsystem,
          own: counts[2 + i] ?? 0,
          common: counts[0] ?? 0,
        })),
      )
      .filter(({ own }) => own > 0)
      .sort((a, b) => b.own - a.own)
      .slice(0, functionsShown)
      .map(({ name, subsystem, own, common }) => [door, name, subsystem, grouped(own), grouped(common)]),
  );
  return {
    title: `functions with code that one door alone executes, up to start_kernel (the first ${String(functionsShown)} of each door)`,
    table: { columns: ['door', 'function', 'subsystem', 'instructions alone', 'in common'], rows },
  };
}
