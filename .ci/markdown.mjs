// Pieces of Markdown documents that scripts write.

const escaped = (cell) => String(cell).replaceAll('|', '\\|');

/** A table; its columns are as wide as their widest cell, as prettier wants them. */
export function table(head, rows) {
  const all = [head, ...rows].map((row) => row.map(escaped));
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => row[i].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(all[0]), line(widths.map((width) => '-'.repeat(width))), ...all.slice(1).map(line)].join('\n');
}

export const code = (text) => `\`${text}\``;
