import type { MemoryTransport, Transport } from '../protocol/index.ts';
import { turns } from './manual-clock.ts';
import { ServerCompression } from './server-compression.ts';
import { parseTranscript, TranscriptError, type TranscriptStep } from './transcript.ts';

export interface ScriptOptions {
  /** Cuts what the server sends: each piece is a write of its own. */
  readonly chunk?: ((bytes: Buffer) => readonly Buffer[]) | undefined;
  /** Turns of the event loop in which the client may still say something unexpected; 6 in memory, 20 on a socket. */
  readonly settleTurns?: number | undefined;
  /** For a server that is not meant to understand the client: what it says too early or too much is no error. */
  readonly mayRunAhead?: boolean | undefined;
  /** How long a line of the client is waited for, in milliseconds of the real clock; 4000. */
  readonly waitMs?: number | undefined;
}

/** Ends before a test runner gives up, which could not say what was missing. */
const defaultWaitMs = 4_000;

/**
 * A peer that plays a transcript and checks what the client says, byte by byte:
 *
 *     S: * OK [CAPABILITY IMAP4rev1] ready      a line to send
 *     C: $A NOOP                                the line the client must send now; `$A` learns its tag
 *     S: $A OK done                             `$A` stands for that tag
 *     X: close                                  something to do: see below
 *
 * Lines end with CRLF and stand for bytes (latin1). `S` lines join to literals where the text says so, and so do `C`
 * lines. `S` lines in a row leave in one write. Before the server speaks, everything the client has sent must have been
 * expected: nothing may run ahead of the transcript.
 *
 * `X: close` hangs up. `X: gone` waits until the client has hung up. `X: wait` parts what would leave in one write.
 * `X: raw "…"` sends a JSON string without a line end. `X: starttls $A OK go ahead` sends the line and starts TLS in the
 * same breath, as a server does that has agreed to it. `X: compress $A OK go ahead` sends the line; all bytes after it are
 * compressed (RFC 4978), in both directions.
 */
export class ScriptedServer {
  /**
   * Resolves when the transcript is played; rejects with a TranscriptError where the client strays from it, hangs up too
   * early, or does not say what is expected of it. Then the server hangs up; in memory what the client waits for rejects
   * with that error as its cause.
   */
  readonly done: Promise<void>;
  readonly #transport: Transport;
  readonly #steps: readonly TranscriptStep[];
  readonly #options: ScriptOptions;
  readonly #tags = new Map<string, string>();
  #inbox = Buffer.alloc(0);
  #closed = false;
  #compression: ServerCompression | null = null;
  #wake: () => void = () => {};

