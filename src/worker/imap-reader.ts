import { MessageTable } from '../plan/message-table.ts';
import { selectMissing } from '../plan/select.ts';
import {
  CommandError,
  type FetchData,
  type ImapClient,
  ProtocolError,
  type SelectedFolder,
  splitSequenceSet,
  type Unsolicited,
} from '../protocol/index.ts';
import { ContentRows } from './content-rows.ts';
import type { FlagTable, FolderContents, InspectTask, ListedBefore, SelectedFacts } from './contract.ts';
import type { Fetched, ListedMessages, ReadableFolder } from './endpoint.ts';
import { FlagRows } from './flag-rows.ts';
import { toModSeq } from './imap-endpoint.ts';

/** Messages in one window of a folder's listing: the first one is small, so that copying starts soon. */
const firstScanWindow = 500;
const scanWindow = 5_000;
/** Messages asked for in one FETCH of a verification. */
const inspectWindow = { bodies: 200, headers: 2_000 };
/** So many of these are asked for before the first is answered: a far server always has one to work on. */
const windowsUnderWay = 3;
/** More than any folder holds; a comparison keeps all of them in memory. */
const maxInspected = 10_000_000;
/** Longest set in one SEARCH: servers bound a line at 8 KiB (RFC 7162 4). */
const maxSetBytes = 7_000;

const listItems = ['UID', 'RFC822.SIZE'];

/** One way to ask for messages by UID, and where the answers went. */
interface Reading {
  /** Answers the server's refusal, `null` for OK. */
  ask(uids: Uint32Array): Promise<CommandError | null>;
  has(uid: number): boolean;
  unreadable(uid: number, text: string): void;
}

/** A folder opened with EXAMINE; read with BODY.PEEK, so that nothing at the source changes. */
export class ImapReader implements ReadableFolder {
  readonly facts: SelectedFacts;
  readonly #client: ImapClient;
  /** Messages of the beginning that are still there, as far as the server told. */
  #remaining: number;
  #sawExpunge = false;
  #unlisted = 0;
  unchanged = 0;

  constructor(client: ImapClient, selected: SelectedFolder) {
    this.#client = client;
    this.facts = toFacts(selected);
    this.#remaining = selected.exists;
    client.onUnsolicited = (data) => this.#hear(data);
  }

  #hear(data: Unsolicited): void {
    if (data.kind !== 'expunge' && data.kind !== 'vanished') return;
    this.#sawExpunge = true;
    // What arrived since has the higher sequence numbers and was never counted.
    if (data.kind === 'expunge' && data.seq <= this.#remaining) this.#remaining--;
  }

