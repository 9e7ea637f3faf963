import { internalDateToEpochMs } from '../protocol/datetime.ts';

/**
 * How a message misbehaves when its body is asked for:
 * `nil` BODY[] is NIL; `absent` the FETCH response lacks BODY[]; `phantom` listed and counted, but never in any FETCH
 * response; `error` the FETCH that asks for the body ends with NO.
 */
export type MessageQuirk = 'nil' | 'absent' | 'phantom' | 'error';

/** One message of a mailbox. Shared by every session that sees it. */
export interface StoredMessage {
  /** Changes only with UIDVALIDITY. */
  uid: number;
  /** System flags in their canonical spelling, keywords as first seen in the mailbox. Change them through the mailbox. */
  readonly flags: ReadonlySet<string>;
  /** `17-Jul-1996 02:44:25 -0700`, the zone as it came. */
  readonly internalDate: string;
  readonly body: Buffer;
  readonly modSeq: number;
  readonly expunged: boolean;
  /** What RFC822.SIZE says when it is not the truth. */
  reportedSize: number | null;
  quirk: MessageQuirk | null;
}

interface MutableMessage extends StoredMessage {
  flags: Set<string>;
  modSeq: number;
  expunged: boolean;
}

/** A message to be stored. */
export interface NewMessage {
  readonly body: Buffer | string;
  readonly flags?: Iterable<string>;
  /** Default: the account's clock. */
  readonly internalDate?: string;
  /** Default: UIDNEXT. Must not be below it: UIDs may be sparse, never fall. */
  readonly uid?: number;
  readonly reportedSize?: number;
  readonly quirk?: MessageQuirk;
}

/** Someone who has the mailbox selected. */
export interface MailboxObserver {
  appended(message: StoredMessage): void;
  expunged(message: StoredMessage): void;
  /** `by` is the observer that asked for the change, `null` when nobody did. */
  flagsChanged(message: StoredMessage, by: MailboxObserver | null): void;
  /** UIDs or the mailbox itself are gone: what was selected no longer exists. */
  invalidated(): void;
}

export interface MailboxOptions {
  readonly specialUse?: readonly string[];
  readonly noselect?: boolean;
  readonly uidValidity?: number;
}

export const systemFlags = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'] as const;

const canonicalSystemFlags = new Map<string, string>(systemFlags.map((flag) => [flag.toLowerCase(), flag]));

/** A mailbox: messages in UID order, counters, and the sessions that watch it. */
export class SandboxMailbox {
  /** As it travels on the wire (modified UTF-7, latin1). Changes with RENAME. */
  rawName: string;
  specialUse: readonly string[];
  noselect: boolean;
  /** Made only to hold a child's place: vanishes with its last child. */
  placeholder = false;
  /** Smallest UID that no read-write session has been told of yet. */
  recentFrom = 1;
  #uidValidity: number;
  #uidNext = 1;
  #highestModSeq = 1;
  #totalBytes = 0;
  #messages: MutableMessage[] = [];
  readonly #keywords = new Map<string, string>();
  readonly #observers = new Set<MailboxObserver>();
  readonly #nowDate: () => string;

  constructor(rawName: string, options: MailboxOptions & { uidValidity: number; nowDate: () => string }) {
    this.rawName = rawName;
    this.specialUse = options.specialUse ?? [];
    this.noselect = options.noselect ?? false;
    this.#uidValidity = options.uidValidity;
    this.#nowDate = options.nowDate;
  }

  get uidValidity(): number {
    return this.#uidValidity;
  }

  get uidNext(): number {
    return this.#uidNext;
  }

  get highestModSeq(): number {
    return this.#highestModSeq;
  }

  /** Sum of the body lengths. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** In UID order. */
  get messages(): readonly StoredMessage[] {
    return this.#messages;
  }

