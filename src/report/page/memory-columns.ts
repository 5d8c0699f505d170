import type { MemoryRange } from '../../probe/memory-maps/range.js';
import { byteText } from './figures-text.js';
import { html, type Markup } from './markup.js';
import { memoryKind, shortType } from './memory-types.js';

/** A memory map as a column of a picture. */
export interface MapColumn {
  /** `efi`: its colour; absent for none. */
  readonly door?: string;
  readonly title: string;
  readonly ranges: readonly MemoryRange[];
}

const edgeWidth = 76; // pixels for the addresses
const headHeight = 40;

/** Heights in pixels of the stretches between edges: each doubling of the size is as high as the next. */
const heightOf = (bytes: number): number => Math.round(16 + 1.6 * Math.max(0, Math.log2(bytes / 4096)));

const address = (value: number): string => value.toString(16).padStart(8, '0');

/**
 * Maps beside each other over one axis of addresses, folded: where no map changes, a stretch is as high as the logarithm
 * of its size. `changed` has the starts of ranges that are new against the column before.
 */
export function memoryColumns(columns: readonly MapColumn[], changed: ReadonlySet<number> = new Set()): Markup {
  const edges = [...new Set(columns.flatMap(({ ranges }) => ranges.flatMap(({ start, end }) => [start, end])))].sort(
    (a, b) => a - b,
  );
  const top = new Map<number, number>();
  let y = headHeight;
  edges.forEach((edge, i) => {
    top.set(edge, y);
    const next = edges[i + 1];
    if (next !== undefined) y += heightOf(next - edge);
  });
  const height = y + 14;
  const at = (edge: number): number => top.get(edge) ?? headHeight;
  const names = columns.map(({ title, door }) => [door, title].filter((text) => text !== undefined).join(' '));
  return html`<div class="memory" role="group" aria-label="Memory maps: ${names.join('; ')}. Addresses run downwards.">
    <svg class="addresses" width="${edgeWidth}" height="${height}" aria-hidden="true">
      ${edges.map(
        (edge) =>
          html`<text class="address" x="0" y="${at(edge) + 4}">${address(edge)}</text>
            <line class="grid" x1="${edgeWidth - 16}" x2="${edgeWidth}" y1="${at(edge)}" y2="${at(edge)}" />`,
      )}
    </svg>
    ${columns.map(
      ({ door, title, ranges }, i) =>
        html`<svg class="column" width="100%" height="${height}">
          ${door === undefined ? undefined : html`<text class="lane-name door-${door}" x="0" y="14">${door}</text>`}
          <text class="column-title" x="0" y="30">${title}</text>
          <rect class="memory-absent" x="0" y="${headHeight}" width="100%" height="${y - headHeight}" />
          ${ranges.map((range, n) =>
            rangeOf(range, at, {
              first: n === 0 && i === 0,
              isNew: i > 0 && changed.has(range.start),
              of: names[i] ?? '',
            }),
          )}
        </svg>`,
    )}
  </div>`;
}

function rangeOf(
  { start, end, type }: MemoryRange,
  at: (edge: number) => number,
  look: { readonly first: boolean; readonly isNew: boolean; readonly of: string },
): Markup {
  const height = at(end) - at(start);
  const text = `${look.of}: ${address(start)} to ${address(end - 1)}, ${byteText(end - start)}, ${type}${look.isNew ? ' (new)' : ''}`;
  return html`<svg
    y="${at(start)}"
    width="100%"
    height="${height}"
    class="range"
    tabindex="${look.first ? 0 : -1}"
    role="img"
    data-tip
  >
    <title>${text}</title>
    <rect class="memory-${memoryKind(type)}" width="100%" height="100%" />
    <rect class="pattern-${memoryKind(type)}" width="100%" height="100%" />
    ${look.isNew && html`<rect class="is-new" x="0" y="0" width="100%" height="100%" />`}
    <text class="in-band" x="5" y="${Math.min(height - 4, Math.round(height / 2) + 4)}">${shortType(type)}</text>
  </svg>`;
}
