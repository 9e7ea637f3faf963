import { TlsError } from './errors.ts';
import type { Transport, TransportHandlers } from './types.ts';

export interface MemoryPairOptions {
  /** Names both ends in messages. */
  readonly description?: string;
  /** Unread bytes from which `write` answers false; 256 KiB unless given. */
  readonly highWaterMark?: number;
  /** Starts out as TLS would leave it. */
  readonly secure?: boolean;
  /** Runs a delivery later, never at once; the event loop's next turn unless a seeded scheduler decides. */
  readonly schedule?: (deliver: () => void) => void;
}

/** One end of a pair. Besides what every transport does it can break as a network does. */
export interface MemoryTransport extends Transport {
  /** Cuts the stream: this end closes, the other end gets `error` after what it has not read yet. */
  break(error: Error): void;
}

/**
 * A byte stream in memory with the manners of a socket: bytes arrive later, in order, in the chunks they were written
 * in; writing more than the other end reads answers false. `upgrade` resolves once both ends have called it.
 */
export function createMemoryPair(options: MemoryPairOptions = {}): [MemoryTransport, MemoryTransport] {
  const first = new MemoryEnd(options);
  const second = new MemoryEnd(options);
  first.peer = second;
  second.peer = first;
  return [first, second];
}

class MemoryEnd implements MemoryTransport {
  readonly description: string;
  peer: MemoryEnd | null = null;
  readonly #highWaterMark: number;
  readonly #schedule: (deliver: () => void) => void;
  #secure: boolean;
  #handlers: TransportHandlers | null = null;
  #inbox: Buffer[] = [];
  #inboxBytes = 0;
  #scheduled = false;
  #paused = false;
  #awaitsDrain = false;
  #ended: { error: Error | null } | null = null;
  #closed = false;
  #upgrade: { resolve(): void; reject(error: Error): void } | null = null;

  constructor(options: MemoryPairOptions) {
    this.description = options.description ?? 'in memory';
    this.#highWaterMark = options.highWaterMark ?? 256 * 1024;
    this.#schedule = options.schedule ?? setImmediate;
    this.#secure = options.secure ?? false;
  }

  get secure(): boolean {
    return this.#secure;
  }

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#wake();
  }

  write(parts: readonly Buffer[]): boolean {
    const peer = this.peer;
    if (this.#closed || peer === null || peer.#closed) return true;
    for (const part of parts) {
      if (part.length === 0) continue;
      peer.#inbox.push(part);
      peer.#inboxBytes += part.length;
    }
    peer.#wake();
    this.#awaitsDrain = peer.#inboxBytes >= this.#highWaterMark;
    return !this.#awaitsDrain;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake();
  }

  upgrade(): Promise<void> {
    if (this.#inboxBytes > 0) {
      return Promise.reject(new TlsError(`${this.description}: bytes arrived in clear text before the TLS handshake.`));
    }
    return new Promise((resolve, reject) => {
      if (this.#closed || this.#ended !== null) return reject(this.#handshakeCut());
      this.#upgrade = { resolve, reject };
      const peer = this.peer;
      if (peer === null || peer.#upgrade === null) return;
      this.#secured();
      peer.#secured();
    });
  }

  close(): void {
    this.#finish(null, null);
  }

  /** The other end still gets what was written, as it does after `close`. */
  end(): void {
    this.close();
  }

  break(error: Error): void {
    this.#finish(error, error);
  }

  #secured(): void {
    const waiting = this.#upgrade;
    this.#upgrade = null;
    this.#secure = true;
    waiting?.resolve();
  }

  /** Something may have to be told: once per turn, never inside a caller's `write` or `resume`. */
  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const handlers = this.#handlers;
    if (handlers === null || this.#closed) return;
    while (!this.#paused && !this.#closed) {
      const chunk = this.#inbox.shift();
      if (chunk === undefined) break;
      this.#inboxBytes -= chunk.length;
      handlers.onData(chunk);
    }
    if (this.#closed) return;
    if (this.#inboxBytes < this.#highWaterMark) this.peer?.drain();
    if (this.#ended !== null && this.#inbox.length === 0) this.#finish(this.#ended.error, null);
  }

  /** The other end has read enough. */
  drain(): void {
    if (!this.#awaitsDrain) return;
    this.#awaitsDrain = false;
    this.#schedule(() => {
      if (!this.#closed) this.#handlers?.onDrain();
    });
  }

  #finish(ownError: Error | null, peerError: Error | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inbox = [];
    this.#inboxBytes = 0;
    this.#upgrade?.reject(this.#handshakeCut());
    this.#upgrade = null;
    this.#schedule(() => this.#handlers?.onClose(ownError));
    const peer = this.peer;
    if (peer === null || peer.#closed) return;
    peer.#ended ??= { error: peerError };
    peer.#upgrade?.reject(peer.#handshakeCut());
    peer.#upgrade = null;
    peer.#wake();
  }

  #handshakeCut(): TlsError {
    return new TlsError(`${this.description}: the stream closed during the TLS handshake.`);
  }
}
