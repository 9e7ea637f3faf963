import type { Literal } from './types.ts';

/** Told by a stream that something of it was read, or that nobody will read it. */
export type OnTaken = (bytes: number) => void;

/**
 * A body on its way: slices as they came from the server, to be read once. What has arrived is kept until it is read; a
 * big body goes on arriving while it is being read, and the server waits for a slow reader.
 */
export class BodyStream implements AsyncIterableIterator<Buffer> {
  /** Bytes in all, as the server announced them. */
  readonly size: number;
  readonly #onTaken: OnTaken;
  readonly #slices: Buffer[] = [];
  #ended = false;
  #failure: Error | null = null;
  #discarded = false;
  #wake: () => void = () => {};

  constructor(size: number, onTaken: OnTaken) {
    this.size = size;
    this.#onTaken = onTaken;
  }

  /** A body that is all there. */
  static of({ size, chunks }: Literal, onTaken: OnTaken): BodyStream {
    const stream = new BodyStream(size, onTaken);
    for (const chunk of chunks) stream.push(chunk);
    stream.end();
    return stream;
  }

  /** The next slice. @throws the error that ended the session before the body was whole */
  async next(): Promise<IteratorResult<Buffer, undefined>> {
    while (this.#slices.length === 0 && !this.#ended) {
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const slice = this.#slices.shift();
    if (slice === undefined) return { done: true, value: undefined };
    this.#onTaken(slice.length);
    return { done: false, value: slice };
  }

  /** All of it in one piece. */
  async toBuffer(): Promise<Buffer> {
    const slices: Buffer[] = [];
    for await (const slice of this) slices.push(slice);
    return Buffer.concat(slices);
  }

  async return(): Promise<IteratorResult<Buffer, undefined>> {
    this.discard();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Nobody will read the rest: it is dropped as it comes. */
  discard(): void {
    this.#discarded = true;
    for (const slice of this.#slices.splice(0)) this.#onTaken(slice.length);
  }

  /** For the message stream: the next bytes. */
  push(slice: Buffer): void {
    if (this.#discarded) {
      this.#onTaken(slice.length);
      return;
    }
    this.#slices.push(slice);
    this.#wake();
  }

  /** For the message stream: that was all. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** For the message stream: the rest will never come. */
  fail(error: Error): void {
    this.#failure = error;
    this.#wake();
  }
}
