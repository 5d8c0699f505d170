/** Text that is markup already. Only `html` makes it, and it escapes everything else. */
export class Markup {
  constructor(private readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

/** What may stand in a template: texts and numbers are escaped, nothing stands for undefined and false. */
export type Content = Markup | string | number | undefined | false | readonly Content[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};
/** Control characters, and those that turn the direction of the text around them: no text of a guest shall hide another. */
// eslint-disable-next-line no-control-regex
const invisible = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A text as it stands in an element or between the quotation marks of an attribute. */
export const escaped = (text: string): string =>
  text
    .replace(invisible, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`)
    .replace(/[&<>"'`]/g, (character) => entities[character] ?? '');

function rendered(content: Content): string {
  if (content instanceof Markup) return content.toString();
  if (content === undefined || content === false) return '';
  if (typeof content === 'object') return content.map(rendered).join('');
  return escaped(String(content));
}

/** Markup with values in it. Attributes want quotation marks around the value: html`<a id="${name}">`. */
export const html = (parts: TemplateStringsArray, ...values: readonly Content[]): Markup =>
  new Markup(parts.map((part, i) => part + rendered(values[i])).join(''));

/**
 * Data for the page's script. Nothing in it ends the element: JSON needs no `<` outside of strings, where it has another
 * spelling. HTML Living Standard section 4.12.1.3.
 */
export const dataElement = (id: string, data: unknown): Markup =>
  new Markup(
    `<script type="application/json" id="${escaped(id)}">${JSON.stringify(data)
      .replaceAll('<', '\\u003c')
      .replace(/[\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)}</script>`,
  );

/** CSS or a script of our own as the content of its element. */
export const trusted = (text: string): Markup => new Markup(text.replaceAll('</', '<\\/'));
