import { html, type Content, type Markup } from './markup.js';

/** A part of a bar. */
export interface BarPart {
  readonly value: number;
  readonly class: string;
  /** What a reader of the screen hears of it. */
  readonly title: string;
}

/** A cell of a chart: what it says and its bar. */
export interface BarCell {
  readonly text: Content;
  readonly parts: readonly BarPart[];
}

/** A table with a bar below each figure; `longest` is the value of a whole bar. */
export const barTable = (
  caption: string,
  columns: readonly Content[],
  rows: readonly {
    readonly head: Content;
    readonly cells: readonly (BarCell | undefined)[];
    readonly class?: string;
  }[],
  longest: number,
): Markup =>
  html`<table class="bars">
    <caption class="unseen">
      ${caption}
    </caption>
    <thead>
      <tr>
        ${columns.map((text) => html`<th scope="col">${text}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ({ head, cells, class: name }) =>
          html`<tr${name !== undefined && html` class="${name}"`}><th scope="row">${head}</th>${cells.map(
            (cell) =>
              html`<td>${cell === undefined ? '-' : html`<span>${cell.text}</span>${bar(cell.parts, longest)}`}</td>`,
          )}</tr>`,
      )}
    </tbody>
  </table>`;

export const bar = (parts: readonly BarPart[], longest: number): Markup =>
  html`<span class="bar" aria-hidden="true"
    >${parts
      .filter(({ value }) => value > 0)
      .map(
        ({ value, class: name, title }) =>
          html`<span class="${name}" style="width:${share(value, longest)}%" title="${title}"></span>`,
      )}</span
  >`;

const share = (value: number, longest: number): number =>
  Math.max(0.3, Math.round((10_000 * value) / Math.max(1, longest)) / 100);
