import type { Duplex } from 'node:stream';
import { DeflateCodec } from './deflate-codec.ts';
import type { Limits } from './limits.ts';
import type { Transport, TransportHandlers } from './types.ts';

/** A connection's transport, which COMPRESS (RFC 4978) may put a codec in front of. */
export class Wire implements Transport {
  readonly #transport: Transport;
  readonly #limits: Limits;
  #handlers: TransportHandlers | null = null;
  #codec: DeflateCodec | null = null;
  /** Asked for from above, and by the codec that has its hands full. */
  #paused = false;
  #codecIsFull = false;

  constructor(transport: Transport, limits: Limits) {
    this.#transport = transport;
    this.#limits = limits;
  }

  get secure(): boolean {
    return this.#transport.secure;
  }

  get description(): string {
    return this.#transport.description;
  }

  get stream(): Duplex | null {
    return this.#transport.stream ?? null;
  }

  get compressed(): boolean {
    return this.#codec !== null;
  }

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#transport.start({
      onData: (chunk) => (this.#codec === null ? handlers.onData(chunk) : this.#codec.receive(chunk)),
      onDrain: () => (this.#codec === null ? handlers.onDrain() : this.#codec.onTransportDrain()),
      onRest: (rests) => handlers.onRest?.(rests),
      onClose: (error) => {
        const end = () => handlers.onClose(error);
        // A server's last words may still be on their way through the codec.
        if (this.#codec === null) end();
        else this.#codec.end(end);
      },
    });
  }

  /**
   * From now on every byte is compressed, in both directions. `rest` is what has arrived already; `onBroken` is told when
   * what arrives is not compressed, or inflates to too much.
   */
  compress(rest: Buffer, onBroken: (error: Error) => void): void {
    this.#codec = new DeflateCodec(
      {
        onPlain: (chunk) => this.#handlers?.onData(chunk),
        write: (parts) => this.#transport.write(parts),
        onDrain: () => this.#handlers?.onDrain(),
        onFull: (full) => this.#onCodecFull(full),
        onError: onBroken,
      },
      this.#limits,
    );
    this.#codec.receive(rest);
  }

  write(parts: readonly Buffer[]): boolean {
    return this.#codec === null ? this.#transport.write(parts) : this.#codec.send(parts);
  }

  pause(): void {
    this.#paused = true;
    this.#codec?.pause();
    this.#transport.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#codec?.resume();
    if (!this.#codecIsFull) this.#transport.resume();
  }

  upgrade(): Promise<void> {
    return this.#transport.upgrade();
  }

  close(): void {
    this.#codec?.close();
    this.#transport.close();
  }

  /** As `Transport.end` has it, except that compressed bytes still in the making do not leave. */
  end(): void {
    this.#codec?.close();
    this.#transport.end();
  }

  #onCodecFull(full: boolean): void {
    this.#codecIsFull = full;
    if (full) this.#transport.pause();
    else if (!this.#paused) this.#transport.resume();
  }
}
