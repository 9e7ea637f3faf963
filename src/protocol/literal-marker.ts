import { LimitError } from './errors.ts';
import { findNameEnd, matchesWord, toWord } from './word.ts';

/**
 * The announcement of a literal at the end of a line (RFC 9051 4.3): `{n}`, `{n+}`, `~{n}`.
 */

const SPACE = 0x20;
const STAR = 0x2a;
const PLUS = 0x2b;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_BRACE = 0x7b;
const TILDE = 0x7e;

/** Longest digit run that is read as a size: more than any 64-bit number needs. */
const maxSizeDigits = 20;

/** Where the announcement starts that a text ends with, which is known to end with `}`; -1 when that is none. */
export function findMarker(line: Buffer, start: number, textEnd: number): number {
  let at = textEnd - 2;
  if (line[at] === PLUS) at--;
  const lastDigit = at;
  while (at >= start && (line[at] as number) >= ZERO && (line[at] as number) <= NINE) at--;
  if (at < start || at === lastDigit || line[at] !== OPEN_BRACE) return -1;
  return at > start && line[at - 1] === TILDE ? at - 1 : at;
}

/** The size that the announcement found there names. Throws `LimitError` when it has too many digits. */
export function readMarker(line: Buffer, marker: number, textEnd: number): number {
  const first = line[marker] === TILDE ? marker + 2 : marker + 1;
  const end = line[textEnd - 2] === PLUS ? textEnd - 2 : textEnd - 1;
  if (end - first > maxSizeDigits) throw new LimitError('a literal announces a size of absurd length');
  let size = 0;
  for (let at = first; at < end; at++) size = size * 10 + ((line[at] as number) - ZERO);
  return size;
}

const [ok, no, bad, bye, preauth] = [toWord('ok'), toWord('no'), toWord('bad'), toWord('bye'), toWord('preauth')];

/**
 * True when a response that begins like this can hold literals: `* ` and anything but a status word (RFC 9051 7.1).
 * DavMail sends two spaces after the star.
 *
 * Text after OK, NO, BAD, BYE, PREAUTH, a tag or `+` is free to end with `{3}`; of the response codes only BADCHARSET of
 * RFC 3501 could hold a literal, no server is known to send it, and RFC 9051 forbids it: such a line fails in the parser
 * instead of making the client wait for bytes that are no literal.
 */
export function mayHoldLiterals(line: Buffer, start: number, end: number): boolean {
  if (line[start] !== STAR || line[start + 1] !== SPACE) return false;
  let at = start + 2;
  while (at < end && line[at] === SPACE) at++;
  switch (findNameEnd(line, at, end) - at) {
    case 2:
      return !matchesWord(line, at, ok) && !matchesWord(line, at, no);
    case 3:
      return !matchesWord(line, at, bad) && !matchesWord(line, at, bye);
    case 7:
      return !matchesWord(line, at, preauth);
    default:
      return true;
  }
}
