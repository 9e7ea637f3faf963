import type { Duplex } from 'node:stream';
import type { Cancel, Clock, Transport, TransportHandlers } from './types.ts';

/** How fast bytes may come and go. */
export interface Pace {
  /** So many bytes have come: how long to rest before more are read, in ms. */
  received(bytes: number): number;
  /** So many bytes have gone: how long to rest before more are sent, in ms. */
  sent(bytes: number): number;
}

/** A transport that rests when more has come, or gone, than its pace allows. What rests holds its bytes in the system's buffers. */
export class PacedTransport implements Transport {
  readonly #transport: Transport;
  readonly #pace: Pace;
  readonly #clock: Clock;
  #handlers: TransportHandlers | null = null;
  /** Ends the rest of a direction; `null`: it does not rest. */
  readonly #rests: { received: Cancel | null; sent: Cancel | null } = { received: null, sent: null };
  /** Asked for from above. */
  #paused = false;
  /** The transport takes no more. */
  #full = false;

  constructor(transport: Transport, pace: Pace, clock: Clock) {
    this.#transport = transport;
    this.#pace = pace;
    this.#clock = clock;
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

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#transport.start({
      onData: (chunk) => {
        this.#restAfter('received', this.#pace.received(chunk.length));
        if (this.#rests.received !== null) this.#transport.pause();
        handlers.onData(chunk);
      },
      onDrain: () => {
        this.#full = false;
        if (this.#rests.sent === null) handlers.onDrain();
      },
      onClose: (error) => {
        this.#wake();
        handlers.onClose(error);
      },
    });
  }

  write(parts: readonly Buffer[]): boolean {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    this.#full = !this.#transport.write(parts);
    this.#restAfter('sent', this.#pace.sent(bytes));
    return !this.#full && this.#rests.sent === null;
  }

  pause(): void {
    this.#paused = true;
    this.#transport.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#rests.received === null) this.#transport.resume();
  }

  upgrade(): Promise<void> {
    return this.#transport.upgrade();
  }

  close(): void {
    this.#wake();
    this.#transport.close();
  }

  end(): void {
    this.#wake();
    this.#transport.end();
  }

  #restAfter(direction: 'received' | 'sent', ms: number): void {
    if (ms <= 0) return;
    // What was left of a rest is part of this one.
    this.#rests[direction]?.();
    this.#rests[direction] = this.#clock.after(ms, () => this.#go(direction));
    this.#tell();
  }

  #go(direction: 'received' | 'sent'): void {
    this.#rests[direction] = null;
    this.#tell();
    if (direction === 'received') {
      if (!this.#paused) this.#transport.resume();
    } else if (!this.#full) this.#handlers?.onDrain();
  }

  #tell(): void {
    const { received, sent } = this.#rests;
    this.#handlers?.onRest?.(received !== null || sent !== null);
  }

  #wake(): void {
    this.#rests.received?.();
    this.#rests.sent?.();
    this.#rests.received = null;
    this.#rests.sent = null;
  }
}
