import { UsageError } from './errors.ts';

/** Told by a source while its bytes are being sent. */
export interface SourceHandlers {
  /** There is more to take, or it has ended. */
  onReady(): void;
  /** It failed, or holds more or fewer bytes than it said: the literal that was announced can never be whole. */
  onFailure(error: Error): void;
}

/**
 * A literal's bytes from a stream of known size, one chunk ahead of what is being sent: the stream is read no faster than
 * the server takes it. Nothing is read before the first `take`.
 */
export class ByteSource {
  /** Bytes in all, as announced to the server. */
  readonly length: number;
  readonly #iterator: AsyncIterator<Buffer | string>;
  #handlers: SourceHandlers | null = null;
  #chunk: Buffer | null = null;
  #offset = 0;
  #left: number;
  #reading = false;
  #ended = false;

  /** @throws UsageError when the size is none */
  constructor(stream: AsyncIterable<Buffer | string>, size: number) {
    if (!Number.isSafeInteger(size) || size < 0) throw new UsageError(`${size} is no size of a message`);
    this.length = size;
    this.#left = size;
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Its last byte was taken, and the stream had no more. */
  get exhausted(): boolean {
    return this.#ended && this.#chunk === null;
  }

  listen(handlers: SourceHandlers): void {
    this.#handlers = handlers;
  }

  /** Up to `maxBytes` of what is there; null: nothing now, `onReady` follows. */
  take(maxBytes: number): Buffer | null {
    const chunk = this.#chunk;
    if (chunk === null) {
      this.#read();
      return null;
    }
    const piece = chunk.subarray(this.#offset, this.#offset + maxBytes);
    this.#offset += piece.length;
    if (this.#offset === chunk.length) {
      this.#chunk = null;
      this.#read();
    }
    return piece;
  }

  /** Nobody will take the rest. */
  release(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#chunk = null;
    // A stream that fails as it is closed fails for nobody.
    this.#iterator.return?.().catch(() => {});
  }

  #read(): void {
    if (this.#reading || this.#ended) return;
    this.#reading = true;
    this.#iterator.next().then(
      (result) => {
        this.#reading = false;
        if (this.#ended) return;
        if (result.done === true) this.#onEnd();
        else this.#onChunk(typeof result.value === 'string' ? Buffer.from(result.value, 'utf8') : result.value);
      },
      (cause) => this.#fail(new UsageError('the stream of a message to store failed', { cause })),
    );
  }

  #onChunk(chunk: Buffer): void {
    if (chunk.length === 0) {
      this.#read();
      return;
    }
    this.#left -= chunk.length;
    if (this.#left < 0) {
      this.#fail(new UsageError(`the stream of a message holds more than the ${this.length} bytes it was to have`));
      return;
    }
    this.#chunk = chunk;
    this.#offset = 0;
    this.#handlers?.onReady();
  }

  #onEnd(): void {
    if (this.#left > 0) {
      const bytes = this.length - this.#left;
      this.#fail(new UsageError(`the stream of a message ended after ${bytes} bytes of ${this.length}`));
      return;
    }
    this.#ended = true;
    this.#handlers?.onReady();
  }

  #fail(error: Error): void {
    if (this.#ended) return;
    this.release();
    this.#handlers?.onFailure(error);
  }
}