  /** Every keyword a message of this mailbox ever had. */
  get keywords(): readonly string[] {
    return [...this.#keywords.values()];
  }

  get keywordCount(): number {
    return this.#keywords.size;
  }

  get observerCount(): number {
    return this.#observers.size;
  }

  /** Stores one message. @throws RangeError for a date that is none or a UID below UIDNEXT. */
  append(message: NewMessage): StoredMessage {
    const internalDate = message.internalDate ?? this.#nowDate();
    if (internalDateToEpochMs(internalDate) === null) throw new RangeError(`not an internal date: ${internalDate}`);
    const uid = message.uid ?? this.#uidNext;
    if (!Number.isInteger(uid) || uid < this.#uidNext)
      throw new RangeError(`UID ${uid} is below UIDNEXT ${this.#uidNext}`);
    this.#highestModSeq += 1;
    const stored: MutableMessage = {
      uid,
      flags: this.#normalizeFlags(message.flags ?? []),
      internalDate,
      body: typeof message.body === 'string' ? Buffer.from(message.body) : message.body,
      modSeq: this.#highestModSeq,
      expunged: false,
      reportedSize: message.reportedSize ?? null,
      quirk: message.quirk ?? null,
    };
    this.#uidNext = uid + 1;
    this.#messages.push(stored);
    this.#totalBytes += stored.body.length;
    for (const observer of this.#observers) observer.appended(stored);
    return stored;
  }

  /** The message with this UID, or `null`. */
  find(uid: number): StoredMessage | null {
    const message = this.#messages[this.#lowerBound(uid)];
    return message?.uid === uid ? message : null;
  }

  /** Replaces a message's flags. Returns false when nothing changed. */
  setFlags(message: StoredMessage, flags: Iterable<string>, by: MailboxObserver | null = null): boolean {
    const own = this.#own(message);
    const next = this.#normalizeFlags(flags);
    if (next.size === own.flags.size && [...next].every((flag) => own.flags.has(flag))) return false;
    own.flags = next;
    this.#highestModSeq += 1;
    own.modSeq = this.#highestModSeq;
    for (const observer of this.#observers) observer.flagsChanged(own, by);
    return true;
  }

  /** Removes messages for good. Those already gone are passed over. */
  expunge(messages: Iterable<StoredMessage>): void {
    const gone: MutableMessage[] = [];
    for (const message of messages) {
      if (message.expunged) continue;
      const own = this.#own(message);
      own.expunged = true;
      this.#totalBytes -= own.body.length;
      gone.push(own);
    }
    if (gone.length === 0) return;
    if (gone.length === 1) this.#messages.splice(this.#lowerBound((gone[0] as MutableMessage).uid), 1);
    else this.#messages = this.#messages.filter((message) => !message.expunged);
    this.#highestModSeq += 1;
    for (const message of gone) for (const observer of this.#observers) observer.expunged(message);
  }

  /**
   * Gives the mailbox a new UIDVALIDITY, and its messages new UIDs from 1. Sessions that have it selected are told that their
   * state is void, unless `quietly`.
   */
  changeUidValidity(value: number = this.#uidValidity + 1, options: { quietly?: boolean } = {}): void {
    this.#uidValidity = value;
    for (const [index, message] of this.#messages.entries()) message.uid = index + 1;
    this.#uidNext = this.#messages.length + 1;
    this.recentFrom = Math.min(this.recentFrom, this.#uidNext);
    if (options.quietly !== true) this.invalidate();
  }

  /** Tells every session that has this mailbox selected that it is gone. */
  invalidate(): void {
    for (const observer of [...this.#observers]) observer.invalidated();
  }

  /** Leaves `count` UIDs unused, as expunged messages would. */
  skipUids(count: number): void {
    this.#uidNext += count;
  }

  observe(observer: MailboxObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** The flag as this mailbox spells it: system flags and known keywords are compared without case. */
  #normalizeFlags(flags: Iterable<string>): Set<string> {
    const normal = new Set<string>();
    for (const flag of flags) {
      const key = flag.toLowerCase();
      const known = canonicalSystemFlags.get(key) ?? this.#keywords.get(key);
      if (known === undefined) this.#keywords.set(key, flag);
      normal.add(known ?? flag);
    }
    return normal;
  }

  #own(message: StoredMessage): MutableMessage {
    const own = this.#messages[this.#lowerBound(message.uid)];
    if (own !== message) throw new RangeError(`UID ${message.uid} is no message of this mailbox`);
    return own as MutableMessage;
  }

  #lowerBound(uid: number): number {
    return lowerBoundByUid(this.#messages, uid);
  }
}

/** Index of the first message whose UID is not below `uid`. `messages` are in UID order. */
export function lowerBoundByUid(messages: readonly StoredMessage[], uid: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((messages[middle] as StoredMessage).uid < uid) low = middle + 1;
    else high = middle;
  }
  return low;
}
