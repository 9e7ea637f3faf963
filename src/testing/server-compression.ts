import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';
import type { Transport } from '../protocol/index.ts';

/** The server's half of COMPRESS=DEFLATE (RFC 4978). */
export class ServerCompression {
  readonly #deflate = createDeflateRaw();
  readonly #inflate = createInflateRaw();

  constructor(transport: Transport, onPlain: (chunk: Buffer) => void) {
    this.#deflate.on('data', (chunk: Buffer) => transport.write([chunk]));
    this.#inflate.on('data', onPlain);
  }

  receive(chunk: Buffer): void {
    this.#inflate.write(chunk);
  }

  write(parts: readonly Buffer[]): void {
    for (const part of parts) this.#deflate.write(part);
    this.#deflate.flush(constants.Z_SYNC_FLUSH);
  }

  /** Resolves when everything written is with the transport. */
  flushed(): Promise<void> {
    return new Promise((resolve) => this.#deflate.flush(constants.Z_SYNC_FLUSH, resolve));
  }
}
