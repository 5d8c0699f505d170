import type { MemoryRange } from '../../probe/memory-maps/range.js';
import { changedMap } from '../../probe/memory-maps/changes.js';
import type { ConsoleLine } from '../../probe/calls/console-result.js';
import { grouped } from '../numbers.js';
import { sectionText } from './call-groups.js';
import { succeeded, type FoldedHypercalls, type StripCall } from './call-order.js';
import { legend } from './figure.js';
import { counted } from './figures-text.js';
import { html, type Content, type Markup } from './markup.js';
import { memoryColumns } from './memory-columns.js';
import { memoryLegend } from './memory-types.js';

/** What the script needs of a door to show any of its calls. */
export interface DoorScrub {
  readonly door: string;
  /** The EFI memory map at the entry; absent for doors without firmware. */
  readonly memoryMap?: readonly MemoryRange[];
  readonly calls: readonly StripCall[];
  readonly lines: readonly ConsoleLine[];
}

/** The maps before and after a call; undefined where there is no firmware. */
export function mapsAt(
  { memoryMap, calls }: Pick<DoorScrub, 'memoryMap' | 'calls'>,
  index: number,
): { readonly before: readonly MemoryRange[]; readonly after: readonly MemoryRange[] } | undefined {
  if (memoryMap === undefined) return undefined;
  let before = memoryMap;
  let after = memoryMap;
  for (const call of calls.slice(0, index + 1)) {
    before = after;
    if (call.kind === 'call' && call.map !== undefined) after = changedMap(after, call.map);
  }
  return { before, after };
}

const unserved: Readonly<Record<string, string>> = {
  profile: 'the profile lacks it',
  override: 'an override took it away',
  'after-exit-boot-services': 'boot services had ended',
};

const list = (title: string, record: Readonly<Record<string, string | readonly string[]>>): Content => {
  const entries = Object.entries(record);
  if (entries.length === 0) return undefined;
  return html`<h4>${title}</h4>
    <dl class="arguments">
      ${entries.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd><code>${typeof value === 'string' ? value : value.join('\n')}</code></dd>`,
      )}
    </dl>`;
};

/** One call with everything that is known of it, and the memory map at that moment. */
export function callPanel(door: DoorScrub, index: number): Markup | undefined {
  const call = door.calls[index];
  if (call === undefined) return undefined;
  const maps = mapsAt(door, index);
  const until = call.kind === 'folded' ? call.last : call.instructions;
  const said = door.lines.filter(({ instructions }) => instructions <= until).slice(-3);
  const changed = call.kind === 'call' && call.map !== undefined;
  return html`
    <h3>
      <span class="aside"
        ><span class="door door-${door.door}">${door.door}</span> ${index + 1} of ${door.calls.length}</span
      >
      ${call.name}
    </h3>
    <div class="panel-columns">
      <div>
        ${call.kind === 'folded' ? foldedFacts(call) : callFacts(call)}
        <h4>Last on the console</h4>
        ${said.length === 0 ? html`<p class="aside">nothing yet</p>` : html`<pre>${said.map(({ text }) => `${text}\n`).join('')}</pre>`}
      </div>
      <div>
        <h4>Memory map ${changed ? 'before and after' : 'at that moment'}</h4>
        ${maps === undefined ? html`<p class="aside">this door has no firmware that keeps one</p>` : mapOf(maps, changed)}
      </div>
    </div>
  `;
}

function callFacts(call: Exclude<StripCall, FoldedHypercalls>): Markup {
  return html`
    <p class="status ${succeeded(call) ? 'good' : 'bad'}">
      ${call.status}${call.kind === 'call' && call.unserved !== undefined ? html` (${unserved[call.unserved] ?? call.unserved})` : undefined}
    </p>
    ${list('Arguments', call.args)} ${list('Results', call.results)}
    ${list('Where', {
      specification: call.kind === 'call' ? sectionText(call.section) : `Xen hypercall ${String(call.number)}`,
      'called by': call.from ?? 'unknown',
      'returns to': call.caller,
      instructions: grouped(call.instructions),
      tick: grouped(call.tick),
    })}
  `;
}

/** The most frequent first. */
const byCount = (counts: Readonly<Record<string, number>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(counts)
      .sort((a, b) => b[1] - a[1])
      .slice(0, 12)
      .map(([name, count]) => [name, counted(count, 'time')]),
  );

const foldedFacts = ({ operations, callers, instructions, last }: FoldedHypercalls): Markup => html`
  <p class="status">operations that were called before, one after the other</p>
  ${list('Operations', byCount(operations))} ${list('Called by', byCount(callers))}
  ${list('Where', { 'from instruction': grouped(instructions), to: grouped(last) })}
`;

function mapOf(
  { before, after }: { readonly before: readonly MemoryRange[]; readonly after: readonly MemoryRange[] },
  changed: boolean,
): Markup {
  const known = new Set(before.map(({ start, end, type }) => `${String(start)} ${String(end)} ${type}`));
  const fresh = after.filter(({ start, end, type }) => !known.has(`${String(start)} ${String(end)} ${type}`));
  const columns = changed
    ? [
        { title: 'before', ranges: before },
        { title: 'after', ranges: after },
      ]
    : [{ title: '', ranges: after }];
  return html`${memoryColumns(columns, new Set(fresh.map(({ start }) => start)))}${legend(memoryLegend.filter(([, text]) => text !== 'not in the map'))}`;
}
