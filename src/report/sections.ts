import type { Section } from '../probe/section.js';
import { tableLines } from './table.js';

/** Sections as lines for a terminal, an empty line between them. */
export function sectionLines(sections: readonly Section[]): string[] {
  return sections.flatMap(({ title, note, table, lines = [] }, i) => [
    ...(i === 0 ? [] : ['']),
    `${title}:`,
    ...(note === undefined ? [] : [`  ${note}`]),
    ...(table === undefined ? [] : tableLines(indented([table.columns, ...table.rows]), table.numbers)),
    ...lines.map((line) => `  ${line}`),
  ]);
}

const indented = (rows: readonly (readonly string[])[]): string[][] =>
  rows.map(([first = '', ...rest]) => [first === '' ? '' : `  ${first}`, ...rest]);
