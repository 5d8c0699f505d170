// The pictures of the evaluation: bars and grids as SVG, readable on light and dark ground, every value in words as well.

const width = 760;
const left = 230; // where bars and cells begin
const rowHeight = 24;
const top = 34;

const escaped = (text) =>
  String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const style = `<style>
  text { font: 12px system-ui, sans-serif; fill: #1c2330 }
  .title { font-weight: 600; font-size: 14px }
  .soft { fill: #55606f }
  .group { font-weight: 600 }
  .a { fill: #2f6fab } .b { fill: #c2571a } .c { fill: #4b8b6b } .d { fill: #8a6bb0 }
  .good { fill: #cfe8d5 } .bad { fill: #f3cfc4 } .middle { fill: #f4e6bf } .none { fill: #e6e9ee }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9ef } .soft { fill: #a3adbb }
    .a { fill: #6aa9e6 } .b { fill: #e98b4f } .c { fill: #79c29b } .d { fill: #b79be0 }
    .good { fill: #24523a } .bad { fill: #6a2f1f } .middle { fill: #5f5122 } .none { fill: #333b47 }
  }
</style>`;

function picture(title, height, content) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
${style}
<text class="title" x="0" y="16">${escaped(title)}</text>
${content.join('\n')}
</svg>
`;
}

const text = (x, y, words, kind = '', anchor = 'start') =>
  `<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(words)}</text>`;

/**
 * Horizontal bars. `groups`: [{ label, bars: [{ label, value, said }] }]; a bar's place in its group gives its colour, `said` is
 * its value in words. `scale`: 'linear' or 'log'.
 */
export function bars({ title, groups, scale = 'linear' }) {
  const values = groups.flatMap((group) => group.bars.map(({ value }) => value));
  const largest = Math.max(1, ...values);
  const room = width - left - 110;
  const lengthOf = (value) => {
    if (value <= 0) return 0;
    const share = scale === 'log' ? Math.log10(value + 1) / Math.log10(largest + 1) : value / largest;
    return Math.max(1, Math.round(share * room));
  };
  let y = top;
  const content = [];
  for (const group of groups) {
    if (group.label !== undefined) {
      content.push(text(0, y + 14, group.label, 'group'));
      y += rowHeight - 4;
    }
    group.bars.forEach(({ label, value, said }, i) => {
      const length = lengthOf(value);
      content.push(
        text(left - 8, y + 14, label, '', 'end'),
        `<rect class="${'abcd'[i % 4]}" x="${left}" y="${y + 3}" width="${length}" height="15" rx="2"/>`,
        text(left + length + 6, y + 14, said ?? value, 'soft'),
      );
      y += rowHeight - 2;
    });
    y += 8;
  }
  if (scale === 'log') content.push(text(left, y + 8, 'logarithmic scale', 'soft'));
  return picture(title, y + (scale === 'log' ? 16 : 0), content);
}

/** A grid of cells. `rows`: [{ label, cells: [{ kind: 'good' | 'bad' | 'middle' | 'none', said }] }]. */
export function grid({ title, columns, rows }) {
  const cellWidth = Math.floor((width - left) / columns.length);
  const fits = Math.floor(cellWidth / 6.6);
  const cut = (words) => (String(words).length > fits ? `${String(words).slice(0, Math.max(1, fits - 1))}…` : words);
  const content = columns.map((column, i) => text(left + i * cellWidth + 4, top + 12, cut(column), 'group'));
  rows.forEach(({ label, cells }, i) => {
    const y = top + 20 + i * rowHeight;
    content.push(text(left - 8, y + 15, label, '', 'end'));
    cells.forEach(({ kind, said }, column) => {
      const x = left + column * cellWidth;
      content.push(
        `<rect class="${kind}" x="${x}" y="${y}" width="${cellWidth - 2}" height="${rowHeight - 2}"><title>${escaped(`${label}, ${columns[column]}: ${said}`)}</title></rect>`,
        text(x + 4, y + 15, cut(said)),
      );
    });
  });
  return picture(title, top + 24 + rows.length * rowHeight, content);
}
