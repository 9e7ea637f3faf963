import {
  digestBytes,
  type IntendedMessages,
  type MessageFacts,
  pickFacts,
  pickNumbers,
} from '../plan/message-facts.ts';
import type { BatchReport, RefusedMessage } from './contract.ts';
import { writeDigest } from './digest.ts';
import type { Fetched, Message, NoMessage } from './endpoint.ts';

/** What became of a message so far. */
const open = 0;
const stored = 1;
const refused = 2;
const unsent = 3;
const missing = 4;

/** A batch as it was fetched, what is known of its messages, and what became of each. A row is an index into `messages`. */
export class Batch {
  readonly messages: readonly Message[];
  /** For the journal, before the messages are sent. */
  readonly facts: IntendedMessages;
  /** The same as it is known by now. */
  readonly #known: MessageFacts;
  /** Distinct flags, by the numbers in `facts.flags`. */
  readonly #flagLists: (readonly string[])[] = [];
  readonly #fates: Uint8Array;
  readonly #targetUids: Uint32Array;
  readonly #refused: RefusedMessage[] = [];
  readonly #gone: number[] = [];
  /** UIDs of messages that are too big to be among them. */
  readonly oversize: readonly number[];
  #resent = 0;

  /**
   * `fetched` in the order of UIDs. Takes the messages' digests; `bodiless`: their bodies are not there yet, and `learn` is
   * told of them.
   */
  constructor(fetched: readonly Fetched[], options: { readonly bodiless: boolean } = { bodiless: false }) {
    const messages: Message[] = [];
    const oversize: number[] = [];
    for (const item of fetched) {
      if (item.kind === 'message') messages.push(item.message);
      else if (item.kind === 'oversize') oversize.push(item.uid);
      else this.#miss(item);
    }
    this.messages = messages;
    this.oversize = oversize;
    const { internalDates, ...known } = this.#describe(options);
    this.#known = known;
    this.facts = { ...known, digests: options.bodiless ? null : known.digests, internalDates };
    this.#fates = new Uint8Array(messages.length);
    this.#targetUids = new Uint32Array(messages.length);
  }

  #describe({ bodiless }: { readonly bodiless: boolean }): MessageFacts & Pick<IntendedMessages, 'internalDates'> {
    const { messages } = this;
    const count = messages.length;
    const uids = new Uint32Array(count);
    const sizes = new Float64Array(count);
    const flags = new Uint32Array(count);
    const digests = Buffer.allocUnsafeSlow(count * digestBytes);
    const flagSets = new FlagSets(this.#flagLists);
    for (let row = 0; row < count; row++) {
      const { uid, body, flags: list } = messages[row] as Message;
      uids[row] = uid;
      sizes[row] = body.size;
      flags[row] = flagSets.indexOf(list);
      if (!bodiless) writeDigest(body, digests, row * digestBytes);
    }
    const internalDates = messages.map(({ internalDate }) => internalDate);
    return { uids, sizes, digests, flags, flagSets: flagSets.texts, internalDates };
  }

  /** The body of the message in `row` was so long, and this is its SHA-256. */
  learn(row: number, size: number, digest: Uint8Array): void {
    this.#known.sizes[row] = size;
    this.#known.digests.set(digest, row * digestBytes);
  }

  /** `targetUid` as the target told it; `attempt` 0: the first one. */
  store(row: number, targetUid: number | null, attempt: number): void {
    this.#fates[row] = stored;
    this.#targetUids[row] = targetUid ?? 0;
    if (attempt > 0) this.#resent++;
  }

  refuse(row: number, { code, text, subject }: Pick<RefusedMessage, 'code' | 'text' | 'subject'>): void {
    const { uids, sizes } = this.#known;
    this.#fates[row] = refused;
    this.#refused.push({ uid: uids[row] ?? 0, bytes: sizes[row] ?? 0, code, text, subject });
  }

  /** The source does not give the message in `row` after all. */
  miss(row: number, reason: NoMessage): void {
    this.#fates[row] = missing;
    this.#miss(reason);
  }

  #miss(reason: NoMessage): void {
    const { kind, uid } = reason;
    if (kind === 'gone') this.#gone.push(uid);
    else this.#refused.push({ uid, bytes: 0, code: 'UNREADABLE', text: reason.text, subject: null });
  }

  /** It was not stored for certain, and is to be tried again. */
  leave(row: number): void {
    this.#fates[row] = unsent;
  }

  /** Whether there is anything to report. */
  get hasNews(): boolean {
    return this.#gone.length > 0 || this.#refused.length > 0 || this.#fates.some((fate) => fate !== open);
  }

  /**
   * What is known by now. `lostOf` tells which of its flags a message loses at the target; `keepsDates`: whoever is told
   * keeps INTERNALDATEs.
   */
  report(
    lostOf: (flags: readonly string[]) => readonly string[],
    { keepsDates }: { readonly keepsDates: boolean },
  ): BatchReport {
    const rows = this.#rowsThatAre(stored);
    const facts = rows.length === this.messages.length ? this.#known : pickFacts(this.#known, rows);
    const { uids, sizes, digests, flags, flagSets } = facts;
    const targetUids = pickNumbers(this.#targetUids, rows);
    const internalDates = keepsDates ? Array.from(rows, (row) => this.facts.internalDates[row] ?? null) : null;
    return {
      stored: { uids, targetUids, sizes, digests, flags, flagSets, internalDates },
      refused: this.#refused,
      gone: Uint32Array.from(this.#gone),
      unsent: pickNumbers(this.#known.uids, this.#rowsThatAre(unsent)),
      resent: this.#resent,
      lostFlags: this.#lostFlags(flags, lostOf),
    };
  }

  /** The last message that was stored, and its UID at the target. */
  get lastStored(): { readonly message: Message; readonly targetUid: number | null } | null {
    const row = this.#fates.lastIndexOf(stored);
    const message = this.messages[row];
    return message === undefined ? null : { message, targetUid: this.#targetUids[row] || null };
  }

  #rowsThatAre(wanted: number): Uint32Array {
    const fates = this.#fates;
    const rows = new Uint32Array(fates.length);
    let count = 0;
    for (let row = 0; row < fates.length; row++) if (fates[row] === wanted) rows[count++] = row;
    return rows.subarray(0, count);
  }

  #lostFlags(flags: Uint32Array, lostOf: (flags: readonly string[]) => readonly string[]): Record<string, number> {
    const messages = new Uint32Array(this.#flagLists.length);
    for (const list of flags) messages[list] = (messages[list] ?? 0) + 1;
    const lost: Record<string, number> = {};
    for (const [list, names] of this.#flagLists.entries()) {
      const count = messages[list] ?? 0;
      if (count > 0) for (const flag of lostOf(names)) lost[flag] = (lost[flag] ?? 0) + count;
    }
    return lost;
  }
}

/** Numbers the different flags of a batch. */
class FlagSets {
  readonly texts: string[] = [];
  readonly #lists: (readonly string[])[];
  /** Message after message has the very same array. */
  readonly #byList = new Map<readonly string[], number>();
  readonly #byText = new Map<string, number>();

  /** `lists` gets an array for each number. */
  constructor(lists: (readonly string[])[]) {
    this.#lists = lists;
  }

  indexOf(list: readonly string[]): number {
    const known = this.#byList.get(list);
    if (known !== undefined) return known;
    const text = list.join(' ');
    let index = this.#byText.get(text);
    if (index === undefined) {
      index = this.texts.push(text) - 1;
      this.#lists.push(list);
      this.#byText.set(text, index);
    }
    this.#byList.set(list, index);
    return index;
  }
}
