import type { Section } from '../../probe/section.js';
import { table } from './figure.js';
import { html, type Markup } from './markup.js';

/** What a probe says for people, where the page has no picture for it. */
export const sectionMarkup = ({ title, note, table: data, lines = [] }: Section): Markup => html`
  <div class="said">
    <h3>${title}</h3>
    ${note === undefined ? undefined : html`<p>${note}</p>`}
    ${
      data === undefined
        ? undefined
        : table(title, data.columns, data.rows, { hidden: true, ...(data.numbers === true ? { numbers: true } : {}) })
    }
    ${
      lines.length > 0 &&
      html`<ul class="plain">
        ${lines.map((line) => html`<li>${line}</li>`)}
      </ul>`
    }
  </div>
`;
