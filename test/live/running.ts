/** The built command as a process that is still running: its events as they come, signals, and how it ended. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { commandFile, ensureBuilt } from '../../scripts/setup.mjs';

/** Longest time one run of the command may take. */
const commandPatienceMs = 100_000;

export interface CommandEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface CommandEnd {
  /** `null`: a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class RunningCommand {
  readonly #args: readonly string[];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #output = { stdout: '', stderr: '' };
  readonly #events: CommandEvent[] = [];
  readonly #waiting = new Set<{ matches: (event: CommandEvent) => boolean; resolve: () => void }>();
  #parsed = 0;
  /** Rejects when it cannot be started or does not end. */
  readonly ended: Promise<CommandEnd>;

  private constructor(args: readonly string[], child: ChildProcessWithoutNullStreams) {
    this.#args = args;
    this.#child = child;
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        this.#output[name] += text;
        if (name === 'stdout' && args.includes('--json')) this.#parse();
      });
    }
    this.ended = this.#end();
  }

  /** `input`: all that there is on its standard input. */
  static start(args: readonly string[], env: Record<string, string> = {}, input = ''): RunningCommand {
    ensureBuilt();
    const child = spawn(process.execPath, [commandFile, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...env },
    });
    // One that does not read has ended before it was given everything.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    return new RunningCommand(args, child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stdout(): string {
    return this.#output.stdout;
  }

  get stderr(): string {
    return this.#output.stderr;
  }

  /** What `--json` printed so far. */
  get events(): readonly CommandEvent[] {
    return this.#events;
  }

  /** Resolves when such an event has been printed. @throws when the command ends without it */
  async event(matches: (event: CommandEvent) => boolean): Promise<void> {
    if (this.#events.some(matches)) return;
    const heard = new Promise<void>((resolve) => this.#waiting.add({ matches, resolve }));
    const ended = this.ended.then(({ code }) => {
      throw new Error(`${this.#args.join(' ')} ended with ${code} before its time:\n${this.stderr.slice(-4000)}`);
    });
    await Promise.race([heard, ended]);
  }

  /** False: it has ended already. */
  kill(signal: NodeJS.Signals): boolean {
    return this.#child.kill(signal);
  }

  #parse(): void {
    const end = this.#output.stdout.lastIndexOf('\n') + 1;
    const lines = this.#output.stdout.slice(this.#parsed, end).split('\n');
    this.#parsed = end;
    for (const line of lines) {
      if (line === '') continue;
      const event = JSON.parse(line) as CommandEvent;
      this.#events.push(event);
      for (const waiter of this.#waiting) {
        if (!waiter.matches(event)) continue;
        this.#waiting.delete(waiter);
        waiter.resolve();
      }
    }
  }

  #end(): Promise<CommandEnd> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#child.kill('SIGKILL');
        reject(new Error(`${this.#args.join(' ')} did not end:\n${this.stderr.slice(-4000)}`));
      }, commandPatienceMs);
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        clearTimeout(timer);
        resolve({ code, signal });
      });
    });
  }
}
