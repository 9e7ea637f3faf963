import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { SandboxServer } from './server.ts';
import type { SandboxSession } from './session.ts';

/** Where and how a sandbox listens. */
export interface ListenOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** PEM key and certificate. `implicit`: TLS from the first byte; `starttls` (default): offered by STARTTLS. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly mode?: 'implicit' | 'starttls' };
}

/** A sandbox on a TCP port. */
export interface SandboxListener extends AsyncDisposable {
  readonly port: number;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/** Puts a sandbox on a TCP port. Rejects when the port cannot be had. */
export async function listenSandbox(server: SandboxServer, options: ListenOptions = {}): Promise<SandboxListener> {
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    new SocketWire(server, socket, options.tls ?? null).open();
  });
  listener.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(listener, 'listening');
  const close = async () => {
    if (!listener.listening) return;
    const closed = once(listener, 'close');
    listener.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port: (listener.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close };
}

/** One accepted socket and its session. */
class SocketWire {
  readonly #server: SandboxServer;
  readonly #raw: Socket;
  readonly #tls: ListenOptions['tls'] | null;
  #socket: Socket;
  #session: SandboxSession | null = null;

  constructor(server: SandboxServer, socket: Socket, tls: ListenOptions['tls'] | null) {
    this.#server = server;
    this.#raw = socket;
    this.#socket = socket;
    this.#tls = tls;
  }

  open(): void {
    const startsWithTls = this.#tls?.mode === 'implicit';
    if (startsWithTls) this.#wrap();
    const host = {
      send: (parts: readonly Buffer[]) => this.#send(parts),
      end: (reset: boolean) => this.#end(reset),
      resume: () => this.#socket.resume(),
      ...(this.#tls !== null && !startsWithTls && { startTls: () => this.#upgrade() }),
    };
    // A vanished client is an everyday event for a server; `close` follows.
    this.#raw.on('error', () => {});
    this.#raw.once('close', () => this.#session?.closed());
    this.#socket.on('data', this.#onData);
    this.#socket.on('drain', this.#onDrain);
    this.#session = this.#server.openSession(host, { secure: startsWithTls });
  }

  readonly #onData = (chunk: Buffer) => {
    if (this.#session?.receive(chunk) === false) this.#socket.pause();
  };

  readonly #onDrain = () => this.#session?.drained();

  #send(parts: readonly Buffer[]): boolean {
    const socket = this.#socket;
    if (socket.destroyed) return true;
    let writable = true;
    socket.cork();
    for (const part of parts) writable = socket.write(part);
    socket.uncork();
    return writable;
  }

  /** A reset may overtake what was sent before it, as on any network. */
  #end(reset: boolean): void {
    if (reset) this.#raw.resetAndDestroy();
    else this.#socket.end();
  }

  #upgrade(): void {
    this.#raw.off('data', this.#onData).off('drain', this.#onDrain);
    this.#wrap();
    this.#socket.on('data', this.#onData);
    this.#socket.on('drain', this.#onDrain);
    this.#socket.once('secure', () => this.#session?.tlsStarted());
  }

  #wrap(): void {
    const { key, cert } = this.#tls ?? {};
    this.#socket = new TLSSocket(this.#raw, {
      isServer: true,
      ...(key !== undefined && { key }),
      ...(cert !== undefined && { cert }),
    });
    this.#socket.on('error', () => {});
  }
}
