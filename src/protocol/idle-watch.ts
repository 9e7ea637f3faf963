import type { Cancel, Clock } from './types.ts';

/** What a slow line may still have to carry when all bytes have left this process: system buffers go up to 4 MiB. */
const bufferedBytes = 4 * 1024 * 1024;
/** The slowest upload that is believed in. */
const bytesPerMs = 32;

/** Who stopped the conversation: our own reader, the source of a message being uploaded, or the pace we keep. */
export type PauseReason = 'reader' | 'source' | 'pace';

/**
 * Notices when a peer that owes an answer shows no life for too long. Arrived bytes and accepted writes are life; after
 * an upload the wait is longer by what the bytes need at 32 KB/s. One timer, re-armed when it fires: life itself costs
 * no more than reading the clock.
 */
export class IdleWatch {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #onSilence: () => void;
  #cancel: Cancel | null = null;
  #lastLife = 0;
  #bytesSent = 0;
  readonly #paused = new Set<PauseReason>();
  #checks = 0;

  constructor(clock: Clock, idleMs: number, onSilence: () => void) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#onSilence = onSilence;
  }

  /** The peer owes something from now on. Does nothing when it already did. */
  start(): void {
    if (this.#cancel !== null) return;
    this.#lastLife = this.#clock.now();
    this.#bytesSent = 0;
    this.#arm(this.#idleMs);
  }

  /** Nothing is owed any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#checks++;
  }

  /** Bytes arrived. */
  heard(): void {
    this.#lastLife = this.#clock.now();
    this.#bytesSent = 0;
  }

  /** Bytes were handed over; the transport's taking them is a sign of life. */
  sent(bytes: number): void {
    this.#lastLife = this.#clock.now();
    this.#bytesSent = Math.min(this.#bytesSent + bytes, bufferedBytes);
  }

  /** While we do not read, or have nothing to send on with, the peer's silence is our doing. */
  pause(reason: PauseReason): void {
    this.#paused.add(reason);
  }

  resume(reason: PauseReason): void {
    if (this.#paused.delete(reason)) this.#lastLife = this.#clock.now();
  }

  #arm(delayMs: number): void {
    const check = ++this.#checks;
    this.#cancel = this.#clock.after(delayMs, () => {
      // After a stall of this process its timers run before its sockets: the answer may already lie there.
      if (this.#leftMs() > 0) this.#arm(this.#leftMs());
      else setImmediate(() => this.#decide(check));
    });
  }

  #decide(check: number): void {
    if (check !== this.#checks) return;
    const left = this.#leftMs();
    if (left > 0) {
      this.#arm(left);
    } else {
      this.stop();
      this.#onSilence();
    }
  }

  #leftMs(): number {
    if (this.#paused.size > 0) return this.#idleMs;
    const allowedMs = this.#idleMs + Math.floor(this.#bytesSent / bytesPerMs);
    return this.#lastLife + allowedMs - this.#clock.now();
  }
}
