import type { Pace } from '../protocol/index.ts';
import type { JobPace } from './contract.ts';

/** Bytes received, bytes sent, messages: when the next of each is due, in microseconds of the time that all lanes share. */
const slots = { received: 0, sent: 1, messages: 2 } as const;
/** What was left unused may be made up for, so much of it; at the beginning there is none. */
const creditMs = 500;

/** Memory that the lanes of a job share, on whatever threads: what one has used, another cannot. */
export function makeShared(): SharedArrayBuffer {
  return new SharedArrayBuffer(Object.keys(slots).length * BigInt64Array.BYTES_PER_ELEMENT);
}

/** What a job may move in a second, shared by all of its lanes. Who takes is told how long to wait; the debt is everybody's. */
export class Allowance implements Pace {
  readonly #bytesPerMs: number | null;
  readonly #messagesPerMs: number | null;
  readonly #due: BigInt64Array;
  readonly #sharedMs: () => number;

  /** `sharedMs`: a time that is the same on every thread, in ms. */
  constructor({ bytesPerSecond, messagesPerSecond, shared }: JobPace, sharedMs: () => number) {
    this.#bytesPerMs = bytesPerSecond === null ? null : bytesPerSecond / 1000;
    this.#messagesPerMs = messagesPerSecond === null ? null : messagesPerSecond / 1000;
    this.#due = new BigInt64Array(shared);
    this.#sharedMs = sharedMs;
  }

  received(bytes: number): number {
    return this.#take(slots.received, bytes, this.#bytesPerMs).untilPaid;
  }

  sent(bytes: number): number {
    return this.#take(slots.sent, bytes, this.#bytesPerMs).untilPaid;
  }

  /** So many messages are to be sent: how long to wait before that, in ms. */
  messages(count: number): number {
    return this.#take(slots.messages, count, this.#messagesPerMs).untilDue;
  }

  #take(slot: number, amount: number, perMs: number | null): { readonly untilDue: number; readonly untilPaid: number } {
    if (perMs === null) return { untilDue: 0, untilPaid: 0 };
    const now = this.#sharedMs();
    while (true) {
      const known = Atomics.load(this.#due, slot);
      const due = known === 0n ? now : Math.max(Number(known) / 1000, now - creditMs);
      const paid = due + amount / perMs;
      const stored = BigInt(Math.round(paid * 1000));
      if (Atomics.compareExchange(this.#due, slot, known, stored) !== known) continue;
      return { untilDue: Math.max(0, due - now), untilPaid: Math.max(0, paid - now) };
    }
  }
}
