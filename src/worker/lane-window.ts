import type { Clock } from '../clock.ts';

const megabyte = 1024 * 1024;

/** Bytes a lane may hold where the servers are near: some batches fetched, some being stored. */
const nearBytes = 6 * megabyte;
/** Bytes it may hold at most, however far they are. */
const farBytes = 48 * megabyte;
/** Until it is known how fast the line is, it is believed to carry so much: 2 Gbit/s. */
const believedBytesPerMs = 250 * 1024;
/** More than what is moved in a round trip: a window of just that would never show that the line can carry more. */
const headroom = 1.5;
/** The rate is taken over this time, and over this many round trips. */
const spanMs = 500;
const spanRoundTrips = 4;

/**
 * A message so big that has its batch for itself is streamed, where the servers are near: what is not held need not be
 * swept away. It costs a round trip to each: far away only what would take a good part of the wider window is worth it.
 */
const nearOversizeBytes = megabyte;
const oversizeShare = 1 / 3;

/** Deflate makes mail a third smaller, and one thread deflates some 40 MB in a second: a slower line gains by it. */
const slowBytesPerMs = 4_000;
/** A server so near is not behind a slow line: if it is slow, then by itself. */
const compressFromMs = 5;

/** Batches under way in one direction: near by, so that neither side waits; far away, so that the line is full of small ones, too. */
const nearBatches = 3;
const farBatches = 32;
const msPerBatch = 4;

/**
 * How much a lane keeps under way, by how far its servers are and how fast bytes come through: as much as is stored in the time
 * of a round trip to each, and some more. Too little leaves the line idle, more only fills memory.
 */
export class LaneWindow {
  readonly #clock: Clock;
  #sourceMs = 0;
  #targetMs = 0;
  #streams = true;
  #bytesPerMs: number | null = null;
  #spanFrom: number | null = null;
  #spanBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The round trip times, as they are known now. `streams`: the target takes messages without a go-ahead for each; where it
   * does not, no number of batches under way makes one lane faster, and what one holds another cannot do.
   */
  measure(line: { readonly sourceMs: number; readonly targetMs: number; readonly streams: boolean }): void {
    this.#sourceMs = finite(line.sourceMs);
    this.#targetMs = finite(line.targetMs);
    this.#streams = line.streams;
  }

  /** So many bytes have been stored. */
  stored(bytes: number): void {
    const now = this.#clock.now();
    this.#spanFrom ??= now;
    this.#spanBytes += bytes;
    const tookMs = now - this.#spanFrom;
    if (tookMs < Math.max(spanMs, spanRoundTrips * this.#roundTripMs)) return;
    this.#bytesPerMs = this.#spanBytes / tookMs;
    this.#spanFrom = now;
    this.#spanBytes = 0;
  }

  /** Bytes of messages fetched or asked for, and not yet answered by the target. */
  get bytes(): number {
    const rate = this.#bytesPerMs === null ? believedBytesPerMs : headroom * this.#bytesPerMs;
    return Math.min(farBytes, Math.round(nearBytes + rate * this.#roundTripMs));
  }

  /** Messages from this size on that are alone in their batch are streamed, and hold next to nothing. */
  get oversizeBytes(): number {
    return nearOversizeBytes + Math.round(oversizeShare * (this.bytes - nearBytes));
  }

  /** It has been measured, and is so slow that compressing pays; by side. */
  get paysToCompress(): { readonly source: boolean; readonly target: boolean } {
    const isSlow = this.#bytesPerMs !== null && this.#bytesPerMs < slowBytesPerMs;
    return { source: isSlow && this.#sourceMs >= compressFromMs, target: isSlow && this.#targetMs >= compressFromMs };
  }

  /** Batches fetched or asked for, and not yet sent. */
  get ahead(): number {
    return this.#streams ? batchesFor(this.#sourceMs) : nearBatches;
  }

  /** Batches sent, and not yet answered: more than needed only make a lost connection dearer. */
  get unanswered(): number {
    return this.#streams ? batchesFor(this.#targetMs) : nearBatches;
  }

  /** To both servers: a byte is fetched, and then stored. */
  get #roundTripMs(): number {
    return this.#sourceMs + this.#targetMs;
  }
}

function batchesFor(roundTripMs: number): number {
  return Math.min(farBatches, nearBatches + Math.round(roundTripMs / msPerBatch));
}

function finite(ms: number): number {
  return Number.isFinite(ms) ? ms : 0;
}
