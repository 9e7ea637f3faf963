import { bad } from './answer.ts';
import {
  lowerBoundByUid,
  type MailboxObserver,
  type SandboxMailbox,
  type StoredMessage,
  systemFlags,
} from './mailbox.ts';
import { parseSet } from './wire.ts';

/** What a selection tells its session. */
export interface SelectionOwner {
  /** Something waits to be announced. */
  onChange(): void;
  onInvalidated(): void;
}

/**
 * One session's view of the mailbox it has selected: which message stands at which sequence number, and what other
 * sessions did that this client has not been told yet (RFC 3501 5.2, 7.4.1).
 */
export class Selection implements MailboxObserver {
  readonly mailbox: SandboxMailbox;
  readonly readOnly: boolean;
  /** Messages from this UID on carry \Recent in this session. */
  readonly recentFrom: number;
  /** Sequence number − 1 → message. Includes messages expunged elsewhere until the client has been told. */
  readonly #view: StoredMessage[];
  #arrived: StoredMessage[] = [];
  #gone: StoredMessage[] = [];
  readonly #reflagged = new Set<StoredMessage>();
  #knownKeywords: number;
  #uidNext: number;
  readonly #owner: SelectionOwner;
  readonly #unobserve: () => void;

  constructor(mailbox: SandboxMailbox, options: { readOnly: boolean }, owner: SelectionOwner) {
    this.mailbox = mailbox;
    this.readOnly = options.readOnly;
    this.recentFrom = mailbox.recentFrom;
    if (!this.readOnly) mailbox.recentFrom = mailbox.uidNext;
    this.#view = [...mailbox.messages];
    this.#knownKeywords = mailbox.keywordCount;
    this.#uidNext = mailbox.uidNext;
    this.#owner = owner;
    this.#unobserve = mailbox.observe(this);
  }

  get view(): readonly StoredMessage[] {
    return this.#view;
  }

  /** UIDNEXT when the client was last told what arrived. */
  get uidNext(): number {
    return this.#uidNext;
  }

  close(): void {
    this.#unobserve();
  }

  isRecent(message: StoredMessage): boolean {
    return message.uid >= this.recentFrom;
  }

  countRecent(): number {
    return this.#view.length - lowerBoundByUid(this.#view, this.recentFrom);
  }

  /** Flags as FETCH shows them. */
  flagsOf(message: StoredMessage): string[] {
    return this.isRecent(message) ? [...message.flags, '\\Recent'] : [...message.flags];
  }

  /** Sequence number of a message of the view. */
  sequenceOf(message: StoredMessage): number {
    return lowerBoundByUid(this.#view, message.uid) + 1;
  }

  /**
   * Indices into the view of the messages a set names, ascending, each once. A UID set may name what is not there; a
   * sequence number beyond the last message is an error, except that `*` in an empty mailbox names nothing.
   */
  resolve(set: string, byUid: boolean): number[] {
    const ranges = parseSet(set).map(({ from, to }) =>
      byUid ? this.#uidRange(from, to) : this.#sequenceRange(from, to),
    );
    ranges.sort((a, b) => a.from - b.from);
    const indices: number[] = [];
    let next = 0;
    for (const { from, to } of ranges) {
      for (let index = Math.max(from, next); index < to; index++) indices.push(index);
      next = Math.max(next, to);
    }
    return indices;
  }

  /** Untagged lines (without `* `) for what happened since the last call. Expunges wait where the RFC forbids them. */
  takeChanges(options: { expunges: boolean; modSeq: boolean }): string[] {
    const lines: string[] = [];
    if (this.mailbox.keywordCount !== this.#knownKeywords) {
      this.#knownKeywords = this.mailbox.keywordCount;
      lines.push(`FLAGS (${[...systemFlags, ...this.mailbox.keywords].join(' ')})`);
    }
    if (options.expunges && this.#gone.length > 0) this.#removeGone(lines);
    if (this.#arrived.length > 0) {
      this.#view.push(...this.#arrived);
      this.#arrived = [];
      this.#uidNext = this.mailbox.uidNext;
      if (!this.readOnly) this.mailbox.recentFrom = Math.max(this.mailbox.recentFrom, this.mailbox.uidNext);
      lines.push(`${this.#view.length} EXISTS`, `${this.countRecent()} RECENT`);
    }
    for (const message of this.#reflagged) {
      if (message.expunged) continue;
      const modSeq = options.modSeq ? ` MODSEQ (${message.modSeq})` : '';
      lines.push(
        `${this.sequenceOf(message)} FETCH (UID ${message.uid} FLAGS (${this.flagsOf(message).join(' ')})${modSeq})`,
      );
    }
    this.#reflagged.clear();
    return lines;
  }

  /** The client has just been shown this message's flags. */
  flagsShown(message: StoredMessage): void {
    this.#reflagged.delete(message);
  }

  appended(message: StoredMessage): void {
    this.#arrived.push(message);
    this.#owner.onChange();
  }

  expunged(message: StoredMessage): void {
    this.#gone.push(message);
    this.#owner.onChange();
  }

  flagsChanged(message: StoredMessage, by: MailboxObserver | null): void {
    if (by === this) return;
    this.#reflagged.add(message);
    this.#owner.onChange();
  }

  invalidated(): void {
    this.#owner.onInvalidated();
  }

  #removeGone(lines: string[]): void {
    // A message that came and went between two looks was never announced, so its departure is not either.
    this.#arrived = this.#arrived.filter((message) => !message.expunged);
    if (this.#gone.length <= 8) {
      for (const message of this.#gone) {
        const index = lowerBoundByUid(this.#view, message.uid);
        if (this.#view[index] !== message) continue;
        this.#view.splice(index, 1);
        lines.push(`${index + 1} EXPUNGE`);
      }
    } else {
      let kept = 0;
      for (const message of this.#view) {
        if (message.expunged) lines.push(`${kept + 1} EXPUNGE`);
        else this.#view[kept++] = message;
      }
      this.#view.length = kept;
    }
    this.#gone = [];
  }

  #uidRange(from: number, to: number): { from: number; to: number } {
    const last = this.#view.at(-1)?.uid ?? 0;
    const low = Math.min(from, to);
    const high = Math.max(from, to);
    // `n:*` always includes the last message, also when n is above it (RFC 3501 6.4.8).
    const first = high === Number.POSITIVE_INFINITY ? Math.min(low, last) : low;
    return {
      from: lowerBoundByUid(this.#view, first),
      to: high === Number.POSITIVE_INFINITY ? this.#view.length : lowerBoundByUid(this.#view, high + 1),
    };
  }

  #sequenceRange(from: number, to: number): { from: number; to: number } {
    const count = this.#view.length;
    const low = Math.min(from, to, count);
    const high = from === Number.POSITIVE_INFINITY || to === Number.POSITIVE_INFINITY ? count : Math.max(from, to);
    if (high > count || (Math.min(from, to) > count && Math.min(from, to) !== Number.POSITIVE_INFINITY)) {
      throw bad('Invalid messageset');
    }
    return { from: Math.max(0, low - 1), to: high };
  }
}
