import { BodyStream, type Literal, type LiteralReceiver } from '../protocol/index.ts';
import type { OpenBody } from './endpoint.ts';

/** Bytes that may wait to be read before the server has to: enough to bridge a reader's pauses, little beside the rest. */
const waitingBytes = 1024 * 1024;

/** Whoever delivers a body, and can be made to wait. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** A big literal of a FETCH answer on its way from the connection to whoever reads it. */
export class ArrivingBody implements OpenBody, LiteralReceiver {
  readonly kind = 'body';
  readonly size: number;
  readonly slices: BodyStream;
  readonly #line: Pausable;
  #waiting = 0;
  #paused = false;
  #ended = false;

  constructor(size: number, line: Pausable) {
    this.size = size;
    this.#line = line;
    this.slices = new BodyStream(size, (bytes) => {
      this.#waiting -= bytes;
      this.#flow();
    });
  }

  /** A body that came as a whole. */
  static of(literal: Literal, line: Pausable): ArrivingBody {
    const body = new ArrivingBody(literal.size, line);
    body.#ended = true;
    for (const chunk of literal.chunks) body.write(chunk);
    body.slices.end();
    return body;
  }

  write(slice: Buffer): void {
    this.#waiting += slice.length;
    this.slices.push(slice);
    this.#flow();
  }

  end(): void {
    this.#ended = true;
    this.slices.end();
    this.#flow();
  }

  /** The rest will never come. */
  fail(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.slices.fail(error);
    this.#flow();
  }

  drop(): void {
    this.slices.discard();
  }

  #flow(): void {
    const full = this.#waiting > waitingBytes && !this.#ended;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.#line.pause();
    else this.#line.resume();
  }
}
