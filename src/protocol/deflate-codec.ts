import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';
import { LimitError, ProtocolError } from './errors.ts';
import type { Limits } from './limits.ts';

export interface DeflateHandlers {
  /** Plain bytes from the server; the receiver may keep them. */
  onPlain(chunk: Buffer): void;
  /** Hands compressed bytes over; false: not before `onTransportDrain`. */
  write(parts: readonly Buffer[]): boolean;
  /** What was given to `send` is small enough again to go on. */
  onDrain(): void;
  /** More than it can take at the moment, or room again: the transport is to stop reading, or to go on. */
  onFull(full: boolean): void;
  /** The stream is broken or a bomb. */
  onError(error: Error): void;
}

/** Bytes inflated at a time: the only memory a compressed byte can claim before the limits are looked at. */
const stepBytes = 64 * 1024;

/**
 * Both directions of COMPRESS=DEFLATE (RFC 4978): raw deflate, flushed at the end of whatever is sent. Inflating goes in
 * bounded steps and stops while nobody takes the result; more than `limits.maxInflateRatio` times what arrived, beyond a
 * slack, is a LimitError.
 */
export class DeflateCodec {
  readonly #handlers: DeflateHandlers;
  readonly #limits: Limits;
  readonly #inflate = createInflateRaw({ chunkSize: stepBytes, finishFlush: constants.Z_SYNC_FLUSH });
  readonly #deflate = createDeflateRaw({ chunkSize: stepBytes });
  #bytesIn = 0;
  #bytesOut = 0;
  #closed = false;

  constructor(handlers: DeflateHandlers, limits: Limits) {
    this.#handlers = handlers;
    this.#limits = limits;
    this.#inflate.on('data', (chunk: Buffer) => this.#onInflated(chunk));
    this.#inflate.on('drain', () => handlers.onFull(false));
    this.#inflate.on('error', (cause) => {
      this.#fail(new ProtocolError('the compressed stream of the server is broken', { cause }));
    });
    this.#deflate.on('data', (chunk: Buffer) => {
      if (!this.#closed && !handlers.write([chunk])) this.#deflate.pause();
    });
    this.#deflate.on('drain', () => handlers.onDrain());
    this.#deflate.on('error', (error) => this.#fail(error));
  }

  /** Compressed bytes have arrived. */
  receive(chunk: Buffer): void {
    if (this.#closed || chunk.length === 0) return;
    this.#bytesIn += chunk.length;
    if (!this.#inflate.write(chunk)) this.#handlers.onFull(true);
  }

  /** Takes plain bytes; false: wait for `onDrain` before sending more. */
  send(parts: readonly Buffer[]): boolean {
    if (this.#closed) return true;
    for (const part of parts) this.#deflate.write(part);
    this.#deflate.flush(constants.Z_SYNC_FLUSH);
    return !this.#deflate.writableNeedDrain;
  }

  onTransportDrain(): void {
    this.#deflate.resume();
  }

  pause(): void {
    this.#inflate.pause();
  }

  resume(): void {
    this.#inflate.resume();
  }

  /** The transport has ended: calls `onEnd` when everything that arrived before has been handed on. */
  end(onEnd: () => void): void {
    if (this.#closed) {
      onEnd();
      return;
    }
    this.#inflate.once('close', onEnd);
    this.#inflate.end();
    this.#inflate.resume();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inflate.destroy();
    this.#deflate.destroy();
  }

  #onInflated(chunk: Buffer): void {
    if (this.#closed) return;
    this.#bytesOut += chunk.length;
    const { maxInflateRatio, inflateSlackBytes } = this.#limits;
    if (this.#bytesOut > this.#bytesIn * maxInflateRatio + inflateSlackBytes) {
      this.#fail(new LimitError(`the server's bytes inflate to more than ${maxInflateRatio} times their size`));
    } else {
      this.#handlers.onPlain(chunk);
    }
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    this.close();
    this.#handlers.onError(error);
  }
}
