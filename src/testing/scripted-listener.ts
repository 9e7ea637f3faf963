import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket, type TlsOptions } from 'node:tls';
import type { Transport, TransportHandlers } from '../protocol/index.ts';
import { ScriptedServer, type ScriptOptions } from './scripted-server.ts';
import { parseTranscript, TranscriptError } from './transcript.ts';

/** A scripted server on a port of this machine. */
export interface ScriptedListener extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Resolves when every transcript is played; rejects where a client strays, or where one connection too many comes. */
  readonly done: Promise<void>;
  /** The server of each connection, in the order they come; each resolves when its connection does. */
  readonly servers: readonly Promise<ScriptedServer>[];
  /** Everything that arrived on all connections, before any TLS was taken off. */
  received(): Buffer;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

export interface ScriptedListenOptions extends ScriptOptions {
  /** Certificate and key, for `implicit` TLS or an `X: starttls` step. */
  readonly tls?: (Pick<TlsOptions, 'cert' | 'key' | 'maxVersion'> & { readonly implicit?: boolean }) | undefined;
}

/**
 * Listens on a free port of 127.0.0.1 and plays a transcript, greeting included, to the client that connects. Of several
 * transcripts each connection is played the next one.
 * @throws TranscriptError where one of them cannot be read, TypeError where there is none.
 */
export async function listenScripted(
  transcripts: string | readonly string[],
  options: ScriptedListenOptions = {},
): Promise<ScriptedListener> {
  const scripts = typeof transcripts === 'string' ? [transcripts] : transcripts;
  if (scripts.length === 0) throw new TypeError('a listener needs a transcript');
  for (const script of scripts) parseTranscript(script);
  const arrived: Buffer[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const resolvers: ((server: ScriptedServer) => void)[] = [];
  const servers = scripts.map(() => new Promise<ScriptedServer>((resolve) => resolvers.push(resolve)));
  let refuse: (error: Error) => void = () => {};
  const tooMany = new Promise<never>((_resolve, reject) => {
    refuse = reject;
  });
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const index = connections++;
    const script = scripts[index];
    if (script === undefined) {
      socket.destroy();
      refuse(new TranscriptError(null, `connection ${index + 1} came, and there is no transcript for it`));
      return;
    }
    const transport = new SocketPeer(socket, options.tls, (chunk) => arrived.push(chunk));
    resolvers[index]?.(new ScriptedServer(transport, script, { settleTurns: 20, ...options }));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { address: host, port } = listener.address() as AddressInfo;
  const all = Promise.all(servers.map(async (server) => (await server).done)).then(() => {});
  const done = Promise.race([all, tooMany]);
  done.catch(() => {});
  const close = async () => {
    if (!listener.listening) return;
    const closed = once(listener, 'close');
    listener.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    host,
    port,
    done,
    servers,
    received: () => Buffer.concat(arrived),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The server's side of a socket. */
class SocketPeer implements Transport {
  readonly description = 'scripted socket';
  secure = false;
  readonly #tls: ScriptedListenOptions['tls'];
  #stream: Socket | TLSSocket;
  #handlers: TransportHandlers | null = null;

  constructor(socket: Socket, tls: ScriptedListenOptions['tls'], onArrived: (chunk: Buffer) => void) {
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

  end(): void {
    this.#stream.end(() => this.#stream.destroy());
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
