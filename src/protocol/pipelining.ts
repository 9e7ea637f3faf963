import type { Pipelining } from './types.ts';

/**
 * Which unanswered commands one may follow on the line (RFC 3501 5.5, RFC 9051 5.5). Commands keep their order: one that
 * has to wait holds up those behind it.
 *
 * - `selected` waits for `selects`: were the SELECT refused, it would have no mailbox to speak of.
 * - `reads` does not: whoever sends it disregards its answer when the SELECT is refused.
 * - `sequence` follows only its own kind: while any other command is unanswered, an EXPUNGE may renumber messages.
 * - `selects` may follow all that belongs to the old mailbox: a server has done with that before it leaves it.
 * - `barrier` has the line for itself.
 */
const mayFollow: Readonly<Record<Pipelining, readonly Pipelining[]>> = {
  free: ['free', 'selected', 'reads', 'sequence', 'selects'],
  selected: ['free', 'selected', 'reads', 'sequence'],
  reads: ['free', 'selected', 'reads', 'sequence', 'selects'],
  sequence: ['sequence'],
  selects: ['free', 'selected', 'reads', 'sequence', 'selects'],
  barrier: [],
};

/** Counts the unanswered commands of a connection and says what may join them. */
export class Line {
  readonly #unanswered: Record<Pipelining, number> = {
    free: 0,
    selected: 0,
    reads: 0,
    sequence: 0,
    selects: 0,
    barrier: 0,
  };

  add(kind: Pipelining): void {
    this.#unanswered[kind]++;
  }

  remove(kind: Pipelining): void {
    this.#unanswered[kind]--;
  }

  /** True when a command of this kind may be sent now. */
  admits(kind: Pipelining): boolean {
    for (const other of kinds) {
      if (this.#unanswered[other] > 0 && !mayFollow[kind].includes(other)) return false;
    }
    return true;
  }
}

const kinds = Object.keys(mayFollow) as Pipelining[];
