import { XsdType } from '../../../firmware-tables/xen/xenstore-ring.js';

const names = new Map<number, string>(Object.entries(XsdType).map(([name, type]) => [type, name]));
const longest = 200; // characters of a payload that a line shows

/** `READ memory/target -> "262144"`, or `DIRECTORY backend -> ENOENT`; a transaction's lines begin with its number. */
export function requestLine(
  request: { readonly type: number; readonly tx_id: number; readonly payload: string },
  reply: { readonly type: number; readonly payload: string },
): string {
  const { type, tx_id, payload } = request;
  const transaction = tx_id === 0 ? '' : `[${String(tx_id)}] `;
  const name = names.get(type) ?? `message type ${String(type)}`;
  return `${transaction}${name}${argumentText(type, payload)} -> ${replyText(type, reply)}`;
}

/** `event control/shutdown, token "7f00"`. */
export const eventLine = (path: string, token: string): string => `event ${word(path)}, token ${quoted(token)}`;

function argumentText(type: number, payload: string): string {
  const nul = payload.indexOf('\0');
  if (payload === '' || payload === '\0') return '';
  if (nul < 0) return ` ${quoted(payload)} (no NUL)`;
  const path = ` ${word(payload.slice(0, nul))}`;
  const rest = payload.slice(nul + 1);
  if (type === XsdType.WRITE) return `${path} = ${quoted(rest)}`;
  return path + parts(rest);
}

function replyText(type: number, reply: { readonly type: number; readonly payload: string }): string {
  if (reply.type !== XsdType.ERROR && type === XsdType.READ) return quoted(reply.payload);
  return parts(reply.payload).slice(1) || '(nothing)';
}

/** The strings of a payload, each behind a space. */
function parts(payload: string): string {
  const shown = payload.endsWith('\0') ? payload.slice(0, -1) : payload;
  if (shown === '') return '';
  return ` ${shown.split('\0').map(word).join(' ')}`.slice(0, longest);
}

/** As it is where that reads well, else quoted. */
const word = (text: string): string => (/^[\w/@.,:+-]{1,200}$/.test(text) ? text : quoted(text));

function quoted(text: string): string {
  const shown = Array.from(text.slice(0, longest), (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    if (character >= ' ' && character <= '~') return character;
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${shown.join('')}"${text.length > longest ? ` (${String(text.length)} bytes)` : ''}`;
}
