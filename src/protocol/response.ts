import { isUtf8 } from 'node:buffer';
import { internUpper } from './atom-cache.ts';
import { ProtocolError } from './errors.ts';
import { excerpt } from './excerpt.ts';
import type { Frame } from './frame.ts';
import { Lexer } from './lexer.ts';
import { findCodeEnd, toResponseCode } from './response-code.ts';
import type { ResponseCode, StatusWord } from './types.ts';
import { findNameEnd, matchesWord, toWord } from './word.ts';

const SPACE = 0x20;
const STAR = 0x2a;
const PLUS = 0x2b;
const OPEN_BRACKET = 0x5b;

const fetchWord = toWord('fetch');

/** An untagged status response's word. */
export type UntaggedStatus = StatusWord | 'BYE' | 'PREAUTH';

/** One server response (RFC 9051 section 7). Texts are the server's words: UTF-8 where they are, else latin1. */
export type Response =
  | { readonly kind: 'continuation'; readonly code: ResponseCode | null; readonly text: string }
  | {
      readonly kind: 'tagged';
      readonly tag: string;
      readonly status: StatusWord;
      readonly code: ResponseCode | null;
      readonly text: string;
    }
  | {
      readonly kind: 'status';
      readonly status: UntaggedStatus;
      readonly code: ResponseCode | null;
      readonly text: string;
    }
  | DataResponse;

/** Untagged data: `* LIST …`, `* 3 EXISTS`, `* 12 FETCH (…)`. */
export interface DataResponse {
  readonly kind: 'data';
  /** Upper case. */
  readonly name: string;
  /** The number before the name, null where there is none. */
  readonly number: number | null;
  /** Just behind the name. Valid as long as the frame. */
  readonly lexer: Lexer;
}

/** Reads what kind of response a frame is. Throws `ProtocolError` when it is none. */
export function parseResponse(frame: Frame): Response {
  const lexer = Lexer.of(frame);
  const first = lexer.peek();
  if (first === STAR) return parseUntagged(lexer);
  if (first === PLUS) {
    lexer.position++;
    return { kind: 'continuation', ...parseText(lexer) };
  }
  return parseTagged(lexer);
}

function parseUntagged(lexer: Lexer): Response {
  lexer.position++;
  lexer.space();
  const next = lexer.peek();
  if (next >= 0x30 && next <= 0x39) {
    const number = lexer.number();
    lexer.space();
    return { kind: 'data', name: isFetch(lexer) ? 'FETCH' : lexer.word(), number, lexer };
  }
  const name = word(lexer);
  switch (name) {
    case 'OK':
    case 'NO':
    case 'BAD':
    case 'BYE':
    case 'PREAUTH':
      return { kind: 'status', status: name, ...parseText(lexer) };
    default:
      return { kind: 'data', name, number: null, lexer };
  }
}

/** Steps over the one name that comes a million times, and says whether it was there. */
function isFetch(lexer: Lexer): boolean {
  const { buffer, position } = lexer;
  const behind = position + 5;
  if (behind >= lexer.end || buffer[behind] !== SPACE || !matchesWord(buffer, position, fetchWord)) return false;
  lexer.position = behind;
  return true;
}

function parseTagged(lexer: Lexer): Response {
  const { buffer, position, end } = lexer;
  const tag = lexer.atom();
  if (lexer.skip(SPACE)) {
    lexer.skipSpaces();
    const status = lexer.atEnd ? '' : word(lexer);
    if (status === 'OK' || status === 'NO' || status === 'BAD')
      return { kind: 'tagged', tag, status, ...parseText(lexer) };
  }
  throw new ProtocolError(`expected a response, got "${excerpt(buffer, position, end)}"`);
}

/** The word that says what a response is. It may be glued to a bracket or parenthesis. */
function word(lexer: Lexer): string {
  const { buffer, position, end } = lexer;
  const wordEnd = findNameEnd(buffer, position, end);
  if (wordEnd === position) lexer.fail('a response');
  lexer.position = wordEnd;
  return internUpper(buffer, position, wordEnd);
}

/**
 * `resp-text`. Code, text and the spaces around them may be missing: iCloud sends `* BYE`, Gmail a code and no text. In
 * front of a code there may be two (DavMail).
 */
function parseText(lexer: Lexer): { code: ResponseCode | null; text: string } {
  const { buffer, end, position } = lexer;
  let bracket = position;
  while (bracket < end && buffer[bracket] === SPACE) bracket++;
  const close = bracket < end && buffer[bracket] === OPEN_BRACKET ? findCodeEnd(buffer, bracket + 1, end) : -1;
  if (close === -1) return { code: null, text: textFrom(buffer, position, end) };
  const code = toResponseCode(buffer.toString('latin1', bracket + 1, close));
  return { code, text: textFrom(buffer, close + 1, end) };
}

/** The text at `start`, without the one space that separates it. */
function textFrom(buffer: Buffer, start: number, end: number): string {
  const bytes = buffer.subarray(start < end && buffer[start] === SPACE ? start + 1 : start, end);
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}
