import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** The browser: CHROMIUM, or chromium or Chrome in the PATH. undefined when there is none. */
export function findChromium(): string | undefined {
  const names = [process.env['CHROMIUM'], 'chromium', 'chromium-browser', 'google-chrome', 'chrome'];
  return names.find(
    (name) => name !== undefined && spawnSync(name, ['--version'], { stdio: 'ignore', timeout: 60_000 }).status === 0,
  );
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** What a page did that a test asks about. */
export interface Seen {
  /** Messages of its console and exceptions. */
  readonly problems: string[];
  /** Addresses that it asked for, its own included. */
  readonly requests: string[];
}

/** A headless browser with one page, driven by the DevTools protocol over a pipe. */
export class Chromium {
  readonly seen: Seen = { problems: [], requests: [] };
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private readonly listeners = new Set<(answer: Answer) => void>();
  private count = 0;
  private session: string | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly profile: string,
    private readonly input: Writable,
    output: Readable,
  ) {
    let text = '';
    output.setEncoding('utf8').on('data', (part: string) => {
      const messages = (text + part).split('\0');
      text = messages.pop() ?? '';
      for (const message of messages) this.hear(JSON.parse(message) as Answer);
    });
  }

  static async start(program: string): Promise<Chromium> {
    const profile = mkdtempSync(path.join(tmpdir(), 'efikit-page-'));
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--hide-scrollbars'];
    const child = spawn(program, [...flags, '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    const browser = new Chromium(child, profile, child.stdio[3] as Writable, child.stdio[4] as Readable);
    const { targetInfos } = (await browser.send('Target.getTargets')) as {
      targetInfos: { targetId: string; type: string }[];
    };
    const targetId =
      targetInfos.find(({ type }) => type === 'page')?.targetId ??
      ((await browser.send('Target.createTarget', { url: 'about:blank' })) as { targetId: string }).targetId;
    const attached = (await browser.send('Target.attachToTarget', { targetId, flatten: true })) as {
      sessionId: string;
    };
    browser.session = attached.sessionId;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.send(`${domain}.enable`);
    return browser;
  }

  /** A command of the DevTools protocol. */
  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result ?? {});
        else reject(new Error(`${method}: ${error.message}`));
      });
      const session = this.session === undefined ? {} : { sessionId: this.session };
      this.input.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    });
  }

  /** Opens a page and waits until it is there. */
  async open(url: string): Promise<void> {
    const loaded = new Promise<void>((resolve) => {
      const listener = ({ method }: Answer): void => {
        if (method !== 'Page.loadEventFired') return;
        this.listeners.delete(listener);
        resolve();
      };
      this.listeners.add(listener);
    });
    await this.send('Page.navigate', { url });
    await loaded;
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })) as { result: { value?: unknown }; exceptionDetails?: { exception?: { description?: string } } };
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? 'it threw');
    return result.value;
  }

  /** A key by its name in KeyboardEvent.key. */
  async press(key: string): Promise<void> {
    for (const type of ['keyDown', 'keyUp']) await this.send('Input.dispatchKeyEvent', { type, key, code: key });
  }

  async size(width: number, height: number): Promise<void> {
    await this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
  }

  async media(media: 'screen' | 'print', scheme: 'light' | 'dark'): Promise<void> {
    await this.send('Emulation.setEmulatedMedia', {
      media,
      features: [{ name: 'prefers-color-scheme', value: scheme }],
    });
  }

  async end(): Promise<void> {
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGKILL');
    await closed;
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  private hear(answer: Answer): void {
    if (answer.id !== undefined) {
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
      return;
    }
    const { method, params } = answer;
    if (method === 'Runtime.consoleAPICalled' || method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded')
      this.seen.problems.push(JSON.stringify(params));
    if (method === 'Network.requestWillBeSent')
      this.seen.requests.push((params as unknown as { request: { url: string } }).request.url);
    for (const listener of this.listeners) listener(answer);
  }
}
