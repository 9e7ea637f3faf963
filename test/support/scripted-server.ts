import { createServer, type Server, type Socket } from 'node:net';
import { type TlsOptions as ServerTlsOptions, TLSSocket } from 'node:tls';
import { createMemoryPair, type MemoryPairOptions } from '../../src/protocol/transport-memory.ts';
import type { Transport, TransportHandlers } from '../../src/protocol/types.ts';
import { turns } from './manual-clock.ts';

/**
 * A peer that plays a transcript and checks what the client says, byte by byte:
 *
 *     S: * OK [CAPABILITY IMAP4rev1] ready      a line to send
 *     C: $A NOOP                                the line the client must send now; `$A` learns its tag
 *     S: $A OK done                             `$A` stands for that tag
 *     X: close                                  something to do: see `#act`
 *
 * Lines end with CRLF; `S` lines join to literals where the text says so, and so do `C` lines. `S` lines in a row leave in
 * one write. Before the server speaks, everything the client has sent must have been expected: nothing may run ahead of
 * the transcript.
 */
export class ScriptedServer {
  /** Resolves when the transcript is played, rejects where the client strays from it. */
  readonly done: Promise<void>;
  readonly #transport: Transport;
  readonly #steps: readonly Step[];
  readonly #options: ScriptOptions;
  readonly #tags = new Map<string, string>();
  #inbox = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => {};

  constructor(transport: Transport, transcript: string, options: ScriptOptions = {}) {
    this.#transport = transport;
    this.#steps = parseTranscript(transcript);
    this.#options = options;
    transport.start({
      onData: (chunk) => {
        this.#inbox = Buffer.concat([this.#inbox, chunk]);
        this.#wake();
      },
      onDrain: () => {},
      onClose: () => {
        this.#closed = true;
        this.#wake();
      },
    });
    this.done = this.#play();
    // A test that fails for another reason first does not come round to awaiting it.
    this.done.catch(() => {});
  }

