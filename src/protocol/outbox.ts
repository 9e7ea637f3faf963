import { ProtocolError } from './errors.ts';
import type { PendingCommand } from './pending-command.ts';
import { Line } from './pipelining.ts';

export interface OutboxHandlers {
  /** Hands bytes over; false means: not before `release`. */
  write(parts: readonly Buffer[], bytes: number): boolean;
  /** The command whose bytes are going waits for a stream of ours. */
  onStarved(): void;
  /** A command's group is about to be handed over. */
  onGroup(pending: PendingCommand): void;
}

/**
 * The commands of a connection on their way out: those that wait for their turn, the one whose bytes are going, and those
 * that wait for an answer. Keeps the order, the pipelining rule, and silence on the line after `{n}` until the `+`.
 */
export class Outbox {
  readonly #handlers: OutboxHandlers;
  readonly #line = new Line();
  readonly #queue: PendingCommand[] = [];
  readonly #unanswered: PendingCommand[] = [];
  /** The one whose bytes are not all handed over; it has the line for itself. */
  #sending: PendingCommand | null = null;
  #held = false;

  constructor(handlers: OutboxHandlers) {
    this.#handlers = handlers;
  }

  /** Begun and unanswered, oldest first. */
  get unanswered(): readonly PendingCommand[] {
    return this.#unanswered;
  }

  /** Nothing is unanswered and nothing waits: what is added now leaves at once. */
  get isIdle(): boolean {
    return this.#unanswered.length === 0 && this.#queue.length === 0 && !this.#held;
  }

  add(pending: PendingCommand): void {
    this.#queue.push(pending);
    this.pump();
  }

  /** Nothing more is handed over until `release`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.pump();
  }

  /** Hands over whatever may go now. */
  pump(): void {
    while (!this.#held) {
      const sending = this.#sending ?? this.#begin();
      if (sending === null || sending.awaitsContinuation) return;
      if (sending.atGroupStart) this.#handlers.onGroup(sending);
      const { parts, bytes } = sending.nextPiece();
      if (bytes === 0 && !sending.fullySent) {
        this.#handlers.onStarved();
        return;
      }
      if (sending.fullySent) this.#sending = null;
      if (!this.#handlers.write(parts, bytes)) this.#held = true;
    }
  }

  /**
   * The server said `+`. True when a literal was waiting for it and goes now.
   * @throws ProtocolError when it came before the literal was announced.
   */
  continue(): boolean {
    const sending = this.#sending;
    if (sending === null) return false;
    if (!sending.awaitsContinuation) throw new ProtocolError('the server asked for a literal it was not offered');
    sending.continue();
    this.pump();
    return true;
  }

  /**
   * The command that the tag answers; it is unanswered no more. When it was refused early, what is left of it is not
   * sent. The caller pumps when the answer has been dealt with.
   * @throws ProtocolError when no such command is under way, or it was accepted before all of it was sent.
   */
  take(tag: string, accepted: boolean): PendingCommand {
    const index = this.#unanswered.findIndex((pending) => pending.tag === tag);
    const pending = this.#unanswered[index];
    if (pending === undefined) throw new ProtocolError('the server answered a command that is not under way');
    if (!pending.fullySent) {
      if (accepted) throw new ProtocolError(`the server said OK to ${pending.command.name} before it had all of it`);
      pending.abandon();
      if (pending.fullySent) {
        this.#sending = null;
        for (const source of pending.sources()) source.release();
      }
    }
    this.#unanswered.splice(index, 1);
    this.#line.remove(pending.command.pipelining);
    return pending;
  }

  /** Empties it, for the end of the connection: all unanswered commands, then all that were not begun. */
  clear(): PendingCommand[] {
    this.#held = true;
    this.#sending = null;
    return [...this.#unanswered.splice(0), ...this.#queue.splice(0)];
  }

  /** Takes the next command from the queue if the line admits it. */
  #begin(): PendingCommand | null {
    const next = this.#queue[0];
    if (next === undefined || !this.#line.admits(next.command.pipelining)) return null;
    this.#queue.shift();
    this.#line.add(next.command.pipelining);
    this.#unanswered.push(next);
    this.#sending = next;
    return next;
  }
}
