import { exitCodes, MigrateError } from '../errors.ts';
import { MessageTable } from '../plan/message-table.ts';
import { selectMissing } from '../plan/select.ts';
import {
  CommandError,
  type FetchData,
  type FetchEachOptions,
  type FolderName,
  type ImapClient,
  type Literal,
  type MessageSet,
  ProtocolError,
  type SelectedFolder,
  splitSequenceSet,
  type Unsolicited,
} from '../protocol/index.ts';
import { ContentRows } from './content-rows.ts';
import type { FlagTable, FolderContents, InspectTask, ListedBefore, SelectedFacts } from './contract.ts';
import type { CurrentFolder, Visitor } from './current-folder.ts';
import type { Fetched, ListedMessages, Message, NoMessage, OpenBody, ReadableFolder } from './endpoint.ts';
import { pushedBackBy } from './failure.ts';
import { FlagRows } from './flag-rows.ts';
import { toModSeq } from './imap-endpoint.ts';
import { ArrivingBody } from './open-body.ts';
import { isWorthRepeating } from './push-back.ts';

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
/** A message that was announced as one for a batch is held up to this size: above, it is asked for again by itself. */
const maxHeldBytes = 32 * 1024 * 1024;
const notSent = 'the server lists this message but does not send it';
const nilBody = 'the server answered NIL instead of the message';

/** One way to ask for messages by UID, and where the answers went. */
interface Reading {
  /** Answers the server's refusal, `null` for OK. */
  ask(uids: Uint32Array): Promise<CommandError | null>;
  has(uid: number): boolean;
  unreadable(uid: number, text: string): void;
  /** How often this has been asked in vain, because the server pushed back. */
  readonly tries: number;
}

/** How a folder is opened. */
export interface ReaderOptions {
  readonly condStore: boolean;
  /** The list from this UID on is asked for along with the folder, which saves a round trip; `null`: it is not. */
  readonly listFrom: number | null;
}

/** A listing from a UID on, asked for before the folder was open; `rows` is null where it was refused. */
interface AheadList {
  readonly fromUid: number;
  readonly rows: Promise<MessageTable | null>;
}

/**
 * A folder opened with EXAMINE; read with BODY.PEEK, so that nothing at the source changes. Others may be opened on the same
 * connection meanwhile: the folder is then opened again where that is needed.
 */
export class ImapReader implements ReadableFolder, Visitor {
  readonly #current: CurrentFolder;
  readonly #folder: FolderName;
  readonly #options: ReaderOptions;
  #facts: SelectedFacts | null = null;
  /** What the last EXAMINE came to; rejects where it was refused, or showed another folder. */
  #opening: Promise<void>;
  readonly #aheadList: AheadList | null;
  /** As it was when it was opened last. */
  #opened: Pick<SelectedFolder, 'exists' | 'uidNext'> = { exists: 0, uidNext: null };
  /** Messages of that moment that are still there, as far as the server told. */
  #remaining = 0;
  #sawExpunge = false;
  /** A listing by sequence number is under way. */
  #countsThrough = false;
  #unlisted = 0;
  #uidNotSticky = false;
  unchanged = 0;

  private constructor(current: CurrentFolder, folder: FolderName, options: ReaderOptions) {
    this.#current = current;
    this.#folder = folder;
    this.#options = options;
    this.#opening = this.#select();
    this.#aheadList = options.listFrom === null ? null : this.#listAhead(options.listFrom);
  }

  /** Opens a folder; everything is sent at once. Rejects as `ImapClient.selectFolder`. */
  static async open(current: CurrentFolder, folder: FolderName, options: ReaderOptions): Promise<ImapReader> {
    const reader = new ImapReader(current, folder, options);
    await reader.#opening;
    return reader;
  }

  /** Reads flags as `flags` does, in one round trip with opening the folder. */
  static async readFlags(
    current: CurrentFolder,
    folder: FolderName,
    { since, condStore }: { readonly since: string | null; readonly condStore: boolean },
  ): Promise<FlagTable> {
    return await new ImapReader(current, folder, { condStore, listFrom: null }).#flags(since);
  }

