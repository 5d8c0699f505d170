import type { MemoryRange } from '../../probe/memory-range.js';
import { changedMap } from '../../probe/map-changes.js';
import type { CallsRecord } from '../../probe/calls-result.js';
import type { ConsoleLine } from '../../probe/console-result.js';
import { grouped } from '../numbers.js';
import { sectionText } from './call-groups.js';
import { succeeded, type StripCall } from './call-order.js';
import { legend } from './figure.js';
import { html, type Content, type Markup } from './markup.js';
import { memoryColumns } from './memory-columns.js';
import { memoryLegend } from './memory-types.js';

/** What the script needs of a door to show any of its calls. */
export interface DoorScrub {
  readonly door: string;
  readonly calls: CallsRecord | undefined;
  readonly lines: readonly ConsoleLine[];
}

/** The maps before and after a call; undefined where there is no firmware. */
export function mapsAt(
  { memoryMap, calls }: CallsRecord,
  call: StripCall,
): { readonly before: readonly MemoryRange[]; readonly after: readonly MemoryRange[] } | undefined {
  if (memoryMap === undefined) return undefined;
  let before = memoryMap;
  let after = memoryMap;
  for (const one of calls) {
    if (one.tick > call.tick) break;
    before = after;
    if (one.map !== undefined) after = changedMap(after, one.map);
    if (one.tick === call.tick && one.name === call.name) break;
  }
  const own = call.kind === 'call' && call.map !== undefined;
  return { before: own ? before : after, after };
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
export function callPanel({ door, calls, lines }: DoorScrub, call: StripCall, index: number, count: number): Markup {
  const maps = calls && mapsAt(calls, call);
  const said = lines.filter(({ instructions }) => instructions <= call.instructions).slice(-3);
  const changed = call.kind === 'call' && call.map !== undefined;
  return html`
    <h3>
      <span class="aside"><span class="door door-${door}">${door}</span> ${index + 1} of ${count}</span> ${call.name}
    </h3>
    <p class="status ${succeeded(call) ? 'good' : 'bad'}">
      ${call.status}${call.kind === 'call' && call.unserved !== undefined ? html` (${unserved[call.unserved] ?? call.unserved})` : undefined}
    </p>
    <div class="panel-columns">
      <div>
        ${list('Arguments', call.args)} ${list('Results', call.results)}
        <h4>Where</h4>
        <dl class="arguments">
          <dt>specification</dt>
          <dd>${call.kind === 'call' ? sectionText(call.section) : `Xen hypercall ${String(call.number)}`}</dd>
          <dt>called by</dt>
          <dd><code>${call.from ?? 'unknown'}</code></dd>
          <dt>returns to</dt>
          <dd><code>${call.caller}</code></dd>
          <dt>instructions</dt>
          <dd>${grouped(call.instructions)}</dd>
          <dt>tick</dt>
          <dd>${grouped(call.tick)}</dd>
        </dl>
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