  /** What the client sent and no step has asked for. */
  get unexpected(): string {
    return this.#inbox.toString('latin1');
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends bytes that the transcript does not know of. */
  send(text: string): void {
    this.#transport.write([Buffer.from(text, 'latin1')]);
  }

  async #play(): Promise<void> {
    let words = '';
    for (const [index, step] of this.#steps.entries()) {
      if (step.kind === 'C') await this.#expect(step.text);
      else if (step.kind === 'X') await this.#act(step.text);
      else {
        words += `${this.#fill(step.text)}\r\n`;
        if (this.#steps[index + 1]?.kind === 'S') continue;
        await this.#say(words);
        words = '';
      }
    }
  }

  async #expect(text: string): Promise<void> {
    const line = await this.#readLine(text);
    const label = /^\$([A-Z])\b/.exec(text)?.[1];
    if (label !== undefined && !this.#tags.has(label)) this.#tags.set(label, line.split(' ', 1)[0] ?? '');
    const expected = this.#fill(text);
    if (line !== expected) throw new Error(`the client said  ${line}\ninstead of       ${expected}`);
  }

  async #say(words: string): Promise<void> {
    await this.#settle();
    const bytes = Buffer.from(words, 'latin1');
    const chunks = this.#options.chunk?.(bytes) ?? [bytes];
    if (!this.#closed) for (const chunk of chunks) this.#transport.write([chunk]);
  }

  async #act(action: string): Promise<void> {
    await this.#settle();
    const [name, ...words] = action.split(' ');
    switch (name) {
      case 'close':
        this.#transport.close();
        break;
      // Parts what would leave in one write.
      case 'wait':
        break;
      // Sends the JSON string that follows, without an end of line.
      case 'raw':
        this.#transport.write([Buffer.from(this.#fill(JSON.parse(words.join(' '))), 'latin1')]);
        break;
      // Waits until the client has hung up.
      case 'gone':
        while (!this.#closed) await this.#change();
        break;
      // Sends the line that follows and starts TLS in the same breath, as a server does that has agreed to it.
      case 'starttls':
        this.#transport.write([Buffer.from(`${this.#fill(words.join(' '))}\r\n`, 'latin1')]);
        await this.#transport.upgrade();
        break;
      default:
        throw new Error(`the transcript asks for an unknown action: ${action}`);
    }
  }

  /** Lets the client say what it wants to say; nothing may be left over. */
  async #settle(): Promise<void> {
    await turns(this.#options.patience ?? 6);
    if (this.#inbox.length > 0 && this.#options.mayRunAhead !== true)
      throw new Error(`the client ran ahead of the transcript: ${this.unexpected}`);
  }

  async #readLine(awaited: string): Promise<string> {
    for (;;) {
      const end = this.#inbox.indexOf('\r\n');
      if (end !== -1) {
        const line = this.#inbox.toString('latin1', 0, end);
        this.#inbox = this.#inbox.subarray(end + 2);
        return line;
      }
      if (this.#closed) throw new Error(`the client hung up, but the transcript expects: ${awaited}`);
      await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #fill(text: string): string {
    return text.replace(/\$([A-Z])\b/g, (whole, label: string) => this.#tags.get(label) ?? whole);
  }
}

export interface ScriptOptions {
  /** Cuts what the server sends. */
  readonly chunk?: (bytes: Buffer) => Buffer[];
  /** Turns of the event loop in which the client may still say something unexpected. */
  readonly patience?: number;
  /** For a server that is not meant to understand the client. */
  readonly mayRunAhead?: boolean;
}

interface Step {
  readonly kind: 'S' | 'C' | 'X';
  readonly text: string;
}

function parseTranscript(transcript: string): Step[] {
  const steps: Step[] = [];
  for (const line of transcript.split('\n')) {
    const match = /^\s*([SCX]):(?: (.*))?$/.exec(line);
    if (match !== null) steps.push({ kind: match[1] as Step['kind'], text: match[2] ?? '' });
    else if (line.trim() !== '') throw new Error(`a transcript line needs S:, C: or X: in front: ${line}`);
  }
  return steps;
}

/** A scripted server at the other end of a stream in memory. */
export function scriptedPair(
  transcript: string,
  options: ScriptOptions & MemoryPairOptions = {},
): { readonly transport: Transport; readonly server: ScriptedServer } {
  const [transport, other] = createMemoryPair({ description: 'test server', ...options });
  return { transport, server: new ScriptedServer(other, transcript, options) };
}

export interface ScriptedListener {
  readonly port: number;
  /** The server of the first connection. */
  readonly server: Promise<ScriptedServer>;
  /** Everything that arrived, before any TLS was taken off. */
  received(): Buffer;
  close(): Promise<void>;
}

export interface ListenOptions extends ScriptOptions {
  /** Certificate and key, for `implicit` or an `X: tls` step. */
  readonly tls?: Pick<ServerTlsOptions, 'cert' | 'key' | 'maxVersion'> & { readonly implicit?: boolean };
}

/** A scripted server on a port of this machine. */
export async function listenScripted(transcript: string, options: ListenOptions = {}): Promise<ScriptedListener> {
  const arrived: Buffer[] = [];
  const sockets = new Set<Socket>();
  let resolveServer: (server: ScriptedServer) => void = () => {};
  const server = new Promise<ScriptedServer>((resolve) => {
    resolveServer = resolve;
  });
  const listener: Server = createServer((socket) => {
    sockets.add(socket);
    const transport = new ServerTransport(socket, options.tls, (chunk) => arrived.push(chunk));
    resolveServer(new ScriptedServer(transport, transcript, { patience: 20, ...options }));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    server,
    received: () => Buffer.concat(arrived),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        listener.close(() => resolve());
      }),
  };
}

/** The server's side of a socket. */
class ServerTransport implements Transport {
  readonly description = 'scripted socket';
  secure = false;
  readonly #tls: ListenOptions['tls'];
  #stream: Socket | TLSSocket;
  #handlers: TransportHandlers | null = null;

  constructor(socket: Socket, tls: ListenOptions['tls'], onArrived: (chunk: Buffer) => void) {
    this.#tls = tls;
    this.#stream = socket;
    socket.on('error', () => {});
    if (tls?.implicit === true) this.#wrap();
    else socket.on('data', onArrived);
  }

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#listen();
  }

  write(parts: readonly Buffer[]): boolean {
    for (const part of parts) this.#stream.write(part);
    return true;
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  async upgrade(): Promise<void> {
    this.#stream.removeAllListeners('data');
    this.#wrap();
    this.#listen();
    await new Promise<void>((resolve) => this.#stream.once('secure', () => resolve()));
  }

  close(): void {
    this.#stream.destroy();
  }

  #wrap(): void {
    this.#stream = new TLSSocket(this.#stream, { ...this.#tls, isServer: true });
    this.#stream.on('error', () => {});
    this.secure = true;
  }

  #listen(): void {
    this.#stream.on('data', (chunk: Buffer) => this.#handlers?.onData(chunk));
    this.#stream.once('close', () => this.#handlers?.onClose(null));
  }
}