  get facts(): SelectedFacts {
    if (this.#facts === null) throw new Error('the folder has not been opened');
    return this.#facts;
  }

  /** A server without UIDPLUS (mailutils imap4d 3.15) may invent a UIDVALIDITY at every look. */
  get keepsUids(): boolean {
    return this.#current.client.hasCapability('UIDPLUS') && !this.#uidNotSticky;
  }

  #select(): Promise<void> {
    const { condStore } = this.#options;
    const isFirst = this.#facts === null;
    let isSame = true;
    const onSelected = (selected: SelectedFolder | null) => {
      if (selected !== null) isSame = this.#enter(selected);
    };
    const selecting = this.#current.select(this, this.#folder, { readOnly: true, condStore, onSelected });
    const opening = selecting.then(
      () => {
        if (isSame) return;
        const message = 'the UIDVALIDITY of the folder changed while it was being read: run again';
        throw new MigrateError('UIDVALIDITY', exitCodes.partial, message);
      },
      (error: unknown) => {
        if (isFirst || !(error instanceof CommandError)) throw error;
        // A refusal of what was asked for in it would be about messages.
        throw new MigrateError('OPEN', exitCodes.partial, `the folder could not be opened again: ${error.text}`);
      },
    );
    // Whoever asks for something hears of it.
    opening.catch(() => {});
    return opening;
  }

  /** The server turned to the folder, for the first time or again; false: it is another one by now. */
  #enter(selected: SelectedFolder): boolean {
    // Numbers may have moved while nobody was there to hear it.
    if (this.#countsThrough) this.#sawExpunge = true;
    this.#facts ??= toFacts(selected);
    this.#opened = selected;
    this.#uidNotSticky = selected.uidNotSticky;
    this.#remaining = selected.exists;
    return this.#facts.uidValidity === selected.uidValidity;
  }

  hear(news: Unsolicited): void {
    const { client } = this.#current;
    if (news.kind === 'expunge' || news.kind === 'vanished') {
      this.#sawExpunge = true;
      // What arrived since has the higher sequence numbers and was never counted.
      if (news.kind === 'expunge' && news.seq <= this.#remaining) this.#remaining--;
    }
    this.#remaining = Math.min(this.#remaining, client.selected?.exists ?? 0);
  }

  get #hasShrunk(): boolean {
    return this.#sawExpunge || this.#remaining < this.#opened.exists;
  }

