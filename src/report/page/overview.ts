import { doorName } from './figure.js';
import { html, type Content, type Markup } from './markup.js';

/** One main figure of each door, and what it says in one sentence. */
export interface Card {
  readonly title: string;
  readonly figures: readonly { readonly door: string; readonly figure: string; readonly exact?: string }[];
  readonly sentence: Content;
  /** The part of the page that says more. */
  readonly more?: string;
}

export const overviewCards = (cards: readonly Card[]): Markup =>
  html`<div class="cards">
    ${cards.map(
      ({ title, figures, sentence, more }) =>
        html`<article class="card">
          <h3>${more === undefined ? title : html`<a href="#${more}">${title}</a>`}</h3>
          <dl>
            ${figures.map(
              ({ door, figure, exact }) =>
                html`<div><dt>${doorName(door)}</dt><dd${exact === undefined ? undefined : html` title="${exact}"`}>${figure}</dd></div>`,
            )}
          </dl>
          <p>${sentence}</p>
        </article>`,
    )}
  </div>`;
