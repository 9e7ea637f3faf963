import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import type { FetchData } from '../fetch-data.ts';
import { expandSequenceSet } from '../sequence-set.ts';
import { AskedMessages } from './asked-messages.ts';

/** Messages by UID or sequence number: ascending numbers, or text such as `1:*`. */
export type MessageSet = string | ArrayLike<number>;

interface MessageRequest {
  readonly set: MessageSet;
  readonly useUid: boolean;
  /** Sequence number of the folder's last message as known now: what `*` in a set means. */
  readonly lastSeq: () => number;
}

export interface FetchRequest extends MessageRequest {
  /** As on the wire: `UID`, `FLAGS`, `BODY.PEEK[]`, `BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE)]`, …; or one macro. */
  readonly items: readonly string[];
  /** Only what changed since this mod-sequence (RFC 7162 3.1.4.1). */
  readonly changedSince: bigint | undefined;
  /** Called once for each message of the answer, synchronously; no more when it has thrown. */
  readonly onData: (data: FetchData) => void;
}

/** What the receiver of an answer threw. */
export interface ReceiverFailure {
  readonly error: unknown;
}

/**
 * FETCH and UID FETCH (RFC 9051 6.4.5). The result is what `onData` threw, null when it did not: that is the caller's
 * trouble and not the session's, so the answer is read to its end all the same.
 */
export function fetchCommand(request: FetchRequest): Command<ReceiverFailure | null> {
  const { items, useUid, onData } = request;
  const asked = new AskedMessages(request.set);
  const hasKeyItems = keyItemTest(items, request.changedSince !== undefined);
  let failure: ReceiverFailure | null = null;
  return {
    name: useUid ? 'UID FETCH' : 'FETCH',
    pipelining: useUid ? 'selected' : 'sequence',
    changesState: false,
    write(out) {
      out
        .raw(useUid ? 'UID FETCH ' : 'FETCH ')
        .sequenceSet(request.set)
        .sp();
      const [only] = items;
      if (items.length === 1 && only !== undefined && macros.has(only.toUpperCase())) out.raw(only);
      else out.raw(`(${items.map(checkItem).join(' ')})`);
      if (request.changedSince !== undefined) out.raw(' (CHANGEDSINCE ').number(request.changedSince).raw(')');
    },
    acceptFetch(data) {
      const number = useUid ? data.uid : data.seq;
      if (number === undefined || !hasKeyItems(data) || !asked.take(number, data.seq >= request.lastSeq()))
        return false;
      if (failure !== null) return true;
      try {
        onData(data);
      } catch (error) {
        failure = { error };
      }
      return true;
    },
    finish: () => failure,
  };
}

const macros: ReadonlySet<string> = new Set(['ALL', 'FAST', 'FULL']);

function checkItem(item: string): string {
  if (!/^[A-Za-z][\x20-\x7e]*$/.test(item) || item.includes('{')) {
    throw new UsageError(`${JSON.stringify(item.slice(0, 40))} is no FETCH item`);
  }
  return item;
}

/**
 * Tells an answer from news: servers volunteer FETCH responses with flags at any time, so a response counts only when it
 * has what nobody sends unasked. Where flags themselves were asked for, they are what counts.
 */
function keyItemTest(items: readonly string[], changedSince: boolean): (data: FetchData) => boolean {
  const tests = new Set<(data: FetchData) => boolean>();
  const volatile = new Set<(data: FetchData) => boolean>();
  for (const item of items) {
    const name = item.toUpperCase();
    if (name === 'UID') continue;
    if (name === 'FLAGS') volatile.add((data) => data.flags !== undefined);
    else if (name === 'MODSEQ') volatile.add((data) => data.modSeq !== undefined);
    else tests.add(staticItemTest(name));
  }
  if (tests.size === 0 && changedSince) volatile.add((data) => data.modSeq !== undefined);
  const needed = tests.size > 0 ? [...tests] : [...volatile];
  const [first, second, ...rest] = needed;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (rest.length === 0) return (data) => first(data) && second(data);
  return (data) => needed.every((test) => test(data));
}

const hasBody = (data: FetchData) => data.body !== undefined;
const hasSize = (data: FetchData) => data.size !== undefined;
const hasDate = (data: FetchData) => data.internalDate !== undefined;
/** Spelling of section names is the server's affair: that there is one has to do. */
const hasSection = (data: FetchData) => data.sections !== undefined;

function staticItemTest(name: string): (data: FetchData) => boolean {
  switch (name) {
    case 'RFC822.SIZE':
    case 'ALL':
    case 'FAST':
    case 'FULL':
      return hasSize;
    case 'INTERNALDATE':
      return hasDate;
    case 'RFC822':
    case 'BODY[]':
    case 'BODY.PEEK[]':
      return hasBody;
    case 'RFC822.HEADER':
    case 'RFC822.TEXT':
      return hasSection;
    default:
      if (/^(BODY(\.PEEK)?|BINARY(\.PEEK)?)\[/.test(name)) return hasSection;
      return (data) => data.other?.has(name) === true;
  }
}

export interface StoreRequest extends MessageRequest {
  readonly action: 'add' | 'remove' | 'set';
  readonly flags: readonly string[];
  /** The server need not answer with the new flags. */
  readonly silent: boolean;
  /** Leaves messages alone that changed after this mod-sequence (RFC 7162 3.1.3). */
  readonly unchangedSince: bigint | undefined;
}

/** What STORE answered. */
export interface StoredFlags extends Array<FetchData> {
  /** With `unchangedSince`: the messages that were left alone because they had changed. */
  modified?: Uint32Array;
}

const signs = { add: '+', remove: '-', set: '' } as const;
/** More messages than any one command line can name. */
const maxModified = 1_000_000;

/** STORE and UID STORE (RFC 9051 6.4.6). */
export function storeCommand(request: StoreRequest): Command<StoredFlags> {
  const { useUid, silent, unchangedSince } = request;
  const asked = new AskedMessages(request.set);
  const stored: StoredFlags = [];
  return {
    name: useUid ? 'UID STORE' : 'STORE',
    pipelining: useUid ? 'selected' : 'sequence',
    changesState: true,
    write(out) {
      out
        .raw(useUid ? 'UID STORE ' : 'STORE ')
        .sequenceSet(request.set)
        .sp();
      if (unchangedSince !== undefined) out.raw('(UNCHANGEDSINCE ').number(unchangedSince).raw(') ');
      out.raw(`${signs[request.action]}FLAGS${silent ? '.SILENT' : ''} `).flags(request.flags);
    },
    acceptFetch(data) {
      const number = useUid ? data.uid : data.seq;
      const answers = silent ? data.flags === undefined && data.modSeq !== undefined : data.flags !== undefined;
      if (number === undefined || !answers || hasMore(data)) return false;
      if (!asked.has(number, data.seq >= request.lastSeq())) return false;
      stored.push(data);
      return true;
    },
    finish(answer) {
      if (unchangedSince !== undefined) {
        const modified = answer.code?.name === 'MODIFIED' ? answer.code.text : '';
        stored.modified = modified === '' ? new Uint32Array(0) : expandSequenceSet(modified, maxModified);
      }
      return stored;
    },
  };
}

/** True when a response has what no STORE answers: it belongs to a FETCH. */
function hasMore({ size, internalDate, body, sections, other }: FetchData): boolean {
  return [size, internalDate, body, sections, other].some((item) => item !== undefined);
}
