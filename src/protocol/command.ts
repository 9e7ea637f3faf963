import type { Encoder } from './encoder.ts';
import type { FetchData } from './fetch-data.ts';
import type { DataResponse, Response } from './response.ts';
import type { Pipelining, ResponseCode } from './types.ts';

/** An untagged OK, NO, BAD or PREAUTH. */
export type StatusResponse = Extract<Response, { kind: 'status' }>;

/** What a command may be offered: data with a cursor of its own, which it may move and still decline. */
export type Untagged = DataResponse | StatusResponse;

/** Takes a literal's bytes as they arrive. */
export interface LiteralReceiver {
  write(slice: Buffer): void;
  end(): void;
}

/** Who reads the answer to a FETCH as it comes. */
export interface FetchReceiver {
  onData(data: FetchData): void;
  /** A big literal begins: `data` is what stands in front of it, `item` what it belongs to. */
  onLiteral(data: FetchData, item: string, size: number): LiteralReceiver;
  /** Another command waits for this one's end. */
  onAwaited(): void;
}

/** The words of a tagged answer, or of a greeting. */
export interface Answer {
  readonly code: ResponseCode | null;
  readonly text: string;
}

/** A tagged NO or BAD. */
export interface Refused extends Answer {
  readonly status: 'NO' | 'BAD';
}

/**
 * One command as a value: how it is written, which answers are its own, what they amount to. It knows nothing of tags,
 * sockets or other commands. Used once.
 */
export interface Command<Result> {
  /** For messages to people: `UID FETCH`. */
  readonly name: string;
  readonly pipelining: Pipelining;
  /** True when repeating it blindly could do its work twice: an unanswered one has an unknown outcome. */
  readonly changesState: boolean;
  /** True when its arguments and the exchange after it may not be shown. */
  readonly secret?: boolean;
  /** True for STARTTLS: after its OK not one more byte may be plain IMAP. */
  readonly endsPlainText?: boolean;
  /** True for COMPRESS: after its OK every byte is compressed (RFC 4978). */
  readonly startsCompression?: boolean;
  /** True for LOGOUT: the BYE is an answer, not a failure. */
  readonly expectsBye?: boolean;
  /** Writes everything between the tag and the final CRLF. Throws UsageError for what cannot be said on the wire. */
  write(out: Encoder): void;
  /** Takes an untagged response (true) or leaves it to others. `tag` is the command's own, for ESEARCH's correlator. */
  accept?(response: Untagged, tag: string): boolean;
  /** Takes a FETCH response or leaves it to others. Hot: called for each message. */
  acceptFetch?(data: FetchData): boolean;
  /**
   * Takes a big literal of a FETCH response, or leaves it to be collected. `data` is what stands in front of it. The whole
   * response follows by `acceptFetch`, the literal in it empty.
   */
  acceptLiteral?(data: FetchData, item: string, size: number): LiteralReceiver | null;
  /** Answers a continuation that no literal waits for: the line to send, without CRLF; null: nothing is owed now. */
  proceed?(text: string): Buffer | null;
  /** Another command was given while this one is under way. */
  giveWay?(): void;
  /** The result, once the server said OK. Throws when the answers do not add up; the connection is then closed. */
  finish(answer: Answer): Result;
  /** The error, when the server said NO or BAD; a CommandError unless the command knows better. */
  refuse?(answer: Refused): Error;
}

/** A command without arguments and data. */
export function simpleCommand(name: string, pipelining: Pipelining, changesState: boolean): Command<void> {
  return { name, pipelining, changesState, write: (out) => void out.raw(name), finish: () => {} };
}