  /** @throws TranscriptError where the transcript cannot be read. */
  constructor(transport: Transport, transcript: string | readonly TranscriptStep[], options: ScriptOptions = {}) {
    this.#transport = transport;
    this.#steps = typeof transcript === 'string' ? parseTranscript(transcript) : transcript;
    this.#options = options;
    transport.start({
      onData: (chunk) => {
        if (this.#compression === null) this.#receive(chunk);
        else this.#compression.receive(chunk);
      },
      onDrain: () => {},
      onClose: () => {
        this.#closed = true;
        this.#wake();
      },
    });
    this.done = this.#play();
    // Awaiting an answer that will never come, a test would not come round to awaiting `done`.
    this.done.catch((error: Error) => this.#hangUp(error));
  }

  /** What the client sent and no step has asked for. */
  get unexpected(): string {
    return this.#inbox.toString('latin1');
  }

  /** Either side has hung up. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Sends bytes that the transcript does not know of, as they are: a string stands for bytes (latin1). */
  send(bytes: string | Buffer): void {
    this.#transport.write([typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes]);
  }

  #receive(chunk: Buffer): void {
    this.#inbox = Buffer.concat([this.#inbox, chunk]);
    this.#wake();
  }

  async #play(): Promise<void> {
    let words = '';
    for (const [index, step] of this.#steps.entries()) {
      if (step.kind === 'C') await this.#expect(step);
      else if (step.kind === 'X') await this.#act(step);
      else {
        words += `${this.#fill(step.text)}\r\n`;
        if (this.#steps[index + 1]?.kind === 'S') continue;
        await this.#say(words, step.line);
        words = '';
      }
    }
  }

  async #expect(step: TranscriptStep): Promise<void> {
    const line = await this.#readLine(step);
    const label = /^\$([A-Z])\b/.exec(step.text)?.[1];
    if (label !== undefined && !this.#tags.has(label)) this.#tags.set(label, line.split(' ', 1)[0] ?? '');
    const expected = this.#fill(step.text);
    if (line !== expected) {
      throw new TranscriptError(step.line, `the client said\n  ${line}\ninstead of\n  ${expected}`);
    }
  }

  async #say(words: string, line: number): Promise<void> {
    await this.#settle(line);
    const bytes = Buffer.from(words, 'latin1');
    const chunks = this.#options.chunk?.(bytes) ?? [bytes];
    const out = this.#compression ?? this.#transport;
    if (!this.#closed) for (const chunk of chunks) out.write([chunk]);
    await this.#compression?.flushed();
  }

  async #act(step: TranscriptStep): Promise<void> {
    await this.#settle(step.line);
    const [name, ...words] = step.text.split(' ');
    switch (name) {
      case 'close':
        this.#transport.close();
        break;
      case 'wait':
        break;
      case 'raw':
        this.#transport.write([Buffer.from(this.#fill(JSON.parse(words.join(' '))), 'latin1')]);
        break;
      case 'gone':
        while (!this.#closed) await this.#change(step, 'for the client to hang up');
        break;
      case 'starttls':
        this.#transport.write([Buffer.from(`${this.#fill(words.join(' '))}\r\n`, 'latin1')]);
        await this.#transport.upgrade();
        break;
      case 'compress':
        this.#transport.write([Buffer.from(`${this.#fill(words.join(' '))}\r\n`, 'latin1')]);
        this.#compression = new ServerCompression(this.#transport, (chunk) => this.#receive(chunk));
        break;
      default:
        throw new TranscriptError(step.line, `an unknown action: ${step.text}`);
    }
  }

  /** Lets the client say what it wants to say; nothing may be left over. */
  async #settle(line: number): Promise<void> {
    await turns(this.#options.settleTurns ?? 6);
    if (this.#inbox.length > 0 && this.#options.mayRunAhead !== true) {
      throw new TranscriptError(line, `the client ran ahead of the transcript: ${this.unexpected}`);
    }
  }

  async #readLine(step: TranscriptStep): Promise<string> {
    for (;;) {
      const end = this.#inbox.indexOf('\r\n');
      if (end !== -1) {
        const line = this.#inbox.toString('latin1', 0, end);
        this.#inbox = this.#inbox.subarray(end + 2);
        return line;
      }
      if (this.#closed) throw new TranscriptError(step.line, `the client hung up instead of saying: ${step.text}`);
      await this.#change(step, `for the client to say: ${step.text}`);
    }
  }

  /** Resolves when bytes have come or the stream has ended. */
  async #change(step: TranscriptStep, awaited: string): Promise<void> {
    const waitMs = this.#options.waitMs ?? defaultWaitMs;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new TranscriptError(step.line, `waited ${waitMs} ms in vain ${awaited}`)),
        waitMs,
      );
      // Nobody may be waiting for the end of this transcript.
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #hangUp(error: Error): void {
    if (isMemory(this.#transport)) this.#transport.break(error);
    else this.#transport.close();
  }

  #fill(text: string): string {
    return text.replace(/\$([A-Z])\b/g, (whole, label: string) => this.#tags.get(label) ?? whole);
  }
}

function isMemory(transport: Transport): transport is MemoryTransport {
  return 'break' in transport;
}
