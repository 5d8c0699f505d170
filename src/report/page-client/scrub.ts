import { callPanel, type DoorScrub } from '../page/call-panel.js';
import type { StripCall } from '../page/call-order.js';
import { linearScale, logScale, type Scale } from '../page/scale.js';

interface Door {
  readonly data: DoorScrub;
  readonly cells: readonly HTMLAnchorElement[];
}

/** Goes from call to call: by the cells of the strip, the arrow keys, or a click into the time line. */
export function scrub(): void {
  const panel = document.querySelector<HTMLElement>('#call-panel');
  const text = document.querySelector('#scrub')?.textContent;
  if (panel === null || text == null) return;
  const doors = (JSON.parse(text) as readonly DoorScrub[]).map((data): Door => ({
    data,
    cells: [...document.querySelectorAll<HTMLAnchorElement>(`.strip[data-door="${CSS.escape(data.door)}"] .cell`)],
  }));
  const cursors = [...document.querySelectorAll<SVGElement>('.lanes')].map((svg) => ({ svg, scale: scaleOf(svg) }));

  const select = (door: Door, index: number, focus: boolean): void => {
    const call = door.data.calls[index];
    if (call === undefined) return;
    for (const { cells } of doors) {
      for (const cell of cells) cell.removeAttribute('aria-current');
    }
    for (const [i, cell] of door.cells.entries()) cell.tabIndex = i === index ? 0 : -1;
    const cell = door.cells[index];
    cell?.setAttribute('aria-current', 'true');
    if (focus) cell?.focus({ preventScroll: false });
    panel.hidden = false;
    // Made by the same templates as the page, which escape every text.
    panel.innerHTML = callPanel(door.data, index)?.toString() ?? '';
    for (const { svg, scale } of cursors) moveCursor(svg, scale, call.instructions);
  };

  for (const door of doors) {
    for (const [index, cell] of door.cells.entries()) {
      cell.addEventListener('click', (event) => {
        event.preventDefault();
        select(door, index, true);
      });
      cell.addEventListener('keydown', (event) => {
        const next = stepOf(event.key, index, door.data.calls.length);
        if (next === undefined) return;
        event.preventDefault();
        select(door, next, true);
      });
    }
  }
  for (const { svg, scale } of cursors) {
    svg.addEventListener('click', (event) => {
      const lane = event.target instanceof SVGElement ? event.target.dataset['lane'] : undefined;
      const door = doors.find(({ data }) => data.door === lane);
      if (door === undefined || door.data.calls.length === 0) return;
      const { left, width } = svg.getBoundingClientRect();
      const at = (100 * (event.clientX - left)) / width;
      select(door, nearestTo(door.data.calls, scale, at), false);
    });
  }
  const withCalls = doors.find(({ data }) => data.calls.length > 0);
  if (withCalls !== undefined) select(withCalls, 0, false);
}

function scaleOf(svg: SVGElement): Scale {
  const end = Number(svg.dataset['end']);
  return svg.dataset['scale'] === 'linear' ? linearScale(end) : logScale(Number(svg.dataset['from']), end);
}

function moveCursor(svg: SVGElement, scale: Scale, instructions: number): void {
  const cursor = svg.querySelector('.cursor');
  const at = `${String(scale.place(instructions))}%`;
  cursor?.setAttribute('x1', at);
  cursor?.setAttribute('x2', at);
  cursor?.setAttribute('visibility', 'visible');
}

function nearestTo(calls: readonly StripCall[], scale: Scale, at: number): number {
  const far = calls.map(({ instructions }) => Math.abs(scale.place(instructions) - at));
  return far.indexOf(Math.min(...far));
}

/** The call that a key leads to; undefined for a key that leads nowhere. */
function stepOf(key: string, index: number, count: number): number | undefined {
  const wanted = {
    ArrowRight: index + 1,
    ArrowDown: index + 1,
    ArrowLeft: index - 1,
    ArrowUp: index - 1,
    PageDown: index + 10,
    PageUp: index - 10,
    Home: 0,
    End: count - 1,
  }[key];
  return wanted === undefined ? undefined : Math.max(0, Math.min(count - 1, wanted));
}
