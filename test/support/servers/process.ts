/**
 * Child processes that cannot outlive the tests: each server runs under a small shell guard which ends it, and removes its
 * folder, as soon as this process closes the guard's standard input: on purpose, by exiting, by crashing, by SIGKILL.
 */
import { spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const readyPatienceMs = 20_000;
const retryMs = 20;

/**
 * $1 the folder to remove, the rest the command. Some servers leave the guard's process group, so the end is asked for by pid,
 * by that pid's group and by the guard's group. No mail has to survive: what lingers after TERM is killed.
 */
const guardScript = `
dir=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(
  cat <&3 >/dev/null
  kill -TERM "$server" -"$server"
  sleep 0.2
  kill -KILL "$server" -"$server"
) 2>/dev/null &
watcher=$!
exec 3<&-
trap '' TERM
wait "$server"
status=$?
kill -KILL "$watcher" 2>/dev/null
kill -TERM -"$server" -$$ 2>/dev/null
rm -rf "$dir"
exit "$status"
`;

/** A server's process and its own folder, which goes away with it. */
export class ServerProcess {
  readonly dir: string;
  readonly #exited: Promise<void>;
  readonly #endInput: () => void;
  #running = true;
  #lastLog = '';

  private constructor(dir: string, exited: Promise<void>, endInput: () => void) {
    this.dir = dir;
    this.#endInput = endInput;
    this.#exited = exited.finally(() => {
      this.#running = false;
    });
  }

  /** Runs `command` with its output in `dir`/output.log. */
  static start(
    dir: string,
    command: readonly [string, ...string[]],
    env: Readonly<Record<string, string>> = {},
  ): ServerProcess {
    const output = openSync(join(dir, 'output.log'), 'a');
    const guard = spawn('/bin/sh', ['-c', guardScript, 'server-guard', dir, ...command], {
      // A group of its own: Ctrl-C at the terminal must reach the tests first, which then end the servers.
      detached: true,
      stdio: ['pipe', output, output],
      env: { ...process.env, ...env },
    });
    closeSync(output);
    const input = guard.stdin;
    const exited = new Promise<void>((resolve, reject) => {
      guard.once('error', reject);
      guard.once('exit', () => resolve());
    });
    // A forgotten server must not keep the test process alive; its end closes the pipe.
    guard.unref();
    input?.on('error', () => {});
    (input as unknown as { unref?: () => void } | null)?.unref?.();
    return new ServerProcess(dir, exited, () => {
      guard.ref();
      input?.end();
    });
  }

  get running(): boolean {
    return this.#running;
  }

  /** The end of what the server wrote to its logs. */
  logTail(maxChars = 4000): string {
    const text = ['output.log', 'server.log'].map((name) => readIfThere(join(this.dir, name))).join('');
    if (text !== '') this.#lastLog = text.slice(-maxChars);
    return this.#lastLog;
  }

  /** Resolves when the server has greeted on `port`; rejects with its log when it ended or stayed silent. */
  async ready(port: number): Promise<void> {
    const deadline = performance.now() + readyPatienceMs;
    for (;;) {
      if (await greets(port)) return;
      if (!this.#running) throw new Error(`the server on port ${port} ended at start:\n${this.logTail()}`);
      if (performance.now() > deadline) {
        const log = this.logTail();
        await this.stop();
        throw new Error(`no greeting on port ${port} after ${readyPatienceMs / 1000} s:\n${log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  /** Ends the server and removes its folder; resolves when both are done. */
  async stop(): Promise<void> {
    this.logTail();
    this.#endInput();
    await this.#exited;
  }
}

/** Ports of 127.0.0.1 that nobody listens on right now. */
export async function freePorts(count: number): Promise<number[]> {
  const holders = await Promise.all(
    Array.from({ length: count }, async () => {
      const holder = createServer();
      await new Promise<void>((resolve, reject) => holder.once('error', reject).listen(0, '127.0.0.1', resolve));
      return holder;
    }),
  );
  return Promise.all(
    holders.map(async (holder) => {
      const address = holder.address();
      await new Promise((resolve) => holder.close(resolve));
      if (address === null || typeof address === 'string') throw new Error('a TCP server without a port');
      return address.port;
    }),
  );
}

/**
 * Calls `launch` with a new folder, which other users such as a server's mail user may pass through, and with free ports;
 * again with other ones when somebody was quicker to take them. Leaves no folder behind when `launch` fails.
 */
export async function startServer<Started>(
  kind: string,
  portCount: number,
  launch: (dir: string, ports: readonly number[]) => Promise<Started>,
): Promise<Started> {
  for (let attempt = 1; ; attempt++) {
    const dir = mkdtempSync(join(tmpdir(), `imap-migrate-${kind}-`));
    chmodSync(dir, 0o755);
    try {
      return await launch(dir, await freePorts(portCount));
    } catch (error) {
      rmSync(dir, { recursive: true, force: true });
      if (attempt === 3 || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

/** True when an IMAP greeting came. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n')) finish(/^\* (OK|PREAUTH)/i.test(text));
    });
  });
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
