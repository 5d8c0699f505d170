/** Pictures whose parts are one stop of the Tab key; arrow keys go to the nearest part in their direction. */
const pictures = '.memory, .grid-of-fields, .matrix';

/** What a picture's parts are. */
const parts = '[data-tip][tabindex]';

type Part = HTMLElement | SVGElement;

const steps: Readonly<Record<string, readonly [number, number]>> = {
  ArrowDown: [0, 1],
  ArrowUp: [0, -1],
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
};

/** How far a part lies in a direction, with what it is off that direction counted more; undefined: not in it. */
function distance(from: DOMRect, to: DOMRect, [dx, dy]: readonly [number, number]): number | undefined {
  const x = to.left + to.width / 2 - (from.left + from.width / 2);
  const y = to.top + to.height / 2 - (from.top + from.height / 2);
  const along = x * dx + y * dy;
  const across = Math.abs(x * dy) + Math.abs(y * dx);
  return along <= 1 ? undefined : along + 4 * across;
}

export function roving(): void {
  document.addEventListener('keydown', (event) => {
    const { target } = event;
    const part = target instanceof Element ? target.closest<Part>(parts) : null;
    const picture = part?.closest(pictures);
    if (part == null || picture == null) return;
    const all = [...picture.querySelectorAll<Part>(parts)];
    const next =
      event.key === 'Home' ? all[0] : event.key === 'End' ? all.at(-1) : nearest(part, all, steps[event.key]);
    if (next === undefined) return;
    event.preventDefault();
    part.setAttribute('tabindex', '-1');
    next.setAttribute('tabindex', '0');
    next.focus();
  });
}

function nearest(part: Part, all: readonly Part[], step: readonly [number, number] | undefined): Part | undefined {
  if (step === undefined) return undefined;
  const from = part.getBoundingClientRect();
  let best: { readonly part: Part; readonly far: number } | undefined;
  for (const candidate of all) {
    if (candidate === part) continue;
    const far = distance(from, candidate.getBoundingClientRect(), step);
    if (far !== undefined && (best === undefined || far < best.far)) best = { part: candidate, far };
  }
  return best?.part;
}
