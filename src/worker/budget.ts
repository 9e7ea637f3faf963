/**
 * A budget of something countable: bytes of messages held, appends under way. Who wants more than is free waits in line.
 * One holder may exceed it alone, so that nothing waits for ever.
 */
export class Budget {
  /** May change while it is in use; counts from the next grant on. */
  limit: number;
  #held = 0;
  readonly #waiting: { amount: number; grant: () => void }[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Resolves when `amount` may be held; pair it with `release`. */
  acquire(amount: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(amount)) {
      this.#held += amount;
      return Promise.resolve();
    }
    return new Promise((grant) => this.#waiting.push({ amount, grant }));
  }

  /** Holds `amount` without waiting, however much is free: it is there already. */
  take(amount: number): void {
    this.#held += amount;
  }

  release(amount: number): void {
    this.#held -= amount;
    for (let first = this.#waiting[0]; first !== undefined && this.#fits(first.amount); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#held += first.amount;
      first.grant();
    }
  }

  #fits(amount: number): boolean {
    return this.#held === 0 || this.#held + amount <= this.limit;
  }
}
