import { ByteSource } from '../byte-source.ts';
import type { Command } from '../command.ts';
import { dateToInternalDate } from '../datetime.ts';
import type { Encoder } from '../encoder.ts';
import { LimitError, ProtocolError, UsageError } from '../errors.ts';
import { parseAppendUid } from '../response-code.ts';
import type { FolderName, Literal, ResponseCode } from '../types.ts';

/** Bytes of known number that come as they are asked for: a file's stream, another account's `BodyStream`. */
export interface SizedStream {
  readonly size: number;
  readonly stream: AsyncIterable<Buffer | string>;
}

/** A message to store. */
export interface AppendMessage {
  /**
   * What to store. Bytes and a literal's slices are handed on as they are and must not change before the answer; a
   * string is sent as UTF-8 with its line ends made CRLF; a stream is read as the server takes it. A stream that fails, or
   * holds more or fewer bytes than it said, ends the session: what was announced cannot be taken back.
   */
  readonly body: string | Buffer | Literal | SizedStream;
  readonly flags?: readonly string[] | undefined;
  /** A string is sent exactly as given, as INTERNALDATE came from another server; a Date in UTC. */
  readonly internalDate?: string | Date | undefined;
  /**
   * `binary`: the body holds NUL bytes (BINARY, RFC 3516 4.4); `utf8`: its header holds UTF-8 (UTF8=ACCEPT enabled,
   * RFC 6855 4).
   */
  readonly content?: 'binary' | 'utf8' | undefined;
}

/** Where the messages are now (RFC 4315); null where the server does not say, or says what makes no sense. */
export interface AppendResult {
  readonly uidValidity: number | null;
  /** In the order of the messages. */
  readonly uids: number[] | null;
}

/** APPEND (RFC 9051 6.3.12), and MULTIAPPEND (RFC 3502) with more than one message: all are stored or none. */
export function appendCommand(folder: FolderName, messages: readonly AppendMessage[]): Command<AppendResult> {
  return {
    name: 'APPEND',
    pipelining: 'free',
    changesState: true,
    write(out) {
      if (messages.length === 0) throw new UsageError('APPEND needs a message');
      out.raw('APPEND').sp().mailbox(folder);
      for (const message of messages) writeMessage(out, message);
    },
    finish: (answer) => toAppendResult(answer.code, messages.length),
  };
}

function writeMessage(out: Encoder, message: AppendMessage): void {
  const { flags, internalDate } = message;
  if (flags !== undefined && flags.length > 0) out.sp().flags(flags);
  if (internalDate !== undefined) {
    out.sp().dateTime(typeof internalDate === 'string' ? internalDate : dateToInternalDate(internalDate));
  }
  const body = toLiteral(message.body);
  if (message.content === 'utf8') out.raw(' UTF8 (').literal8(body).raw(')');
  else if (message.content === 'binary') out.sp().literal8(body);
  else out.sp().literal(body);
}

/** Mail has CRLF at the end of each line (RFC 5322 2.1). */
function toCrlf(text: string): Buffer {
  return Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n'), 'utf8');
}

function toLiteral(body: AppendMessage['body']): Buffer | Literal | ByteSource {
  if (typeof body === 'string') return toCrlf(body);
  if ('stream' in body) return new ByteSource(body.stream, body.size);
  return checkBody(body);
}

/** A size that is not the sum of the slices would have the server take the next command for the message's end. */
function checkBody(body: Buffer | Literal): Buffer | Literal {
  if (Buffer.isBuffer(body)) return body;
  let bytes = 0;
  for (const chunk of body.chunks) bytes += chunk.length;
  if (bytes !== body.size) throw new UsageError(`a message of ${body.size} bytes came with ${bytes}`);
  return body;
}

/** The messages are stored whatever the code says: a broken code costs the mapping, not the result. */
function toAppendResult(code: ResponseCode | null, count: number): AppendResult {
  if (code?.name !== 'APPENDUID') return { uidValidity: null, uids: null };
  try {
    const { uidValidity, uids } = parseAppendUid(code.text, count);
    return { uidValidity, uids: uids.length === count ? Array.from(uids) : null };
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof LimitError) return { uidValidity: null, uids: null };
    throw error;
  }
}
