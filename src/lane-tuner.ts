import type { Clock } from './clock.ts';

/** Lanes to begin with: two share the work of a small machine and of servers next door. */
const firstLanes = 2;
/** Where one message after the other costs a round trip, lanes are all there is to be faster with. */
const firstLanesOneByOne = 4;
/** More would be a burden on servers shared with others, and many refuse them. */
const mostLanes = 8;
/** Lanes grow so many times over at a time, as long as that makes the whole so many times as fast. */
const growth = 2;
const worthwhile = 1.15;
/** What is measured: this long, and so many batches of each lane… */
const sampleMs = 1_500;
const batchesPerLane = 4;
/** … after this long and so many batches, in which new lanes find their pace. */
const warmUpMs = 500;
const warmUpBatchesPerLane = 2;
/** Logging in again takes a while, too: it has to pay before so much time is over. */
const worthwhileMs = 4_000;
/** What a message costs besides its bytes, in bytes. */
const messageBytes = 32 * 1024;

/** What the tuner wants, and why. */
export interface LaneAdvice {
  readonly lanes: number;
  /** A sentence without a full stop. */
  readonly reason: string;
}

interface Sample {
  readonly lanes: number;
  /** When these lanes were complete. */
  readonly since: number;
  warmUpBatches: number;
  /** When they had found their pace; `null`: not yet. */
  from: number | null;
  bytes: number;
  batches: number;
}

/** Finds out how many lanes a job is fastest with: twice as many as long as that pays, and back when it did not. */
export class LaneTuner {
  readonly #clock: Clock;
  readonly #first: number;
  #best: { readonly lanes: number; readonly rate: number } | null = null;
  #sample: Sample | null = null;
  #settled = false;

  /** `oneByOne`: the target takes one message a round trip. */
  constructor(clock: Clock, options: { readonly oneByOne: boolean }) {
    this.#clock = clock;
    this.#first = options.oneByOne ? firstLanesOneByOne : firstLanes;
  }

  /** How many to begin with, where `useful` of them have something to do. */
  begin(useful: number): LaneAdvice {
    if (useful <= this.#first) return { lanes: useful, reason: 'there is nothing to do for more' };
    return { lanes: this.#first, reason: 'to begin with' };
  }

  /** The servers do not want more. */
  settle(): void {
    this.#settled = true;
  }

  /**
   * A batch was dealt with by `lanes` lanes, `useful` of which could have something to do, with `leftBytes` (messages counted
   * in) to go. Answers what is to change; `null`: nothing, now.
   */
  note(
    batch: { readonly messages: number; readonly bytes: number },
    state: { readonly lanes: number; readonly useful: number; readonly left: { messages: number; bytes: number } },
  ): LaneAdvice | null {
    if (this.#settled) return null;
    const now = this.#clock.now();
    if (this.#sample?.lanes !== state.lanes)
      this.#sample = { lanes: state.lanes, since: now, warmUpBatches: 0, from: null, bytes: 0, batches: 0 };
    const sample = this.#sample;
    if (sample.from === null) {
      const isWarm = ++sample.warmUpBatches >= warmUpBatchesPerLane * sample.lanes && now - sample.since >= warmUpMs;
      if (isWarm) sample.from = now;
      return null;
    }
    sample.bytes += weigh(batch);
    sample.batches++;
    const tookMs = now - sample.from;
    if (tookMs < sampleMs || sample.batches < batchesPerLane * sample.lanes) return null;
    this.#sample = null;
    return this.#judge({ lanes: sample.lanes, rate: sample.bytes / tookMs }, state.useful, weigh(state.left));
  }

  #judge(now: { lanes: number; rate: number }, useful: number, leftBytes: number): LaneAdvice | null {
    // At the end of a job there is not enough to do for all of them, whatever they could do.
    if (leftBytes / now.rate < worthwhileMs) return null;
    const best = this.#best;
    if (best !== null && now.lanes > best.lanes && now.rate < worthwhile * best.rate) {
      this.#settled = true;
      return { lanes: best.lanes, reason: `${now.lanes} were hardly faster than ${best.lanes}` };
    }
    const reason =
      best === null
        ? `to see whether that is faster than ${now.lanes}`
        : `${now.lanes} were ${(now.rate / best.rate).toFixed(1)} times as fast as ${best.lanes}`;
    this.#best = now;
    const lanes = Math.min(mostLanes, growth * now.lanes, useful);
    return lanes > now.lanes ? { lanes, reason } : null;
  }
}

function weigh({ messages, bytes }: { readonly messages: number; readonly bytes: number }): number {
  return bytes + messages * messageBytes;
}