  get #hasShrunk(): boolean {
    return this.#sawExpunge || this.#counted() < this.facts.exists;
  }

  /** Messages there must be, as the server counts now. */
  #counted(): number {
    // News that came in one chunk with the answer to EXAMINE reached only the client.
    return Math.min(this.#remaining, this.#client.selected?.exists ?? 0);
  }

  unlisted(): number {
    return this.#unlisted;
  }

  async *scan(before: ListedBefore | null = null): AsyncIterable<ListedMessages> {
    const came = before === null ? null : await this.#listNews(before);
    if (came !== null) {
      this.unchanged = before?.messages ?? 0;
      if (came.length > 0) yield came.columns();
      return;
    }
    const { exists } = this.facts;
    const sent = new MessageTable();
    let from = 1;
    let refused = false;
    let next = this.#listWindow(from, firstScanWindow);
    while (next !== null) {
      const listed = next;
      from = listed.to + 1;
      // The following window is asked for before this one is handed on.
      next = this.#listWindow(from, scanWindow);
      const table = await listed.table;
      if (table === null) {
        refused = true;
        break;
      }
      sent.append(table.columns());
      if (table.length > 0) yield table.columns();
    }
    // An EXPUNGE moves later messages down, out of windows not yet asked for, and a message may be left out of any answer.
    // Whoever was missed shows in a list by UID.
    const isWhole = !refused && !this.#hasShrunk && sent.length >= this.#counted();
    if (isWhole || exists === 0) return;
    const all = await this.#listByUid(sent, refused);
    const missed = all.pick(selectMissing(all.uids, sent.uids));
    if (missed.length > 0) yield missed.columns();
  }

  /** What came since a list; `null`: something of that list has gone, or cannot be told. */
  async #listNews({ uidValidity, uidNext, messages }: ListedBefore): Promise<MessageTable | null> {
    const { facts } = this;
    if (facts.uidValidity !== uidValidity || facts.exists < messages) return null;
    const came = new MessageTable();
    if (facts.exists > 0) {
      await this.#client.fetchEach(`${uidNext}:*`, listItems, (data) => {
        // `n:*` names the last message even where its UID is below n.
        if (data.uid !== undefined && data.uid >= uidNext) pushRow(came, data);
      });
    }
    return !this.#hasShrunk && messages + this.#rowsCounted(came) === facts.exists ? came : null;
  }

  /** Asks for up to `messages` rows by sequence number, `null`: there are no more. A window that an EXPUNGE made impossible has no table. */
  #listWindow(from: number, messages: number): { to: number; table: Promise<MessageTable | null> } | null {
    // RFC 9051 6.4.5: a number above EXISTS makes the whole command BAD.
    const to = Math.min(from + messages - 1, this.#counted());
    if (from > to) return null;
    const rows = new MessageTable(to - from + 1);
    const asked = this.#client.fetchEach(`${from}:${to}`, listItems, (data) => pushRow(rows, data), { useUid: false });
    const table = asked.then(
      () => rows,
      (error: unknown) => {
        // The numbers of this window may have been too high by the time the server read them.
        if (this.#hasShrunk) return nullWhenRefused(error);
        throw error;
      },
    );
    // It may go wrong while its predecessor is being handed on.
    table.catch(() => {});
    return { to, table };
  }

  /** The whole folder by UID, and how much of what the server counts is in no list. */
  async #listByUid(sent: MessageTable, windowRefused: boolean): Promise<MessageTable> {
    const all = new MessageTable();
    try {
      await this.#client.fetchEach('1:*', listItems, (data) => pushRow(all, data));
    } catch (error) {
      if (!(error instanceof CommandError) || windowRefused) throw error;
      all.append(sent.columns());
    }
    if (this.#rowsCounted(all) < this.#counted()) {
      // A message may be in no FETCH answer and be found all the same: then there is a UID to name it by.
      const found = (await this.#client.search('ALL').catch(nullWhenRefused)) ?? [];
      for (const uid of found) pushRow(all, { uid });
    }
    this.#unlisted = Math.max(0, this.#counted() - this.#rowsCounted(all));
    return all;
  }

  /** Rows of the messages that were there when the folder was opened. */
  #rowsCounted(table: MessageTable): number {
    const { uidNext } = this.facts;
    return uidNext === null ? table.length : table.uids.filter((uid) => uid < uidNext).length;
  }

  async fetch(uids: Uint32Array): Promise<Fetched[]> {
    const found = new Map<number, Fetched>();
    await this.#read(uids, {
      ask: (some) => this.#fetchInto(some, found),
      has: (uid) => found.has(uid),
      unreadable: (uid, text) => found.set(uid, { kind: 'unreadable', uid, text }),
    });
    return Array.from(uids, (uid) => found.get(uid) ?? { kind: 'gone', uid });
  }

  /**
   * Asks for messages, and for each that did not come and still exists once more alone: one bad message must not take its
   * neighbours along. What then is neither had nor reported unreadable is gone from the server.
   */
  async #read(uids: Uint32Array, reading: Reading, shouldStop: () => boolean = () => false): Promise<void> {
    await reading.ask(uids);
    const silent: number[] = [];
    for (const uid of await this.#present(uids.filter((uid) => !reading.has(uid)))) {
      if (shouldStop()) return;
      const refusal = await reading.ask(Uint32Array.of(uid));
      // RFC 5530: EXPUNGEISSUED says that the message is gone, not that it is bad.
      if (reading.has(uid) || refusal?.responseCode === 'EXPUNGEISSUED') continue;
      if (refusal === null) silent.push(uid);
      else reading.unreadable(uid, refusal.text);
    }
    for (const uid of await this.#present(Uint32Array.from(silent))) {
      reading.unreadable(uid, 'the server lists this message but does not send it');
    }
  }

  /** Those of `uids` that the server still has: a message is gone only when neither FETCH nor SEARCH knows it any more. */
  async #present(uids: Uint32Array): Promise<Uint32Array> {
    if (uids.length === 0) return uids;
    const present = new Set<number>();
    const asked = [
      this.#client.fetchEach(uids, ['UID', 'FLAGS'], ({ uid }) => {
        if (uid !== undefined) present.add(uid);
      }),
      ...[...splitSequenceSet(uids, maxSetBytes)].map(async (set) => {
        for (const uid of await this.#client.search(['UID', set])) present.add(uid);
      }),
    ];
    const answers = await Promise.all(asked.map((answer) => answer.then(() => true, nullWhenRefused)));
    // Where every question is refused, nothing is known: then nothing is gone.
    return answers.includes(true) ? uids.filter((uid) => present.has(uid)) : uids;
  }

  /** One UID FETCH; answers the server's refusal, `null` for OK. */
  async #fetchInto(uids: Uint32Array, found: Map<number, Fetched>): Promise<CommandError | null> {
    return refusalOf(
      this.#client.fetchEach(uids, ['UID', 'FLAGS', 'INTERNALDATE', 'BODY.PEEK[]'], (data) => {
        const { uid, body } = data;
        if (uid === undefined || body === undefined) return;
        if (body === null) {
          found.set(uid, { kind: 'unreadable', uid, text: 'the server answered NIL instead of the message' });
        } else {
          const message = { uid, flags: data.flags ?? [], internalDate: data.internalDate ?? null, body };
          found.set(uid, { kind: 'message', message });
        }
      }),
    );
  }

  async flags(since: string | null): Promise<FlagTable> {
    const rows = new FlagRows();
    const options = since === null ? {} : { changedSince: BigInt(since) };
    // RFC 9051 6.4.9: in an empty folder `1:*` names nothing, and some servers say BAD to it.
    if (this.facts.exists > 0) await this.#client.fetchEach('1:*', ['UID', 'FLAGS'], (data) => rows.add(data), options);
    const { uidValidity, highestModSeq } = this.facts;
    return { uidValidity, highestModSeq, ...rows.columns() };
  }

  async inspect(
    part: Pick<InspectTask, 'bodies' | 'uids' | 'fromUid'>,
    shouldStop: () => boolean = () => false,
  ): Promise<FolderContents> {
    const rows = new ContentRows(part.bodies);
    const uids = await this.#uidsOf(part, shouldStop);
    const window = part.bodies ? inspectWindow.bodies : inspectWindow.headers;
    const underWay: Promise<void>[] = [];
    try {
      for (let start = 0; start < uids.length && !shouldStop(); start += window) {
        const reading = this.#read(uids.subarray(start, start + window), this.#readingInto(rows, part), shouldStop);
        // It may go wrong while a window before it is being waited for.
        reading.catch(() => {});
        underWay.push(reading);
        if (underWay.length === windowsUnderWay) await underWay.shift();
      }
      for (const reading of underWay) await reading;
    } finally {
      await Promise.allSettled(underWay);
    }
    return rows.contents({ complete: !shouldStop(), unlisted: this.unlisted() });
  }

  /** Reads one window into `rows`. */
  #readingInto(rows: ContentRows, { bodies }: Pick<InspectTask, 'bodies'>): Reading {
    const section = bodies ? 'BODY.PEEK[]' : 'BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT)]';
    const items = ['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', section];
    const had = new Set<number>();
    const take = (data: FetchData) => {
      if (rows.add(data) && data.uid !== undefined) had.add(data.uid);
    };
    return {
      ask: (uids) => refusalOf(this.#client.fetchEach(uids, items, take)),
      has: (uid) => had.has(uid),
      unreadable: (uid) => rows.addUnreadable(uid),
    };
  }

  /**
   * The UIDs to be read, ascending. All of them before the first message is asked for: a listing by sequence number has to
   * wait until nothing else is under way (RFC 9051 5.5), and everything else for it.
   */
  async #uidsOf(part: Pick<InspectTask, 'uids' | 'fromUid'>, shouldStop: () => boolean): Promise<Uint32Array> {
    if (part.uids !== null) return part.uids;
    const listed = new MessageTable();
    if (part.fromUid > 1) await this.#listFrom(part.fromUid, listed);
    else {
      for await (const window of this.scan()) {
        if (shouldStop()) break;
        listed.append(window);
        checkCount(listed.length);
      }
    }
    return listed.uids;
  }

  async #listFrom(fromUid: number, listed: MessageTable): Promise<void> {
    if (this.facts.exists === 0) return;
    let count = 0;
    await this.#client.fetchEach(`${fromUid}:*`, listItems, (data) => {
      checkCount(++count);
      // `n:*` names the last message even where its UID is below n.
      if (data.uid !== undefined && data.uid >= fromUid) pushRow(listed, data);
    });
  }
}

