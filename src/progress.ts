/**
 * Counters of a running job, and what can honestly be said from them: rates and the time that is left.
 */
import type { Clock } from './clock.ts';
import type { Progress, Waiting } from './job.ts';

/** Time is counted in slots of this length; the last ones are kept in a ring. */
const slotMs = 250;
/** Rates are shown over this span: short enough to follow a throttle, long enough to span a few batches. */
const rateWindowMs = 8_000;
/** The time left is computed over this span, so that one slow batch does not double it. */
const etaWindowMs = 60_000;
/** Before this much work there is no telling how long the rest takes. */
const etaAfterMs = 3_000;
/** While the totals grew by more than this share within `etaAfterMs`, the time left is not known. */
const settledGrowth = 0.02;

const slots = etaWindowMs / slotMs + 1;

interface FolderCounter {
  done: number;
  total: number;
}

/**
 * Counts what a job has done. Every call is O(1) or O(slots passed); `snapshot` is meant to be taken by a timer, a few
 * times a second. Nothing here waits or prints.
 *
 * A message is *done* when there is a final word on it: copied, found already there, gone or refused.
 */
export class ProgressMeter {
  /** The server that is being waited for. */
  waiting: Waiting | null = null;
  readonly #clock: Clock;
  readonly #startedAt: number;
  /** When work began, which is later than the start: connecting and listing are not slow copying. `null`: not yet. */
  #workedFrom: number | null = null;
  #messagesDone = 0;
  #messagesTotal = 0;
  #bytesDone = 0;
  #bytesTotal = 0;
  #refused = 0;
  readonly #folders = new Map<string, FolderCounter>();
  readonly #messageSlots = new Float64Array(slots);
  readonly #byteSlots = new Float64Array(slots);
  readonly #growthSlots = new Float64Array(slots);
  /** Number of the slot that is being filled, counted from the start. */
  #slot = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** More to do: `messages` of together `bytes`. Negative numbers take back what turned out not to be there. */
  addTotal(messages: number, bytes: number): void {
    this.#advance();
    this.#messagesTotal = Math.max(0, this.#messagesTotal + messages);
    this.#bytesTotal = Math.max(0, this.#bytesTotal + bytes);
    if (messages > 0) this.#add(this.#growthSlots, messages);
  }

  /** `folder` is being worked on; `messages` is how many it has to go through. Again for the same folder: the new number. */
  folderStarted(folder: string, messages: number): void {
    this.#work();
    const counter = this.#folders.get(folder);
    if (counter === undefined) this.#folders.set(folder, { done: 0, total: messages });
    else counter.total = messages;
  }

  /** `folder` is finished, whatever became of it: it is not listed as active any more. */
  folderFinished(folder: string): void {
    this.#folders.delete(folder);
  }

  /** `messages` of `folder`, together `bytes`, have their final word. */
  done(folder: string, messages: number, bytes: number): void {
    this.alreadyThere(folder, messages, bytes);
    this.#add(this.#messageSlots, messages);
    this.#add(this.#byteSlots, bytes);
  }

  /** `messages` of `folder` need no work: done, but without a share in the rates, which would promise too much. */
  alreadyThere(folder: string, messages: number, bytes: number): void {
    this.#work();
    this.#messagesDone += messages;
    this.#bytesDone += bytes;
    const counter = this.#folders.get(folder);
    if (counter !== undefined) counter.done += messages;
  }

  /** `messages` of `folder`, together `bytes`, were refused. They count as done, too. */
  refused(folder: string, messages: number, bytes: number): void {
    this.#refused += messages;
    this.done(folder, messages, bytes);
  }

  /** What is known to be left. */
  get left(): { readonly messages: number; readonly bytes: number } {
    return {
      messages: Math.max(0, this.#messagesTotal - this.#messagesDone),
      bytes: Math.max(0, this.#bytesTotal - this.#bytesDone),
    };
  }

  /** What is known now. Totals are never below what is done; `etaMs` is `null` where a number would be a guess. */
  snapshot(): Progress {
    this.#advance();
    const now = this.#clock.now();
    return {
      elapsedMs: Math.round(now - this.#startedAt),
      messages: { done: this.#messagesDone, total: Math.max(this.#messagesTotal, this.#messagesDone) },
      bytes: { done: this.#bytesDone, total: Math.max(this.#bytesTotal, this.#bytesDone) },
      messagesPerSecond: Math.round(this.#rate(this.#messageSlots, rateWindowMs) * 10) / 10,
      bytesPerSecond: Math.round(this.#rate(this.#byteSlots, rateWindowMs)),
      etaMs: this.#eta(),
      refused: this.#refused,
      activeFolders: [...this.#folders].map(([name, counter]) => ({
        name,
        done: counter.done,
        total: Math.max(counter.total, counter.done),
      })),
      waiting: this.waiting,
    };
  }

  #work(): void {
    this.#advance();
    this.#workedFrom ??= this.#clock.now();
  }

  #add(ring: Float64Array, amount: number): void {
    const index = this.#slot % slots;
    ring[index] = (ring[index] ?? 0) + amount;
  }

  /** Empties the slots that began since the last call. */
  #advance(): void {
    const slot = Math.floor((this.#clock.now() - this.#startedAt) / slotMs);
    const first = Math.max(this.#slot + 1, slot - slots + 1);
    for (let each = first; each <= slot; each++) {
      const index = each % slots;
      this.#messageSlots[index] = 0;
      this.#byteSlots[index] = 0;
      this.#growthSlots[index] = 0;
    }
    this.#slot = slot;
  }

  #sum(ring: Float64Array, windowMs: number): number {
    let sum = 0;
    for (let slot = this.#firstSlot(windowMs); slot <= this.#slot; slot++) sum += ring[slot % slots] ?? 0;
    return sum;
  }

  #firstSlot(windowMs: number): number {
    return Math.max(0, this.#slot - windowMs / slotMs + 1);
  }

  /** Amount per second over the last `windowMs`, or since work began where that is shorter. */
  #rate(ring: Float64Array, windowMs: number): number {
    if (this.#workedFrom === null) return 0;
    const now = this.#clock.now();
    const windowFrom = this.#startedAt + this.#firstSlot(windowMs) * slotMs;
    // The first moments of a job are too short to divide by: a batch that lands at once is no rate.
    const spanMs = Math.max(slotMs, now - Math.max(windowFrom, this.#workedFrom));
    return (this.#sum(ring, windowMs) * 1000) / spanMs;
  }

  /**
   * Small messages cost round trips, big ones cost bytes: whichever of the two takes longer at the present rate says how
   * much time is left.
   */
  #eta(): number | null {
    const messages = this.#messagesTotal - this.#messagesDone;
    const bytes = this.#bytesTotal - this.#bytesDone;
    if (this.#workedFrom === null || this.#clock.now() - this.#workedFrom < etaAfterMs) return null;
    if (this.#sum(this.#growthSlots, etaAfterMs) > this.#messagesTotal * settledGrowth) return null;
    if (messages <= 0) return 0;
    const messageRate = this.#rate(this.#messageSlots, etaWindowMs);
    const byteRate = this.#rate(this.#byteSlots, etaWindowMs);
    if (messageRate === 0) return null;
    const byMessages = messages / messageRate;
    const byBytes = bytes > 0 && byteRate > 0 ? bytes / byteRate : 0;
    return Math.round(Math.max(byMessages, byBytes) * 1000);
  }
}
