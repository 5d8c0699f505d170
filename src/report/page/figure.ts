import { html, type Content, type Markup } from './markup.js';

/** A part of the page with its place in the table of contents. */
export interface Part {
  readonly id: string;
  readonly title: string;
  /** One sentence: what is asked here. */
  readonly lead?: Content;
  readonly body: Content;
}

export const partMarkup = ({ id, title, lead, body }: Part): Markup => html`
  <section class="part" id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${lead === undefined ? undefined : html`<p class="lead">${lead}</p>`} ${body}
  </section>
`;

/** A picture with its caption. `readout`: a line below says what is pointed at or has the focus. */
export const figure = (caption: Content, body: Content, readout = false): Markup => html`
  <figure${readout ? html` data-readout` : undefined}>
    ${body}
    ${
      readout &&
      html`<p class="readout" aria-live="polite">Point at a part, or reach it with Tab and the arrow keys.</p>`
    }
    <figcaption>${caption}</figcaption>
  </figure>
`;

/** A table that scrolls on its own when it is wider than the page. */
export function table(
  caption: Content,
  columns: readonly Content[],
  rows: readonly (readonly Content[])[],
  options: { readonly numbers?: boolean; readonly hidden?: boolean; readonly class?: string } = {},
): Markup {
  const number = (column: number): Content => options.numbers === true && column > 0 && html` class="number"`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table${options.class === undefined ? undefined : html` class="${options.class}"`}>
      <caption${options.hidden === true ? html` class="unseen"` : undefined}>${caption}</caption>
      <thead><tr>${columns.map((text, i) => html`<th scope="col" ${number(i)}>${text}</th>`)}</tr></thead>
      <tbody>${rows.map(
        (cells) =>
          html`<tr>
            ${columns.map((_, i) =>
              i === 0 ? html`<th scope="row">${cells[0]}</th>` : html`<td${number(i)}>${cells[i]}</td>`,
            )}
          </tr>`,
      )}</tbody>
    </table>
  </div>`;
}

/** What is there on demand, and open on paper. */
export const onDemand = (summary: Content, body: Content): Markup =>
  html`<details>
    <summary>${summary}</summary>
    ${body}
  </details>`;

/** A door's name in its colour. */
export const doorName = (door: string): Markup => html`<span class="door door-${door}">${door}</span>`;

/** What stands for a colour or a pattern. */
export const legend = (entries: readonly (readonly [className: string, text: Content])[]): Markup =>
  html`<ul class="legend">
    ${entries.map(
      ([className, text]) => html`<li><span class="swatch ${className}" aria-hidden="true"></span>${text}</li>`,
    )}
  </ul>`;
