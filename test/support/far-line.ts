import { LineLog } from '../../bench/support/line-log.ts';
import type { Transport, TransportHandlers } from '../../src/protocol/types.ts';
import { ManualClock, turns } from '../../src/testing/manual-clock.ts';

export interface Travelled<Result> {
  readonly result: Result;
  /** What waiting for the line came to, in round trips. */
  readonly roundTrips: number;
  /** Commands and their tagged answers, as `<round trip> <connection> <direction> <line>`. */
  readonly log: string;
}

/** More turns of the event loop than what happens between two moments of the line's time. */
const idleTurns = 100;

/**
 * A line whose every byte arrives half a round trip later, at any rate, in a time that passes only while nobody has anything
 * to do: what a run takes is then what it waited for, the same each time. Dialling takes no time, as behind the bench's proxy.
 */
export class FarLine {
  readonly clock = new ManualClock();
  readonly rttMs: number;
  readonly #lines: string[] = [];
  #connections = 0;
  #held = 0;

  constructor(rttMs: number) {
    this.rttMs = rttMs;
  }

  /** The same connection, from afar. */
  lengthen(near: Transport): Transport {
    return new FarTransport(near, this, new LineLog(++this.#connections, this.#lines, () => this.clock.now()));
  }

  /** Half a round trip later. */
  later(action: () => void): void {
    this.clock.after(this.rttMs / 2, action);
  }

  /** The same, and no time passes before it is there: it has nothing to do with the line. */
  async besides<Result>(work: Promise<Result>): Promise<Result> {
    this.#held++;
    return await work.finally(() => {
      this.#held--;
    });
  }

  async #during<Result>(work: Promise<Result>): Promise<Result> {
    const state = { over: false };
    const end = () => {
      state.over = true;
    };
    work.then(end, end);
    while (!state.over) {
      await turns(idleTurns);
      // Whatever happens on the line happens at a multiple of this.
      if (!state.over && this.#held === 0) await this.clock.advance(this.rttMs / 2);
    }
    return await work;
  }

  /** Runs `work` and measures it. */
  async measure<Result>(work: () => Promise<Result>): Promise<Travelled<Result>> {
    const start = this.clock.now();
    this.#lines.length = 0;
    const result = await this.#during(work());
    const toRoundTrips = (ms: number) => (ms - start) / this.rttMs;
    const log = this.#lines
      .filter((line) => /^\S+ \d+ (-|[<>] [A-Z]{5}\d+) /.test(line))
      .map((line) => line.replace(/^[\d.]+/, (ms) => toRoundTrips(Number(ms)).toFixed(1)))
      .join('');
    return { result, roundTrips: toRoundTrips(this.clock.now()), log };
  }
}

class FarTransport implements Transport {
  readonly description = 'sandbox far away';
  readonly #near: Transport;
  readonly #line: FarLine;
  readonly #log: LineLog;

  constructor(near: Transport, line: FarLine, log: LineLog) {
    this.#near = near;
    this.#line = line;
    this.#log = log;
  }

  get secure(): boolean {
    return this.#near.secure;
  }

  start(handlers: TransportHandlers): void {
    this.#near.start({
      onData: (chunk) =>
        this.#line.later(() => {
          this.#log.received(chunk);
          handlers.onData(chunk);
        }),
      // The line itself holds any number of bytes.
      onDrain: () => {},
      onClose: (error) => this.#line.later(() => handlers.onClose(error)),
    });
  }

  write(parts: readonly Buffer[]): boolean {
    for (const part of parts) this.#log.sent(part);
    this.#line.later(() => this.#near.write(parts));
    return true;
  }

  pause(): void {
    this.#near.pause();
  }

  resume(): void {
    this.#near.resume();
  }

  upgrade(): Promise<void> {
    return this.#near.upgrade();
  }

  /** What was written before still arrives. */
  close(): void {
    this.#line.later(() => this.#near.close());
  }

  end(): void {
    this.close();
  }
}
