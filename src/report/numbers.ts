/** `1,234,567`. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** `512M`, `1G`: as --memory takes it. Bytes that fill no such unit stay a number. */
export function memoryText(bytes: number): string {
  for (const [unit, letter] of [
    [2 ** 30, 'G'],
    [2 ** 20, 'M'],
    [2 ** 10, 'K'],
  ] as const) {
    if (bytes % unit === 0) return `${String(bytes / unit)}${letter}`;
  }
  return String(bytes);
}

/** `12.3 %`; `-` of nothing. */
export const percent = (part: number, all: number): string =>
  all === 0 ? '-' : `${((part / all) * 100).toFixed(1)} %`;
