import type { Cancel, Clock } from '../protocol/index.ts';

/** A clock that stands still until told otherwise: what waits a minute is tested in no time. */
export class ManualClock implements Clock {
  #now = 1_000;
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const timer = { dueMs: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that would still fire: a leak when nothing waits. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, firing what falls due in order, and gives the event loop a few turns. */
  async advance(byMs: number): Promise<void> {
    const end = this.#now + byMs;
    for (;;) {
      const due = [...this.#timers].filter(({ dueMs }) => dueMs <= end).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.dueMs);
      due.callback();
      await turns(3);
    }
    this.#now = end;
    await turns(3);
  }

  /** Lets time pass, from one due timer to the next, whenever the event loop has nothing else to do, until `work` is done. */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    const state = { done: false };
    const over = () => {
      state.done = true;
    };
    work.then(over, over);
    while (!state.done) {
      await turns(idleTurns);
      const due = Math.min(...[...this.#timers].map(({ dueMs }) => dueMs));
      if (!state.done && Number.isFinite(due)) await this.advance(due - this.#now);
    }
    return work;
  }
}

/** More turns of the event loop than one exchange between connections in memory takes. */
const idleTurns = 100;

/** Waits until the event loop has turned so often: what was under way in memory has happened then. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
