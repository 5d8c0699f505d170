import { grouped } from '../numbers.js';
import { counted, hexText } from './figures-text.js';
import { html, type Markup } from './markup.js';
import type { SurfaceField, SurfaceStructure } from '../../probe/surface/result.js';

const rowBytes = 16;
const rowHeight = 20; // pixels
/** Of a field that fills more rows than this, the others are folded away. */
const mostRows = 3;

/** Reads from which on a field has the next colour. */
export const heatSteps = [1, 2, 4, 16, 64] as const;

/** `0`: never read; `swept`: copied or summed alone. */
export function heatOf({ fieldReads, reads, padding }: SurfaceField): string {
  if (padding === true) return 'padding';
  if (reads === 0) return '0';
  if (fieldReads === 0) return 'swept';
  return String(heatSteps.filter((step) => fieldReads >= step).length);
}

/** What is written on a colour; on a pattern it has an edge. */
function textClass(field: SurfaceField): string {
  const heat = Number(heatOf(field));
  return heat >= 4 ? 'on-hot' : heat >= 1 ? 'on-heat' : '';
}

/** A stretch of a field within one row. */
interface Segment {
  readonly field: SurfaceField;
  readonly row: number;
  /** Bytes from the row's start. */
  readonly from: number;
  readonly bytes: number;
  /** The field's first, which has its name. */
  readonly first: boolean;
  /** Rows of the field that are folded away behind this one. */
  readonly folded: number;
}

/** The fields as stretches of rows, and how many rows they fill. */
export function segmentsOf(fields: readonly SurfaceField[]): {
  readonly rows: number;
  readonly segments: readonly Segment[];
} {
  const segments: Segment[] = [];
  let folded = 0; // rows so far
  let rows = 0;
  for (const field of fields) {
    const end = field.offset + field.bytes;
    const firstRow = Math.floor(field.offset / rowBytes);
    const lastRow = Math.floor((end - 1) / rowBytes);
    const inside = lastRow - firstRow + 1;
    const away = inside > mostRows ? inside - mostRows : 0;
    for (let row = firstRow; row <= lastRow; row++) {
      const isAway = away > 0 && row >= firstRow + mostRows - 1 && row < lastRow;
      if (isAway) {
        folded++;
        continue;
      }
      const from = Math.max(field.offset, row * rowBytes);
      const bytes = Math.min(end, (row + 1) * rowBytes) - from;
      const isFold = away > 0 && row === firstRow + mostRows - 2;
      segments.push({
        field,
        row: row - folded,
        from: from % rowBytes,
        bytes,
        first: row === firstRow,
        folded: isFold ? away : 0,
      });
      rows = row - folded + 1;
    }
  }
  return { rows, segments };
}

function fieldText({ name }: SurfaceStructure, field: SurfaceField): string {
  const { offset, bytes, reads, fieldReads, writes, readers, padding } = field;
  const most = readers
    .toSorted((a, b) => b.reads - a.reads)
    .slice(0, 4)
    .map(
      (reader) =>
        `${reader.function} ${grouped(reader.reads)} (${reader.phase}${reader.kind === 'field' ? '' : `, ${reader.kind}`})`,
    );
  const others = readers.length > most.length ? ` and ${counted(readers.length - most.length, 'other')}` : '';
  return (
    `${name}.${field.name}${padding === true ? ' (padding)' : ''} at ${hexText(offset)}, ${counted(bytes, 'byte')}: ` +
    (reads === 0
      ? 'never read'
      : `${counted(reads, 'read')}, ${grouped(fieldReads)} of them as a field; by ${most.join(', ')}${others}`) +
    (writes === 0 ? '' : `; written ${counted(writes, 'time')}`)
  );
}

/** A structure as rows of 16 bytes, each field as wide as it has bytes. */
export function fieldGrid(structure: SurfaceStructure): Markup {
  const { rows, segments } = segmentsOf(structure.fields);
  return html`<svg
    class="grid-of-fields"
    width="100%"
    height="${rows * rowHeight + 2}"
    role="group"
    aria-label="Fields of ${structure.name}: arrow keys go from one to the next"
  >
    ${segments.map(({ field, row, from, bytes, first, folded }) => {
      const text = fieldText(structure, field);
      const width = (100 * bytes) / rowBytes;
      return html`<svg
        x="${(100 * from) / rowBytes}%"
        y="${row * rowHeight + 1}"
        width="${width}%"
        height="${rowHeight}"
        ${first ? html`class="field" tabindex="${field.offset === 0 ? 0 : -1}" role="img"` : html`class="field" aria-hidden="true"`}
        data-tip
      >
        <title>${text}</title>
        <rect class="heat heat-${heatOf(field)}" width="100%" height="100%" />
        ${field.writes > 0 && html`<rect class="written" width="5" height="5" x="1" y="1" />`}
        ${first && width > 14 && html`<text class="${textClass(field)}" x="4" y="14">${lastName(field.name)}</text>`}
        ${folded > 0 && html`<text class="${textClass(field)}" x="4" y="14">... ${grouped(folded)} more rows</text>`}
      </svg>`;
    })}
  </svg>`;
}

/** `CRC32` of `Hdr.CRC32`: the structure's own part stands in the line below. */
const lastName = (name: string): string => name.split('.').at(-1) ?? name;
