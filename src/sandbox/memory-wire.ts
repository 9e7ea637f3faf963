import type { Transport, TransportHandlers } from '../protocol/types.ts';
import type { SandboxServer } from './server.ts';
import type { SandboxSession } from './session.ts';

/** How a connection in memory behaves. */
export interface MemoryWireOptions {
  /**
   * Runs a delivery later, never at once. Default: the event loop's next turn. A seeded scheduler makes a run of many
   * connections repeatable; a clock makes it slow.
   */
  readonly schedule?: (deliver: () => void) => void;
  /** Cuts what the server sends: each piece is a delivery of its own. */
  readonly split?: (bytes: Buffer) => readonly Buffer[];
  /** Undelivered bytes at which a writer is told to wait. Default 256 KiB. */
  readonly highWaterBytes?: number;
  /** As if dialled over TLS. Default false. */
  readonly secure?: boolean;
}

/**
 * Connects to a sandbox in this thread. The bytes take the way a socket's would: asynchronously, in order, with
 * back-pressure in both directions. STARTTLS succeeds without a handshake.
 */
export function connectSandbox(server: SandboxServer, options: MemoryWireOptions = {}): Transport {
  return new MemoryWire(server, options);
}

/** What is under way in one direction. */
class Lane {
  bytes = 0;
  paused = false;
  /** A writer was told to wait. */
  full = false;
  #pieces: Buffer[] = [];
  #first = 0;

  push(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.bytes += piece.length;
  }

  /** The next piece, or `null`. */
  shift(): Buffer | null {
    const piece = this.#pieces[this.#first];
    if (piece === undefined) return null;
    this.#first += 1;
    this.bytes -= piece.length;
    if (this.#first === this.#pieces.length) {
      this.#pieces = [];
      this.#first = 0;
    }
    return piece;
  }
}

class MemoryWire implements Transport {
  readonly description = 'sandbox in memory';
  readonly #server: SandboxServer;
  readonly #options: MemoryWireOptions;
  readonly #toClient = new Lane();
  readonly #toServer = new Lane();
  #session: SandboxSession | null = null;
  #handlers: TransportHandlers | null = null;
  #secure: boolean;
  #end: { readonly error: Error | null } | null = null;
  #closed = false;
  #scheduled = false;

  constructor(server: SandboxServer, options: MemoryWireOptions) {
    this.#server = server;
    this.#options = options;
    this.#secure = options.secure ?? false;
  }

  get secure(): boolean {
    return this.#secure;
  }

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    const host = {
      send: (parts: readonly Buffer[]) => this.#sendToClient(parts),
      end: (reset: boolean) => this.#endByServer(reset),
      startTls: () => this.#session?.tlsStarted(),
      resume: () => {
        this.#toServer.paused = false;
        this.#wake();
      },
    };
    this.#session = this.#server.openSession(host, { secure: this.#secure });
    this.#wake();
  }

  write(parts: readonly Buffer[]): boolean {
    if (this.#closed) return true;
    return this.#enqueue(this.#toServer, parts);
  }

  pause(): void {
    this.#toClient.paused = true;
  }

  resume(): void {
    this.#toClient.paused = false;
    this.#wake();
  }

  /** Rejects when the server sent clear text after its go-ahead: no handshake survives that. */
  async upgrade(): Promise<void> {
    if (this.#toClient.bytes > 0) {
      this.close();
      throw new Error('sandbox: the TLS handshake met clear text');
    }
    this.#secure = true;
  }

  /** What was written before still reaches the server, as bytes in a system's socket buffer do; its answers are lost. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const session = this.#session;
    const handlers = this.#handlers;
    if (session === null || handlers === null) return;
    this.#later(() => {
      for (let piece = this.#toServer.shift(); piece !== null; piece = this.#toServer.shift()) session.receive(piece);
      session.closed();
      handlers.onClose(null);
    });
  }

  end(): void {
    this.close();
  }

  #sendToClient(parts: readonly Buffer[]): boolean {
    // After the client closed there is nobody to wait for.
    if (this.#closed) return true;
    const { split } = this.#options;
    return this.#enqueue(this.#toClient, split === undefined ? parts : parts.flatMap((part) => split(part)));
  }

  #enqueue(lane: Lane, parts: readonly Buffer[]): boolean {
    for (const part of parts) lane.push(part);
    // Stays full until all is delivered: whoever was told to wait is told to go on.
    if (lane.bytes >= (this.#options.highWaterBytes ?? 256 * 1024)) lane.full = true;
    this.#wake();
    return !lane.full;
  }

  /** What the server sent before is delivered before the client learns of the end, also of a reset. */
  #endByServer(reset: boolean): void {
    this.#end = { error: reset ? new Error('sandbox: connection reset by server') : null };
    this.#wake();
  }

  #wake(): void {
    if (this.#scheduled || this.#closed || this.#handlers === null) return;
    this.#scheduled = true;
    this.#later(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  /** One delivery per direction. */
  #deliver(): void {
    const session = this.#session;
    const handlers = this.#handlers;
    if (session === null || handlers === null || this.#closed) return;
    this.#deliverToServer(session, handlers);
    this.#deliverToClient(session, handlers);
    if (this.#closed) return;
    const moreForServer = this.#toServer.bytes > 0 && !this.#toServer.paused && this.#end === null;
    const moreForClient =
      (this.#toClient.bytes > 0 && !this.#toClient.paused) || (this.#end !== null && this.#toClient.bytes === 0);
    if (moreForServer || moreForClient) this.#wake();
  }

  #deliverToServer(session: SandboxSession, handlers: TransportHandlers): void {
    const lane = this.#toServer;
    while (!lane.paused && this.#end === null && !this.#closed) {
      const piece = lane.shift();
      if (piece === null) break;
      if (!session.receive(piece)) lane.paused = true;
    }
    if (this.#closed) return;
    if (lane.full && lane.bytes === 0) {
      lane.full = false;
      handlers.onDrain();
    }
  }

  #deliverToClient(session: SandboxSession, handlers: TransportHandlers): void {
    const lane = this.#toClient;
    while (!lane.paused && !this.#closed) {
      const piece = lane.shift();
      if (piece === null) break;
      handlers.onData(piece);
      if (this.#options.split !== undefined) break;
    }
    if (this.#closed) return;
    if (lane.full && lane.bytes === 0) {
      lane.full = false;
      session.drained();
    }
    if (this.#end !== null && lane.bytes === 0) this.#finish(this.#end.error);
  }

  #finish(error: Error | null): void {
    this.#closed = true;
    this.#session?.closed();
    const handlers = this.#handlers;
    if (handlers !== null) this.#later(() => handlers.onClose(error));
  }

  #later(action: () => void): void {
    (this.#options.schedule ?? setImmediate)(action);
  }
}
