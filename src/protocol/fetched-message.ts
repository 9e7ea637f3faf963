import { internalDateToDate } from './datetime.ts';
import type { FetchData } from './fetch-data.ts';
import type { MessageItems } from './message-items.ts';
import type { Literal } from './types.ts';
import type { Value } from './value.ts';

/** What FETCH told of one message. `undefined`: not asked for or not answered; null: the server said that there is none. */
export interface FetchedMessage extends Readonly<MessageItems> {
  readonly seq: number;
  readonly uid?: number;
  /** As sent, `\Recent` included. */
  readonly flags?: readonly string[];
  /** The instant of INTERNALDATE; null where what was sent is no date. */
  readonly internalDate?: Date | null;
  /** As sent, with its zone: `" 7-Feb-1994 22:43:04 +0100"` without the quotes. */
  readonly rawInternalDate?: string;
  /** RFC822.SIZE in bytes: a claim, not a fact. */
  readonly size?: number;
  readonly modSeq?: bigint;
  /** BODY[] or RFC822 in one piece; null: the server cannot read the message. */
  readonly body?: Buffer | null;
  /**
   * Every other `BODY[…]<origin>` and `BINARY[…]`, RFC822.HEADER and RFC822.TEXT, each in one piece. Keys are upper case
   * without PEEK and quotes: `BODY[HEADER.FIELDS (MESSAGE-ID DATE)]`, `BODY[1]<0>`.
   */
  readonly sections?: ReadonlyMap<string, Buffer | null>;
  /** Items of extensions that are not known here, by their upper-case names. */
  readonly other?: ReadonlyMap<string, Value>;
}

/** Messages by UID, or by sequence number where those were asked for, in the server's order. */
export class FetchedMessages extends Map<number, FetchedMessage> {
  /** With `vanished`: the UIDs of those that are gone, as the server's sequence set; null: none, or not asked. */
  vanished: string | null = null;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** The data of a FETCH response with its bodies in one piece each. */
export function toFetchedMessage(data: FetchData): FetchedMessage {
  const message: Mutable<FetchedMessage> = toMessageFields(data);
  if (data.body !== undefined) message.body = data.body && toBuffer(data.body);
  if (data.sections !== undefined) {
    message.sections = new Map(Array.from(data.sections, ([key, literal]) => [key, literal && toBuffer(literal)]));
  }
  return message;
}

/** Everything but the bodies. */
export function toMessageFields(data: FetchData): Omit<FetchedMessage, 'body' | 'sections'> {
  const message: Mutable<Omit<FetchedMessage, 'body' | 'sections'>> = { seq: data.seq };
  if (data.uid !== undefined) message.uid = data.uid;
  if (data.flags !== undefined) message.flags = data.flags;
  if (data.internalDate !== undefined) {
    message.internalDate = internalDateToDate(data.internalDate);
    message.rawInternalDate = data.internalDate;
  }
  if (data.size !== undefined) message.size = data.size;
  if (data.modSeq !== undefined) message.modSeq = data.modSeq;
  if (data.other !== undefined) message.other = data.other;
  return data.items === undefined ? message : Object.assign(message, data.items);
}

/** A literal in one piece. Where it is a small part of what the socket read it is copied, so as not to keep the rest alive. */
export function toBuffer(literal: Literal): Buffer {
  const [only] = literal.chunks;
  if (only === undefined || literal.chunks.length > 1) return Buffer.concat(literal.chunks);
  return only.buffer.byteLength > 2 * only.length ? Buffer.from(only) : only;
}
