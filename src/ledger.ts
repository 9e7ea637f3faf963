import type { Cancel, Clock } from './clock.ts';
import type { Journal, JournalRecord } from './journal/index.ts';

/** Longest time that something noted is kept from the disk: until then its intents say that it may have happened. */
const noteDelayMs = 100;

/**
 * A job's writes to its journal. Reaching the disk costs much the same however much is written, so what nothing waits for
 * rides with the next write, or goes alone a moment later.
 */
export class Ledger {
  readonly #journal: Pick<Journal, 'write'>;
  readonly #clock: Clock;
  readonly #onWriting: (writing: Promise<void>) => void;
  readonly #noted: JournalRecord[] = [];
  #latest: Promise<void> = Promise.resolve();
  #cancelFlush: Cancel | null = null;

  /** `onWriting` is told of what is written without anybody asking for it now. */
  constructor(journal: Pick<Journal, 'write'>, clock: Clock, onWriting: (writing: Promise<void>) => void) {
    this.#journal = journal;
    this.#clock = clock;
    this.#onWriting = onWriting;
  }

  /** Remembers records soon. The order of all records is kept. */
  note(...records: readonly JournalRecord[]): void {
    if (records.length === 0) return;
    this.#noted.push(...records);
    this.#cancelFlush ??= this.#clock.after(noteDelayMs, () => this.flush());
  }

  /** Writes records at once, behind all that is noted; resolves when they are durable. @throws as `Journal.write` */
  write(...records: readonly JournalRecord[]): Promise<void> {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    this.#latest = this.#journal.write(...this.#noted.splice(0), ...records);
    return this.#latest;
  }

  /** Writes what is noted. */
  flush(): void {
    if (this.#noted.length > 0) this.#onWriting(this.write());
  }

  /** Resolves when all that was written or noted is durable. @throws as `Journal.write` */
  async settled(): Promise<void> {
    this.flush();
    await this.#latest;
  }
}
