import type { Clock } from '../../src/clock.ts';
import { systemClock } from '../../src/clock.ts';
import { exitCodes } from '../../src/errors.ts';
import type { LaneHandle, LaneHost } from '../../src/lanes.ts';
import type { ImapClient } from '../../src/protocol/index.ts';
import type { Channel, FromLane, LaneOptions, LaneResult, ToLane } from '../../src/worker/contract.ts';
import { runLane } from '../../src/worker/lane.ts';
import type { Connect } from '../../src/worker/login.ts';

/** Runs an action later, and those it was given before that first. */
export type Schedule = (action: () => void) => void;

/** Both ends of a channel in one thread. What is posted is cloned, as it would be between threads, and arrives later, in order. */
export function channelPair(
  toLane: Schedule = setImmediate,
  toMain: Schedule = setImmediate,
): { main: Channel<ToLane, FromLane>; lane: Channel<FromLane, ToLane> } {
  const main = new InlineEnd<ToLane, FromLane>(toLane);
  const lane = new InlineEnd<FromLane, ToLane>(toMain);
  main.peer = lane;
  lane.peer = main;
  return { main, lane };
}

class InlineEnd<Out, In> implements Channel<Out, In> {
  peer: InlineEnd<In, Out> | null = null;
  #handler: ((message: In) => void) | null = null;
  readonly #early: In[] = [];
  readonly #later: Schedule;

  constructor(later: Schedule) {
    this.#later = later;
  }

  post(message: Out, handedOver: readonly ArrayBuffer[] = []): void {
    const copy = structuredClone(message, { transfer: [...handedOver] });
    this.#later(() => this.peer?.receive(copy));
  }

  receive(message: In): void {
    if (this.#handler === null) this.#early.push(message);
    else this.#handler(message);
  }

  onMessage(handler: (message: In) => void): void {
    this.#handler = handler;
    for (const message of this.#early.splice(0)) handler(message);
  }

  close(): void {
    this.peer = null;
  }
}

/** Lanes in the test's own thread, over whatever `connect` opens. */
export class InlineHost implements LaneHost {
  readonly #connect: Connect;
  readonly #clock: Clock;
  readonly #oversizeBytes: number | undefined;
  /** By lane, in the order they were started. */
  readonly #deaths: (() => void)[] = [];
  readonly #schedule: () => Schedule;
  started = 0;

  /** `schedule` is called for each direction of each channel. */
  constructor(
    connect: Connect,
    clock: Clock = systemClock,
    options: { readonly oversizeBytes?: number | undefined; readonly schedule?: () => Schedule } = {},
  ) {
    this.#connect = connect;
    this.#clock = clock;
    this.#oversizeBytes = options.oversizeBytes;
    this.#schedule = options.schedule ?? (() => setImmediate);
  }

  start(options: LaneOptions): LaneHandle {
    this.started++;
    const toMain = this.#schedule();
    const { main, lane } = channelPair(this.#schedule(), toMain);
    const clients: ImapClient[] = [];
    const connect: Connect = async (...args) => {
      const client = await this.#connect(...args);
      clients.push(client);
      return client;
    };
    const died = new Promise<LaneResult>((resolve) => {
      this.#deaths.push(() => {
        lane.close();
        for (const client of clients) client.close(new Error('the thread is dead'));
        resolve(threadDied);
      });
    });
    const wallClockMs = () => Date.UTC(2026, 0, 1);
    const parts = { connect, clock: this.#clock, wallClockMs, oversizeBytes: this.#oversizeBytes };
    const done = runLane(options, lane, parts).then(
      // After the last message, as a thread's port closes after it.
      (result) => new Promise<typeof result>((resolve) => toMain(() => resolve(result))),
    );
    return { channel: main, done: Promise.race([done, died]) };
  }

  /** Ends a lane without a word, as the death of its thread would: that of index `lane` of those started. */
  kill(lane: number): void {
    this.#deaths[lane]?.();
  }

  async close(): Promise<void> {
    for (const die of this.#deaths) die();
  }
}

const threadDied: LaneResult = {
  failure: {
    side: null,
    scope: 'lane',
    inDoubt: true,
    error: { code: 'THREAD', exitCode: exitCodes.internal, message: 'a worker thread ended' },
    pushedBack: null,
  },
};
