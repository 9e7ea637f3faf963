/** Processor time between two looks that is none: looking takes some itself. In milliseconds. */
const idleMs = 5;

export interface Patience {
  /** Processor time of the whole process, in milliseconds. */
  readonly maxMs: number;
  /** Looks in a row between which hardly any was used: what is waited for will not come. */
  readonly maxIdleLooks: number;
}

/**
 * What one input has cost so far. On a busy machine the wall clock runs whether there was work or not, so it decides
 * nothing: whoever got no processor was not slow, and whoever got one and did not use it for a long time has stopped.
 */
export class Effort {
  readonly #patience: Patience;
  readonly #usedMs: () => number;
  readonly #startMs: number;
  #lastMs: number;
  #idleLooks = 0;

  constructor(patience: Patience, usedMs: () => number = processMs) {
    this.#patience = patience;
    this.#usedMs = usedMs;
    this.#startMs = usedMs();
    this.#lastMs = this.#startMs;
  }

  /** What is too much, null: nothing. */
  get excess(): string | null {
    const ms = this.#usedMs() - this.#startMs;
    return ms > this.#patience.maxMs ? `took ${Math.round(ms)} ms of processor time` : null;
  }

  /** The same, and also whether anything moves. To be called at even intervals, of some tenths of a second at least. */
  look(): string | null {
    const nowMs = this.#usedMs();
    this.#idleLooks = nowMs - this.#lastMs < idleMs ? this.#idleLooks + 1 : 0;
    this.#lastMs = nowMs;
    if (this.#idleLooks < this.#patience.maxIdleLooks) return this.excess;
    return `does not end: nothing has happened at ${this.#idleLooks} looks`;
  }
}

function processMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