  /** FETCH in this folder, behind a new EXAMINE where the session has gone elsewhere since. */
  #fetchEach(
    set: MessageSet,
    items: readonly string[],
    onData: (data: FetchData) => void,
    options: FetchEachOptions = {},
  ): Promise<void> {
    return this.#inFolder((client) => client.fetchEach(set, items, onData, { ahead: true, ...options }));
  }

  /** Sends a command about this folder; its answer counts only if the folder was there to be asked. */
  async #inFolder<Result>(ask: (client: ImapClient) => Promise<Result>): Promise<Result> {
    if (!this.#current.isOf(this)) this.#opening = this.#select();
    const opening = this.#opening;
    const [asked] = await Promise.allSettled([ask(this.#current.client), opening]);
    await opening;
    if (asked.status === 'rejected') throw asked.reason;
    return asked.value;
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
    let refused = false;
    for await (const table of this.#listWhole()) {
      if (table === null) refused = true;
      else {
        sent.append(table.columns());
        if (table.length > 0) yield table.columns();
      }
    }
    // An EXPUNGE moves later messages down, out of windows not yet asked for, and a message may be left out of any answer.
    // Whoever was missed shows in a list by UID.
    const isWhole = !refused && !this.#hasShrunk && this.#rowsCounted(sent) >= this.#remaining;
    if (isWhole || exists === 0) return;
    const all = await this.#listByUid(sent, refused);
    const missed = all.pick(selectMissing(all.uids, sent.uids));
    if (missed.length > 0) yield missed.columns();
  }

  /** What came since a list; `null`: something of that list has gone, or cannot be told. */
  async #listNews({ uidValidity, uidNext, messages }: ListedBefore): Promise<MessageTable | null> {
    const { facts } = this;
    if (facts.uidValidity !== uidValidity || facts.exists < messages) return null;
    const came = facts.exists === 0 ? new MessageTable() : await this.#listFromUid(uidNext);
    if (came === null) return null;
    return !this.#hasShrunk && messages + this.#rowsCounted(came) === this.#opened.exists ? came : null;
  }

  /** The list from a UID on, asked for now or before; `null`: it was refused. */
  async #listFromUid(fromUid: number): Promise<MessageTable | null> {
    if (this.#aheadList?.fromUid === fromUid) return await this.#aheadList.rows;
    return await this.#askFromUid(fromUid).catch(nullWhenRefused);
  }

  async #askFromUid(fromUid: number): Promise<MessageTable> {
    const rows = new MessageTable();
    let count = 0;
    await this.#fetchEach(`${fromUid}:*`, listItems, (data) => {
      checkCount(++count);
      // `n:*` names the last message even where its UID is below n.
      const isBelow = data.uid !== undefined && data.uid > 0 && data.uid < fromUid;
      if (!isBelow) pushRow(rows, data);
    });
    return rows;
  }

  #listAhead(fromUid: number): AheadList {
    // RFC 9051 6.4.9: in an empty folder `1:*` names nothing, and some servers say BAD to it.
    const rows = this.#askFromUid(fromUid).catch((error: unknown) => {
      if (error instanceof CommandError && this.#facts?.exists === 0) return new MessageTable();
      return nullWhenRefused(error);
    });
    rows.catch(() => {});
    return { fromUid, rows };
  }

  /** The folder from its beginning: as it was listed ahead, else window by window; ends with `null` where that was refused. */
  async *#listWhole(): AsyncIterable<MessageTable | null> {
    if (this.#aheadList?.fromUid === 1) {
      yield await this.#aheadList.rows;
      return;
    }
    this.#countsThrough = true;
    let next = this.#listWindow(1, firstScanWindow);
    while (next !== null) {
      const listed = next;
      // The following window is asked for before this one is handed on.
      next = this.#listWindow(listed.to + 1, scanWindow);
      const table = await listed.table;
      yield table;
      if (table === null) return;
    }
    this.#countsThrough = false;
  }

  /** Asks for up to `messages` rows by sequence number, `null`: there are no more. A window that an EXPUNGE made impossible has no table. */
  #listWindow(from: number, messages: number): { to: number; table: Promise<MessageTable | null> } | null {
    // RFC 9051 6.4.5: a number above EXISTS makes the whole command BAD.
    const to = Math.min(from + messages - 1, this.#remaining);
    if (from > to) return null;
    const rows = new MessageTable(to - from + 1);
    const options = { useUid: false, ahead: false };
    const asked = this.#fetchEach(`${from}:${to}`, listItems, (data) => pushRow(rows, data), options);
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
    let all: MessageTable;
    try {
      all = await this.#askFromUid(1);
    } catch (error) {
      if (!(error instanceof CommandError) || windowRefused) throw error;
      all = MessageTable.from(sent.columns());
    }
    if (this.#rowsCounted(all) < this.#remaining) {
      // A message may be in no FETCH answer and be found all the same: then there is a UID to name it by.
      const found = (await this.#inFolder((client) => client.search('ALL')).catch(nullWhenRefused)) ?? [];
      for (const uid of found) pushRow(all, { uid });
    }
    this.#unlisted = Math.max(0, this.#remaining - this.#rowsCounted(all));
    return all;
  }

  /** Rows of the messages that were there when the folder was opened. */
  #rowsCounted(table: MessageTable): number {
    const { uidNext } = this.#opened;
    return uidNext === null ? table.length : table.uids.filter((uid) => uid < uidNext).length;
  }

  async fetch(uids: Uint32Array, tries = 0): Promise<Fetched[]> {
    return await this.#collect(uids, tries, (some, found) => this.#fetchInto(some, found));
  }

  async describe(uids: Uint32Array, tries = 0): Promise<Fetched[]> {
    return await this.#collect(uids, tries, (some, found) => this.#describeInto(some, found));
  }

  async #collect(
    uids: Uint32Array,
    tries: number,
    ask: (some: Uint32Array, found: Map<number, Fetched>) => Promise<CommandError | null>,
  ): Promise<Fetched[]> {
    const found = new Map<number, Fetched>();
    await this.#read(uids, {
      ask: (some) => ask(some, found),
      has: (uid) => found.has(uid),
      unreadable: (uid, text) => found.set(uid, { kind: 'unreadable', uid, text }),
      tries,
    });
    return Array.from(uids, (uid) => found.get(uid) ?? { kind: 'gone', uid });
  }

  /**
   * Asks for messages, and for each that did not come and still exists once more alone: one bad message must not take its
   * neighbours along. What then is neither had nor reported unreadable is gone from the server.
   */
  async #read(uids: Uint32Array, reading: Reading, shouldStop: () => boolean = () => false): Promise<void> {
    throwPushBack(await reading.ask(uids), reading.tries);
    const silent: number[] = [];
    for (const uid of await this.#present(uids.filter((uid) => !reading.has(uid)))) {
      if (shouldStop()) return;
      const refusal = await reading.ask(Uint32Array.of(uid));
      throwPushBack(refusal, Number.POSITIVE_INFINITY);
      // RFC 5530: EXPUNGEISSUED says that the message is gone, not that it is bad.
      if (reading.has(uid) || refusal?.responseCode === 'EXPUNGEISSUED') continue;
      if (refusal === null) silent.push(uid);
      else reading.unreadable(uid, refusal.text);
    }
    for (const uid of await this.#present(Uint32Array.from(silent))) reading.unreadable(uid, notSent);
  }

  /** Those of `uids` that the server still has: a message is gone only when neither FETCH nor SEARCH knows it any more. */
  async #present(uids: Uint32Array): Promise<Uint32Array> {
    if (uids.length === 0) return uids;
    const present = new Set<number>();
    const asked = [
      this.#fetchEach(uids, ['UID', 'FLAGS'], ({ uid }) => {
        if (uid !== undefined) present.add(uid);
      }),
      ...[...splitSequenceSet(uids, maxSetBytes)].map(async (set) => {
        for (const uid of await this.#inFolder((client) => client.search(['UID', set]))) present.add(uid);
      }),
    ];
    const answers = await Promise.all(asked.map((answer) => answer.then(() => true, nullWhenRefused)));
    // Where every question is refused, nothing is known: then nothing is gone.
    return answers.includes(true) ? uids.filter((uid) => present.has(uid)) : uids;
  }

  /** One UID FETCH; answers the server's refusal, `null` for OK. */
  async #fetchInto(uids: Uint32Array, found: Map<number, Fetched>): Promise<CommandError | null> {
    const take = (data: FetchData) => {
      const { uid, body } = data;
      if (uid === undefined || body === undefined || found.has(uid)) return;
      if (body === null) found.set(uid, { kind: 'unreadable', uid, text: nilBody });
      else found.set(uid, { kind: 'message', message: toMessage(uid, data, body) });
    };
    // What a server announces and what it sends are two things: nobody is made to hold a gigabyte.
    const onLiteral: FetchEachOptions['onLiteral'] = ({ uid }, _item, size) => {
      if (uid === undefined || size <= maxHeldBytes) return null;
      found.set(uid, { kind: 'oversize', uid, size });
      return { write: () => {}, end: () => {} };
    };
    const items = ['UID', 'FLAGS', 'INTERNALDATE', 'BODY.PEEK[]'];
    return await refusalOf(this.#fetchEach(uids, items, take, { onLiteral }));
  }

  /** The same without bodies. */
  async #describeInto(uids: Uint32Array, found: Map<number, Fetched>): Promise<CommandError | null> {
    const items = ['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE'];
    const take = (data: FetchData) => {
      const { uid, size } = data;
      if (uid === undefined || size === undefined) return;
      found.set(uid, { kind: 'message', message: toMessage(uid, data, { size, chunks: [] }) });
    };
    return await refusalOf(this.#fetchEach(uids, items, take));
  }

  async openBody(uid: number): Promise<OpenBody | NoMessage> {
    const { client } = this.#current;
    const opened = await new Promise<OpenBody | NoMessage | CommandError | null>((resolve, reject) => {
      let arriving: ArrivingBody | null = null;
      const begin = (body: ArrivingBody) => {
        arriving = body;
        // EXAMINE was answered before: but what it showed may have been another folder.
        opening.then(
          () => resolve(body),
          () => body.drop(),
        );
        return body;
      };
      const take = ({ body }: FetchData) => {
        if (arriving !== null || body === undefined) return;
        if (body === null) resolve({ kind: 'unreadable', uid, text: nilBody });
        else begin(ArrivingBody.of(body, client));
      };
      const onLiteral: FetchEachOptions['onLiteral'] = (_data, _item, size) => begin(new ArrivingBody(size, client));
      const asked = this.#fetchEach(Uint32Array.of(uid), ['UID', 'BODY.PEEK[]'], take, { onLiteral });
      const opening = this.#opening;
      refusalOf(asked).then(resolve, (error: Error) => {
        arriving?.fail(error);
        reject(error);
      });
    });
    if (opened !== null && !(opened instanceof CommandError)) return opened;
    throwPushBack(opened, Number.POSITIVE_INFINITY);
    const [isThere] = await this.#present(Uint32Array.of(uid));
    if (isThere === undefined || opened?.responseCode === 'EXPUNGEISSUED') return { kind: 'gone', uid };
    return { kind: 'unreadable', uid, text: opened?.text ?? notSent };
  }

  async #flags(since: string | null): Promise<FlagTable> {
    const rows = new FlagRows();
    const options = since === null ? {} : { changedSince: BigInt(since) };
    const refusal = await refusalOf(this.#fetchEach('1:*', ['UID', 'FLAGS'], (data) => rows.add(data), options));
    await this.#opening;
    // RFC 9051 6.4.9: in an empty folder `1:*` names nothing, and some servers say BAD to it.
    if (refusal !== null && this.facts.exists > 0) throw refusal;
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
      ask: (uids) => refusalOf(this.#fetchEach(uids, items, take, { onLiteral: (data) => rows.receive(data) })),
      has: (uid) => had.has(uid),
      unreadable: (uid) => rows.addUnreadable(uid),
      // Whoever reads everything asks for it all again, or takes what there is.
      tries: Number.POSITIVE_INFINITY,
    };
  }

  /**
   * The UIDs to be read, ascending. All of them before the first message is asked for: a listing by sequence number has to
   * wait until nothing else is under way (RFC 9051 5.5), and everything else for it.
   */
  async #uidsOf(part: Pick<InspectTask, 'uids' | 'fromUid'>, shouldStop: () => boolean): Promise<Uint32Array> {
    if (part.uids !== null) return part.uids;
    const listed = new MessageTable();
    if (part.fromUid > 1 && this.facts.exists > 0) listed.append((await this.#askFromUid(part.fromUid)).columns());
    else {
      for await (const window of this.scan()) {
        if (shouldStop()) break;
        listed.append(window);
        checkCount(listed.length);
      }
    }
    return listed.uids;
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

function toMessage(uid: number, { flags, internalDate }: FetchData, body: Literal): Message {
  return { uid, flags: flags ?? [], internalDate: internalDate ?? null, body };
}

/** Takes a row of a listing. One without a UID stays out and is missed when the rows are counted. */
function pushRow(table: MessageTable, { uid, size }: Pick<FetchData, 'uid' | 'size'>): void {
  if (uid === undefined) return;
  // RFC 9051 2.3.1.1: UIDs are nz-numbers; the grammar of the response already bounds them above.
  if (uid === 0) throw new ProtocolError('The server listed a message under UID 0, which cannot be.');
  table.push(uid, size ?? 0);
}

/** @throws the refusal where it says nothing about the messages that were asked for, or, the first few times, may say nothing */
function throwPushBack(refusal: CommandError | null, tries: number): void {
  if (refusal === null) return;
  const what = pushedBackBy(refusal, 'fetch')?.what;
  if (what !== undefined && isWorthRepeating(what, tries)) throw refusal;
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

/** A refusal is no answer; but a server that pushes back is to be asked again, later. */
function nullWhenRefused(error: unknown): null {
  if (!(error instanceof CommandError)) throw error;
  throwPushBack(error, Number.POSITIVE_INFINITY);
  return null;
}
