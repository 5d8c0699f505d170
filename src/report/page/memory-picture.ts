import type { ComparedRange } from '../../probe/memory-maps/comparison.js';
import { grouped } from '../numbers.js';
import type { Run } from './comparison-data.js';
import { doorName, figure, legend, onDemand, table } from './figure.js';
import { byteText } from './figures-text.js';
import { html, type Markup } from './markup.js';
import { memoryColumns, type MapColumn } from './memory-columns.js';
import { memoryLegend } from './memory-types.js';

/** Each door's map at the entry and, where there is one, as ExitBootServices found it. */
export function memoryPicture(runs: readonly Run[], compared: readonly ComparedRange[] | undefined): Markup {
  const columns = runs.flatMap(({ door, probes }): MapColumn[] => {
    const maps = probes['memory-maps'];
    if (maps === undefined) return [];
    const { entry, exitBootServices } = maps;
    return [
      { door, title: 'at the entry', ranges: entry },
      ...(exitBootServices === undefined ? [] : [{ door, title: 'at ExitBootServices', ranges: exitBootServices }]),
    ].filter(({ ranges }) => ranges.length > 0);
  });
  if (columns.length === 0) return html`<p>No door told its guest of memory by a map.</p>`;
  return html`
    ${figure(
      html`Guest-physical memory as each door tells of it, addresses downwards. The axis is folded: a stretch in which
      no map changes is as high as the logarithm of its size. Columns share it, so what stands beside each other is the
      same memory.`,
      html`<div class="memory-frame">${memoryColumns(columns)}</div>
        ${legend(memoryLegend)}`,
      true,
    )}
    ${onDemand('The same as tables', html`${columns.map(tableOf)}${compared && runs.length > 1 && comparedTable(runs, compared)}`)}
  `;
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');

const tableOf = ({ door = '', title, ranges }: MapColumn): Markup =>
  table(
    `${door}, ${title}: ${grouped(ranges.length)} ranges`,
    ['range', 'size', 'type'],
    ranges.map(({ start, end, type }) => [
      html`<code>${hex(start)}-${hex(end - 1)}</code>`,
      byteText(end - start),
      type,
    ]),
  );

const comparedTable = (runs: readonly Run[], compared: readonly ComparedRange[]): Markup =>
  table(
    'The maps that the kernel goes on with, over each other',
    ['range', ...runs.map(({ door }) => doorName(door)), 'why they differ'],
    compared.map(({ start, end, types, why }) => [
      html`<code>${hex(start)}-${hex(end - 1)}</code>`,
      ...types.map((type) => type ?? '-'),
      why ?? '',
    ]),
  );
