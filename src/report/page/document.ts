import { html, Markup, trusted, type Content } from './markup.js';
import { partMarkup, type Part } from './figure.js';

/** What the build made for pages: one text each. */
export interface PageAssets {
  readonly style: string;
  readonly script: string;
}

export interface PageText {
  readonly title: string;
  /** Above the title: what kind of page this is. */
  readonly kind: string;
  /** Below the title: what was run. */
  readonly facts: readonly (readonly [name: string, text: Content])[];
  /** In front of the parts. */
  readonly overview: Content;
  readonly parts: readonly Part[];
  /** For the script, and at the end. */
  readonly data: Content;
  readonly version: string;
}

/** No request leaves the page and nothing but its own script runs, whatever a guest wrote. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** Patterns that pictures refer to. Colour alone never tells things apart. */
const patterns = html`<svg class="unseen" aria-hidden="true" focusable="false">
  <defs>
    <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect class="stroke" width="1.6" height="6" />
    </pattern>
    <pattern id="cross" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect class="stroke" width="1.2" height="7" />
      <rect class="stroke" width="7" height="1.2" />
    </pattern>
    <pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse">
      <circle class="stroke" cx="2" cy="2" r="1.1" />
    </pattern>
  </defs>
</svg>`;

/** The whole page, one file. */
export function documentText(
  { title, kind, facts, overview, parts, data, version }: PageText,
  assets: PageAssets,
): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="generator" content="efikit ${version}" />
        <meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}" />
        <title>${title}</title>
        <style>
          ${trusted(assets.style)}
        </style>
      </head>
      <body>
        <a class="skip" href="#overview">To the figures</a>
        ${patterns}
        <header class="head">
          <p class="kind">${kind}</p>
          <h1>${title}</h1>
          <dl class="facts">
            ${facts.map(
              ([name, text]) =>
                html`<div>
                  <dt>${name}</dt>
                  <dd>${text}</dd>
                </div>`,
            )}
          </dl>
          <div class="theme" role="group" aria-label="Colours" hidden>
            <button type="button" data-theme="light">light</button><button type="button" data-theme="dark">dark</button
            ><button type="button" data-theme="auto" aria-pressed="true">as the system</button>
          </div>
        </header>
        <nav class="contents" aria-label="Contents">
          <ol>
            <li><a href="#overview">Overview</a></li>
            ${parts.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}
          </ol>
        </nav>
        <main>
          <section class="part" id="overview" aria-labelledby="overview-title">
            <h2 id="overview-title">Overview</h2>
            ${overview}
          </section>
          ${parts.map(partMarkup)}
        </main>
        <footer>
          <p>
            Written by efikit ${version}. Every figure comes from runs that are the same on each host; the page asks the
            network for nothing.
          </p>
        </footer>
        ${data}
        <script>
          ${trusted(assets.script)};
        </script>
      </body>
    </html> `;
  return page.toString();
}