/** What a SELECT or EXAMINE told, in a form that crosses threads. */
export function toFacts(selected: SelectedFolder): SelectedFacts {
  return {
    uidValidity: selected.uidValidity,
    uidNext: selected.uidNext,
    exists: selected.exists,
    highestModSeq: toModSeq(selected.highestModSeq),
  };
}

/** @throws ProtocolError where a server lists messages without end */
function checkCount(messages: number): void {
  if (messages <= maxInspected) return;
  throw new ProtocolError(`The server lists more than ${maxInspected} messages in one folder.`);
}

/** Takes a row of a listing. One without a UID stays out and is missed when the rows are counted. */
function pushRow(table: MessageTable, { uid, size }: Pick<FetchData, 'uid' | 'size'>): void {
  if (uid === undefined) return;
  // RFC 9051 2.3.1.1: UIDs are nz-numbers; the grammar of the response already bounds them above.
  if (uid === 0) throw new ProtocolError('The server listed a message under UID 0, which cannot be.');
  table.push(uid, size ?? 0);
}

/** Resolves with the server's refusal, `null` for OK. @throws whatever else went wrong */
function refusalOf(asked: Promise<void>): Promise<CommandError | null> {
  return asked.then(
    () => null,
    (error: unknown) => {
      if (error instanceof CommandError) return error;
      throw error;
    },
  );
}

function nullWhenRefused(error: unknown): null {
  if (error instanceof CommandError) return null;
  throw error;
}
