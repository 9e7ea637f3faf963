import type { Duplex } from 'node:stream';
import { ConnectionClosedError, TlsError } from './errors.ts';
import { openTls, type TlsOptions } from './transport-tls.ts';
import type { Transport, TransportHandlers } from './types.ts';

/** Under TLS a multi-buffer write is joined into one block first: this bounds the block. */
const tlsWriteBytes = 256 * 1024;

export interface StreamTransportOptions {
  readonly description: string;
  /** The name TLS asks for and checks. */
  readonly host: string;
  readonly tls: TlsOptions;
  /** Runs once after the stream has closed: ends what lies behind it and may explain the end better than the stream can. */
  readonly afterClose?: (error: Error | null) => Promise<Error | null>;
}

/** A transport over any duplex stream of Node: a socket, or the two pipes of a child process. */
export class StreamTransport implements Transport {
  readonly description: string;
  readonly #options: StreamTransportOptions;
  #stream: Duplex;
  #secure = false;
  #handlers: TransportHandlers | null = null;
  #error: Error | null = null;
  /** Set when the stream has closed and `afterClose` has spoken: what `onClose` is to be told. */
  #closed: { readonly error: Error | null } | null = null;

  readonly #onData = (chunk: Buffer) => this.#handlers?.onData(chunk);
  readonly #onDrain = () => this.#handlers?.onDrain();
  readonly #onError = (error: Error) => {
    this.#error ??= error;
  };
  /** The peer has finished; a half-open IMAP session is of no use. */
  readonly #onEnd = () => this.#stream.destroy();
  readonly #onStreamClose = () => {
    const explain = this.#options.afterClose ?? ((error) => Promise.resolve(error));
    explain(this.#error).then(
      (error) => this.#finish(error),
      (cause) => this.#finish(this.#error ?? new ConnectionClosedError(`${this.description} failed to end`, { cause })),
    );
  };

  constructor(stream: Duplex, options: StreamTransportOptions) {
    this.#options = options;
    this.description = options.description;
    this.#stream = stream;
    this.#listen(stream);
  }

  get secure(): boolean {
    return this.#secure;
  }

  get stream(): Duplex {
    return this.#stream;
  }

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    if (this.#closed !== null) {
      const { error } = this.#closed;
      queueMicrotask(() => handlers.onClose(error));
      return;
    }
    this.#flow(this.#stream);
  }

  write(parts: readonly Buffer[]): boolean {
    const stream = this.#stream;
    if (stream.destroyed) return true;
    stream.cork();
    let corkedBytes = 0;
    for (const part of parts) {
      stream.write(part);
      corkedBytes += part.length;
      if (this.#secure && corkedBytes >= tlsWriteBytes) {
        stream.uncork();
        stream.cork();
        corkedBytes = 0;
      }
    }
    stream.uncork();
    return !stream.writableNeedDrain;
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  async upgrade(): Promise<void> {
    const plain = this.#stream;
    if (plain.destroyed) throw new TlsError(`${this.description}: the connection closed before the TLS handshake.`);
    if (this.#handlers !== null && plain.readableLength > 0) {
      plain.destroy();
      throw new TlsError(`${this.description}: bytes arrived in clear text before the TLS handshake.`);
    }
    plain.off('data', this.#onData).off('drain', this.#onDrain).off('end', this.#onEnd).pause();
    const secured = await this.#handshake(plain);
    // From here on the TLS socket tells the whole story, the end of the stream below it included.
    plain.off('close', this.#onStreamClose);
    this.#stream = secured;
    this.#secure = true;
    this.#listen(secured);
    if (secured.destroyed) this.#onStreamClose();
    if (this.#handlers !== null) this.#flow(secured);
  }

  close(): void {
    this.#stream.destroy();
  }

  end(): void {
    const stream = this.#stream;
    stream.end(() => stream.destroy());
  }

  async #handshake(plain: Duplex): Promise<Duplex> {
    try {
      return await openTls(plain, this.#options.host, this.#options.tls, this.description);
    } catch (error) {
      plain.destroy();
      throw error;
    }
  }

  #listen(stream: Duplex): void {
    stream.on('error', this.#onError);
    stream.on('end', this.#onEnd);
    stream.once('close', this.#onStreamClose);
  }

  #flow(stream: Duplex): void {
    stream.on('drain', this.#onDrain);
    stream.on('data', this.#onData);
    stream.resume();
  }

  #finish(error: Error | null): void {
    if (this.#closed !== null) return;
    this.#closed = { error };
    this.#handlers?.onClose(error);
  }
}
