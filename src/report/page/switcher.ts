import { html, type Content, type Markup } from './markup.js';
import { slug } from './figures-text.js';

/** Several views of the same, of which one is seen; on paper all are, each under its name. It needs no script. */
export const switcher = (
  name: string,
  label: string,
  panes: readonly { readonly label: string; readonly body: Content; readonly class?: string }[],
): Markup =>
  html`<div class="switch" role="group" aria-label="${label}">
    ${panes.map(
      (pane, i) =>
        html`<input type="radio" name="${name}" id="${name}-${slug(pane.label)}" ${i === 0 && html` checked`} /><label
            for="${name}-${slug(pane.label)}"
            >${pane.label}</label
          >`,
    )}
    ${panes.map(
      (pane) =>
        html`<div class="pane ${pane.class ?? ''}">
          <p class="on-paper">${pane.label}</p>
          ${pane.body}
        </div>`,
    )}
  </div>`;
