import type { Cancel, Clock } from '../../src/clock.ts';
import type { Random } from '../../src/sandbox/index.ts';
import { turns } from '../../src/testing/manual-clock.ts';
import type { Schedule } from '../support/inline-host.ts';

/** Turns of the event loop after which nothing is under way that the scheduler does not know of (a module being loaded). */
const idleTurns = 40;
/** The same where nothing at all is left to wait for: then it is a deadlock. */
const patientTurns = 20_000;

/** What a simulated run may take. */
export interface RunLimits {
  readonly steps: number;
  readonly virtualMs: number;
}

/** The work would go on for ever, or waits for nothing. */
export class EndlessError extends Error {
  override readonly name = 'EndlessError';
}

interface Timer {
  readonly dueMs: number;
  readonly number: number;
  readonly callback: () => void;
}

/**
 * Decides in what order everything happens. Each delivery belongs to a stream, and streams keep their order; which of those
 * that have something goes next is chance. Time passes only while there is nothing else to do. The same seed, the same order.
 */
export class Scheduler {
  readonly clock: Clock = {
    now: () => this.#now,
    after: (delayMs, callback) => this.#after(delayMs, callback),
  };
  readonly #random: Random;
  readonly #onStep: (stream: number, now: number) => void;
  #now = 1_000;
  #streams = 0;
  /** Streams with something to deliver, each with what there is. */
  readonly #ready: { readonly stream: number; readonly actions: (() => void)[] }[] = [];
  #timers: Timer[] = [];
  #timerCount = 0;
  readonly #atSteps = new Map<number, Set<() => void>>();
  /** Deliveries so far. */
  steps = 0;

  /** `onStep` is called before each delivery. */
  constructor(random: Random, onStep: (stream: number, now: number) => void) {
    this.#random = random;
    this.#onStep = onStep;
  }

  /** A new stream: what it is given arrives in order, `latencyMs` later. */
  stream(latencyMs = 0): Schedule {
    const queue = { stream: ++this.#streams, actions: [] as (() => void)[] };
    const deliver = (action: () => void) => {
      if (queue.actions.push(action) === 1) this.#ready.push(queue);
    };
    return latencyMs === 0 ? deliver : (action) => void this.#after(latencyMs, () => deliver(action));
  }

  /** Runs `action` after so many deliveries in all; answers what takes that back. */
  atStep(step: number, action: () => void): () => void {
    const actions = this.#atSteps.get(step) ?? new Set();
    this.#atSteps.set(step, actions.add(action));
    return () => actions.delete(action);
  }

  /** Lets things happen until `work` is done. @throws EndlessError beyond `limits` */
  async until<Result>(work: Promise<Result>, limits: RunLimits): Promise<Result> {
    const state = { over: false };
    const end = () => {
      state.over = true;
    };
    work.then(end, end);
    const last = this.steps + limits.steps;
    const deadline = this.#now + limits.virtualMs;
    while (!state.over) {
      if (this.#step()) {
        await turns(1);
        if (this.steps > last) throw new EndlessError(`no end after ${limits.steps} deliveries`);
        continue;
      }
      await turns(idleTurns);
      if (state.over || this.#ready.length > 0) continue;
      if (this.#timers.length === 0) {
        for (let turn = 0; turn < patientTurns && !state.over && this.#isIdle; turn += idleTurns)
          await turns(idleTurns);
        if (!state.over && this.#isIdle) throw new EndlessError('nothing is under way and nothing is waited for');
      } else if (this.#fireNext() > deadline) {
        throw new EndlessError(`no end after ${limits.virtualMs / 1000} simulated seconds`);
      }
    }
    return await work;
  }

  get #isIdle(): boolean {
    return this.#ready.length === 0 && this.#timers.length === 0;
  }

  /** One delivery; false: there is none to make. */
  #step(): boolean {
    const { length } = this.#ready;
    const at = length < 2 ? 0 : this.#random.below(length);
    const queue = this.#ready[at];
    const action = queue?.actions.shift();
    if (queue === undefined || action === undefined) return false;
    if (queue.actions.length === 0) this.#ready.splice(at, 1);
    this.steps++;
    this.#onStep(queue.stream, this.#now);
    action();
    for (const each of this.#atSteps.get(this.steps) ?? []) each();
    return true;
  }

  #after(delayMs: number, callback: () => void): Cancel {
    const timer = { dueMs: this.#now + Math.max(0, delayMs), number: this.#timerCount++, callback };
    this.#timers.push(timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at !== -1) this.#timers.splice(at, 1);
    };
  }

  /** Lets time pass up to the next timer; answers what time it is then. */
  #fireNext(): number {
    const next = this.#timers.reduce((a, b) =>
      b.dueMs < a.dueMs || (b.dueMs === a.dueMs && b.number < a.number) ? b : a,
    );
    this.#timers = this.#timers.filter((timer) => timer !== next);
    this.#now = Math.max(this.#now, next.dueMs);
    next.callback();
    return this.#now;
  }
}
