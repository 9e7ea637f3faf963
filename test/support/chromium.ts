/** Chromium without a window, spoken to over its DevTools protocol through two pipes: no port, no package. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const programs = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser that is installed; `null`: none. */
export function findChromium(): string | null {
  const places = (process.env.PATH ?? '').split(':');
  return places.flatMap((place) => programs.map((name) => join(place, name))).find((file) => existsSync(file)) ?? null;
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export class Chromium implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #toBrowser: Writable;
  readonly #pending = new Map<number, { resolve(result: Record<string, unknown>): void; reject(error: Error): void }>();
  #session: string | null = null;
  #lastId = 0;
  #rest = '';
  /** What the page complained about: errors, and what its policy refused. */
  readonly complaints: string[] = [];
  /** Addresses it wanted to load. */
  readonly requests: string[] = [];

  private constructor(program: string) {
    this.#profile = mkdtempSync(join(tmpdir(), 'chromium-'));
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const flags = [
      '--headless=new',
      '--remote-debugging-pipe',
      '--no-first-run',
      '--disable-gpu',
      '--disable-dev-shm-usage',
    ];
    const quiet = [
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-extensions',
    ];
    const profile = `--user-data-dir=${this.#profile}`;
    this.#process = spawn(program, [...flags, ...quiet, ...sandbox, profile, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      // It starts more of its kind: all of them end together.
      detached: true,
    });
    this.#toBrowser = this.#process.stdio[3] as Writable;
    const fromBrowser = this.#process.stdio[4] as Readable;
    fromBrowser.setEncoding('utf8');
    fromBrowser.on('data', (text: string) => this.#hear(text));
    this.#toBrowser.on('error', () => {});
    process.once('exit', this.#kill);
    this.#process.on('exit', () => {
      for (const { reject } of this.#pending.values()) reject(new Error('the browser has ended'));
      this.#pending.clear();
    });
  }

  /** A browser with one empty page. */
  static async start(program: string): Promise<Chromium> {
    const browser = new Chromium(program);
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = String(sessionId);
    for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Audits']) await browser.send(`${domain}.enable`, {});
    return browser;
  }

  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    const session = this.#session === null ? {} : { sessionId: this.#session };
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#toBrowser.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    });
  }

  /** Goes to a page, and waits until `ready`, an expression, is true there. */
  async open(url: string, ready: string): Promise<void> {
    await this.send('Page.navigate', { url });
    await this.until(ready);
  }

  /** The value of an expression in the page. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const options = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', options);
    if (exceptionDetails !== undefined) throw new Error(`the page threw: ${JSON.stringify(exceptionDetails)}`);
    return (result as { readonly value: Value }).value;
  }

  /** Waits until an expression in the page is true. */
  async until(expression: string): Promise<void> {
    const poll = `new Promise((resolve) => {
      const look = () => ((${expression}) ? resolve(true) : requestAnimationFrame(look));
      look();
    })`;
    for (;;) {
      try {
        await this.evaluate(poll);
        return;
      } catch (error) {
        // The page that was asked has given way to the next one.
        if (!/context was destroyed|navigated/.test(String(error))) throw error;
      }
    }
  }

  async key(key: string): Promise<void> {
    const text = key.length === 1 ? { text: key } : key === 'Enter' ? { text: '\r' } : {};
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', key, ...text });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', key });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#kill);
    this.#kill();
    while (this.#isAlive()) await new Promise((resolve) => setTimeout(resolve, 10));
    rmSync(this.#profile, { recursive: true, force: true });
  }

  readonly #kill = (): void => {
    this.#signal('SIGKILL');
  };

  #isAlive(): boolean {
    return this.#signal(0);
  }

  /** False: there is nobody left to hear it. */
  #signal(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-(this.#process.pid ?? Number.NaN), signal);
    } catch {
      return false;
    }
  }

  #hear(text: string): void {
    const messages = (this.#rest + text).split('\0');
    this.#rest = messages.pop() ?? '';
    for (const message of messages) this.#take(JSON.parse(message));
  }

  #take({ id, method, params = {}, result = {}, error }: Answer): void {
    if (id !== undefined) {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) pending?.resolve(result);
      else pending?.reject(new Error(error.message));
    } else if (method === 'Network.requestWillBeSent') {
      this.requests.push((params.request as { readonly url: string }).url);
    } else if (
      method === 'Runtime.exceptionThrown' ||
      method === 'Audits.issueAdded' ||
      method === 'Page.javascriptDialogOpening'
    ) {
      this.complaints.push(JSON.stringify(params));
    } else if (method === 'Log.entryAdded') {
      this.complaints.push(JSON.stringify(params));
    }
  }
}
