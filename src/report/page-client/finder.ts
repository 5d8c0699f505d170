import { grouped } from '../numbers.js';

type Row = readonly (string | number | null)[];

const most = 200; // rows at a time

/** Fields in which a reader looks for functions: the table below has those that match, in the order of the data. */
export function finders(): void {
  for (const finder of document.querySelectorAll<HTMLElement>('[data-finder]')) {
    const data = document.getElementById(finder.dataset['finder'] ?? '')?.textContent;
    const label = finder.querySelector<HTMLElement>('.find');
    const input = label?.querySelector('input');
    const body = finder.querySelector('tbody');
    const found = finder.querySelector('.found');
    if (data == null || label == null || input == null || body === null || found === null) continue;
    let rows: readonly Row[] | undefined;
    label.hidden = false;
    input.addEventListener('input', () => {
      rows ??= JSON.parse(data) as readonly Row[];
      const wanted = input.value.trim().toLowerCase();
      const matching = rows.filter(([name, subsystem]) =>
        `${String(name)} ${String(subsystem)}`.toLowerCase().includes(wanted),
      );
      body.replaceChildren(...matching.slice(0, most).map(rowElement));
      const shown = Math.min(most, matching.length);
      found.textContent = `${grouped(matching.length)} match${shown < matching.length ? `; the first ${grouped(shown)}` : ''}.`;
    });
  }
}

function rowElement(row: Row): HTMLTableRowElement {
  const element = document.createElement('tr');
  for (const [i, value] of row.entries()) {
    const cell = document.createElement(i === 0 ? 'th' : 'td');
    if (i === 0) cell.setAttribute('scope', 'row');
    const text = typeof value === 'number' ? grouped(value) : (value ?? '-');
    if (i === 0) cell.append(Object.assign(document.createElement('code'), { textContent: text }));
    else cell.textContent = text;
    if (i > 0) cell.className = 'number';
    element.append(cell);
  }
  return element;
}
