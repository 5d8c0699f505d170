import type * as headless from '@xterm/headless';

type Headless = typeof headless;

/**
 * The package looks for requestIdleCallback in `window` while it loads, and a worker has no window: there it finds the
 * worker's own globals under that name, until it is loaded.
 */
async function loadTerminal(): Promise<Headless['Terminal']> {
  const scope = globalThis as { window?: unknown };
  const lent = !('window' in scope);
  if (lent) scope.window = scope;
  try {
    const loaded: Headless | { readonly default: Headless } = await import('@xterm/headless');
    // CommonJS for Node, a module for bundlers: the class is in the default export or beside it.
    return ('default' in loaded ? loaded.default : loaded).Terminal;
  } finally {
    if (lent) delete scope.window;
  }
}

const columns = 80;
const rows = 25;
const scrollback = 200_000; // lines

/**
 * What a person would have seen of the console: escape sequences, carriage returns and backspaces resolved by a
 * terminal of 80 x 25 with all of its history. Lines that only the width broke are whole again; lines end in "\n".
 */
export async function consoleText(bytes: Uint8Array): Promise<string> {
  const Terminal = await loadTerminal();
  const terminal = new Terminal({ cols: columns, rows, scrollback, allowProposedApi: true });
  try {
    await new Promise<void>((resolve) => {
      terminal.write(bytes, resolve);
    });
    const { buffer } = terminal;
    const lines: string[] = [];
    for (let i = 0; i < buffer.normal.length; i++) {
      const line = buffer.normal.getLine(i);
      if (line === undefined) continue;
      const wraps = buffer.normal.getLine(i + 1)?.isWrapped === true;
      const text = line.translateToString(!wraps);
      if (line.isWrapped) lines.push(`${lines.pop() ?? ''}${text}`);
      else lines.push(text);
    }
    while (lines.at(-1) === '') lines.pop();
    return lines.map((line) => `${line}\n`).join('');
  } finally {
    terminal.dispose();
  }
}
