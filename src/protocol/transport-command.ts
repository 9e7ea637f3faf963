import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { ConnectError, toPrintable } from './errors.ts';
import { StreamTransport } from './transport-stream.ts';
import type { TlsOptions } from './transport-tls.ts';
import type { Cancel, Clock, Transport } from './types.ts';

/** How long a command may take to obey SIGTERM. */
const killAfterMs = 2_000;
/** How long a command may take to exit after it has closed its output: its exit status says more than that it was killed. */
const exitAfterMs = 500;
/** How much of what the command wrote to stderr last is kept for the error. */
const stderrBytes = 2_048;
const stderrLines = 3;

export interface CommandOptions {
  /** Run by `sh -c`; speaks IMAP on its standard input and output. */
  readonly command: string;
  /** The name TLS asks for and checks, when TLS is spoken through the command. */
  readonly host: string;
  readonly tls: TlsOptions;
  readonly clock: Clock;
}

/**
 * Starts a command and talks to it: a tunnel, or an IMAP server on this machine. It runs in a process group of its own,
 * so that Ctrl-C reaches us and not the tunnel we are draining; closing the transport ends the whole group.
 * Whatever goes wrong is told by `onClose`: a ConnectError with the exit status and the last lines of stderr.
 */
export function openCommandTransport(options: CommandOptions): Transport {
  const description = `command: ${programName(options.command)}`;
  const child = startShell(options.command, description);
  let stderr = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-stderrBytes);
  });
  // A pipe whose reader has gone; the child's end tells the story.
  child.stdin.on('error', () => {});

  const ended = new Promise<string | null>((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => resolve(`could not be started (${error.code ?? error.name})`));
    child.on('close', (code, signal) => resolve(describeExit(code, signal)));
  });

  async function afterClose(error: Error | null): Promise<Error | null> {
    signalGroup(child, 'SIGTERM');
    const cancel = options.clock.after(killAfterMs, () => {
      signalGroup(child, 'SIGKILL');
      // What left the group may hold the pipe open for ever.
      child.stderr.destroy();
    });
    const exit = await ended;
    cancel();
    if (exit === null && error === null) return null;
    const words = lastLines(stderr.toString('utf8'));
    const said = words === '' ? '' : `: ${words}`;
    return new ConnectError(`${description} ${exit ?? 'ended'}${said}`, error === null ? {} : { cause: error });
  }

  return new StreamTransport(new ChildStream(child, options.clock), {
    description,
    host: options.host,
    tls: options.tls,
    afterClose,
  });
}

/** The child's two pipes as one stream. Not `Duplex.from`: that adds a queue in each direction. */
class ChildStream extends Duplex {
  readonly #child: ChildProcessWithoutNullStreams;
  #cancelWait: Cancel = () => {};

  constructor(child: ChildProcessWithoutNullStreams, clock: Clock) {
    super({ allowHalfOpen: true });
    this.#child = child;
    const end = () => {
      this.#cancelWait();
      this.push(null);
    };
    child.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout.pause();
    });
    child.stdout.on('end', () => {
      if (child.exitCode !== null || child.signalCode !== null) return end();
      this.#cancelWait = clock.after(exitAfterMs, end);
      child.once('exit', end);
    });
    child.stdout.on('error', (error) => this.destroy(error));
    child.on('error', (error) => this.destroy(error));
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#child.stdin.write(chunk, done);
  }

  override _writev(parts: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const stdin = this.#child.stdin;
    stdin.cork();
    parts.forEach(({ chunk }, index) => {
      stdin.write(chunk, index === parts.length - 1 ? done : undefined);
    });
    stdin.uncork();
  }

  override _final(done: () => void): void {
    this.#child.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#cancelWait();
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    done(error);
  }
}

function startShell(command: string, description: string): ChildProcessWithoutNullStreams {
  try {
    return spawn('/bin/sh', ['-c', command], { stdio: 'pipe', detached: true });
  } catch (cause) {
    throw new ConnectError(`${description} could not be started: is it one line of text?`, { cause });
  }
}

/** The program alone: arguments and assignments before it may hold what nobody else should read. */
function programName(command: string): string {
  const first = command.trim().split(/\s+/, 1)[0] ?? '';
  const name = first.slice(first.lastIndexOf('/') + 1);
  return /^[\w.+-]+$/.test(name) ? name : 'sh';
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string | null {
  if (signal === 'SIGTERM' || signal === 'SIGKILL') return null;
  if (signal !== null) return `was ended by ${signal}`;
  return code === 0 ? null : `ended with exit status ${code}`;
}

function signalGroup(child: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: nobody is left in the group. EPERM: macOS says so of processes that ended and were not waited for.
  }
}

function lastLines(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return toPrintable(
    lines
      .filter((line) => line !== '')
      .slice(-stderrLines)
      .join(' / '),
    400,
  );
}
