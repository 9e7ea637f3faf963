import type { Command, LiteralReceiver } from '../command.ts';
import { UsageError } from '../errors.ts';
import type { FetchData } from '../fetch-data.ts';
import { AskedMessages } from './asked-messages.ts';
import { KeyItems } from './key-items.ts';
import type { MessageSetPart } from './message-set.ts';

/** The first and the last of a stretch of results, counted from the first (1, 2, …) or from the last (-1, -2, …) (RFC 9394). */
export type PartialRange = readonly [from: number, to: number];

export interface MessageRequest {
  readonly set: MessageSetPart;
  readonly useUid: boolean;
  /** Sequence number of the folder's last message as known now: what `*` in a set means. */
  readonly lastSeq: () => number;
}

export interface FetchRequest extends MessageRequest {
  /** As on the wire: `UID`, `FLAGS`, `BODY.PEEK[]`, `BODY.PEEK[HEADER.FIELDS (MESSAGE-ID DATE)]`, …; or one macro. */
  readonly items: readonly string[];
  /** Only what changed since this mod-sequence (RFC 7162 3.1.4.1). */
  readonly changedSince: bigint | undefined;
  /** Told which of the messages have gone since `changedSince`, as the server's set of UIDs (RFC 7162 3.2.6). */
  readonly onVanished?: ((uids: string) => void) | undefined;
  /** Only a stretch of the messages found, from the first (1) or from the last (-1) (RFC 9394 3.2). */
  readonly partial?: PartialRange | undefined;
  /** Sent although a SELECT is unanswered. */
  readonly ahead?: boolean;
  /** Called once for each message of the answer, synchronously; no more when it has thrown. */
  readonly onData: (data: FetchData) => void;
  /** Offered big literals as they begin; `null`: this one is to be collected. */
  readonly onLiteral?: ((data: FetchData, item: string, size: number) => LiteralReceiver | null) | undefined;
  /** Another command waits for this one's end. */
  readonly onAwaited?: (() => void) | undefined;
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
  const keyNames = new Set(
    items.map((item) =>
      item
        .toUpperCase()
        .replace('.PEEK[', '[')
        .replace(/(<\d+)\.\d+>$/, '$1>'),
    ),
  );
  const keyItems = new KeyItems(items, request.changedSince !== undefined);
  let failure: ReceiverFailure | null = null;
  /** The message whose literal was offered: it is taken already. */
  let offered: number | null = null;
  return {
    name: useUid ? 'UID FETCH' : 'FETCH',
    pipelining: !useUid ? 'sequence' : request.ahead === true ? 'reads' : 'selected',
    changesState: false,
    write(out) {
      out
        .raw(useUid ? 'UID FETCH ' : 'FETCH ')
        .sequenceSet(request.set)
        .sp();
      const [only] = items;
      if (items.length === 1 && only !== undefined && macros.has(only.toUpperCase())) out.raw(only);
      else out.raw(`(${items.map(checkItem).join(' ')})`);
      const modifiers: string[] = [];
      if (request.changedSince !== undefined) modifiers.push(`CHANGEDSINCE ${checkModSeq(request.changedSince)}`);
      if (request.onVanished !== undefined) modifiers.push('VANISHED');
      if (request.partial !== undefined) modifiers.push(`PARTIAL ${writePartial(request.partial)}`);
      if (modifiers.length > 0) out.raw(` (${modifiers.join(' ')})`);
    },
    accept(response) {
      if (request.onVanished === undefined || response.kind !== 'data' || response.name !== 'VANISHED') return false;
      response.lexer.space();
      // Without EARLIER it tells what goes just now, which nobody asked.
      if (response.lexer.peek() !== 0x28) return false;
      response.lexer.value();
      response.lexer.space();
      request.onVanished(response.lexer.atom());
      return true;
    },
    acceptLiteral(data, item, size) {
      const number = useUid ? data.uid : data.seq;
      const { onLiteral } = request;
      // Nobody sends bodies unasked; but without its number nobody knows whose it is.
      if (onLiteral === undefined || number === undefined || failure !== null || !keyNames.has(item)) return null;
      if (!asked.take(number, data.seq >= request.lastSeq())) return null;
      offered = data.seq;
      return onLiteral(data, item, size);
    },
    giveWay: () => request.onAwaited?.(),
    acceptFetch(data) {
      if (offered === data.seq) {
        offered = null;
      } else {
        const number = useUid ? data.uid : data.seq;
        if (number === undefined || !keyItems.areIn(data) || !asked.take(number, data.seq >= request.lastSeq()))
          return false;
      }
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

function checkModSeq(modSeq: bigint): bigint {
  if (modSeq < 0n || modSeq > 0x7fff_ffff_ffff_ffffn) throw new UsageError(`${modSeq} is no mod-sequence`);
  return modSeq;
}

/** `partial-range` of RFC 9394. */
export function writePartial([from, to]: PartialRange): string {
  const isPlace = (place: number) => Number.isInteger(place) && place !== 0 && Math.abs(place) <= 0xffff_ffff;
  if (!isPlace(from) || !isPlace(to) || from < 0 !== to < 0) throw new UsageError(`${from}:${to} is no partial range`);
  return `${from}:${to}`;
}

const macros: ReadonlySet<string> = new Set(['ALL', 'FAST', 'FULL']);

/** @throws UsageError for what could be more than a FETCH item */
export function checkItem(item: string): string {
  if (!/^[A-Za-z][\x20-\x7e]*$/.test(item) || item.includes('{')) {
    throw new UsageError(`${JSON.stringify(item.slice(0, 40))} is no FETCH item`);
  }
  return item;
}
