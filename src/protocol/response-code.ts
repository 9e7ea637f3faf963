import { Lexer } from './lexer.ts';
import { expandSequenceSet } from './sequence-set.ts';
import type { ResponseCode } from './types.ts';
import { toUpperAscii } from './word.ts';

const QUOTE = 0x22;
const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;

/**
 * Where the `]` of a response code stands, -1 when there is none. `start` is behind the `[`. A `]` inside quotes or
 * parentheses does not count: Gmail lists keywords such as `OIB-Seen-[Gmail]/Spam`. Where quotes or parentheses never
 * close, the first `]` of all is taken.
 */
export function findCodeEnd(buffer: Buffer, start: number, end: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < end; at++) {
    const byte = buffer[at];
    if (quoted) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === OPEN_PAREN) depth++;
    else if (byte === CLOSE_PAREN) depth--;
    else if (byte === CLOSE_BRACKET && depth <= 0) return at;
  }
  const first = buffer.indexOf(CLOSE_BRACKET, start);
  return first < end ? first : -1;
}

/** What stands between the brackets, split into its name (upper case) and the rest. */
export function toResponseCode(text: string): ResponseCode {
  const space = text.indexOf(' ');
  if (space === -1) return { name: toUpperAscii(text), text: '' };
  return { name: toUpperAscii(text.slice(0, space)), text: text.slice(space + 1) };
}

/** What APPENDUID says (RFC 4315 section 3). */
export interface AppendUid {
  readonly uidValidity: number;
  /** In the order of the messages appended. */
  readonly uids: Uint32Array;
}

/** What COPYUID says: `sourceUids[i]` became `targetUids[i]`. */
export interface CopyUid {
  readonly uidValidity: number;
  readonly sourceUids: Uint32Array;
  readonly targetUids: Uint32Array;
}

/**
 * The text of an APPENDUID code. Throws `ProtocolError` when it is malformed, `LimitError` when it names more than
 * `maxCount` UIDs: nothing is expanded beyond that.
 */
export function parseAppendUid(text: string, maxCount: number): AppendUid {
  const lexer = Lexer.over(text);
  const uidValidity = lexer.number();
  lexer.space();
  const uids = expandSequenceSet(lexer.atom(), maxCount);
  lexer.finish();
  return { uidValidity, uids };
}

/** The text of a COPYUID code; errors as for `parseAppendUid`, also when the two sets differ in length. */
export function parseCopyUid(text: string, maxCount: number): CopyUid {
  const lexer = Lexer.over(text);
  const uidValidity = lexer.number();
  lexer.space();
  const sourceUids = expandSequenceSet(lexer.atom(), maxCount);
  lexer.space();
  const targetUids = expandSequenceSet(lexer.atom(), maxCount);
  if (sourceUids.length !== targetUids.length) lexer.fail('two UID sets of one length');
  lexer.finish();
  return { uidValidity, sourceUids, targetUids };
}
