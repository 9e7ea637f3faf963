import { internAtom, internLower } from './atom-cache.ts';
import type { Lexer } from './lexer.ts';
import { toLowerAscii } from './word.ts';

const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Readers for the places where servers bend the grammar of ENVELOPE and BODYSTRUCTURE: a field may be missing at the end
 * of its list, bare where it should be quoted, a list where it should be a string. What does not fit reads as null, and
 * the cursor moves past it; only what cannot be a value at all is a ProtocolError.
 */

/** `nstring` as latin1, from bytes up to the closing quote where nothing is escaped. Null for NIL and for what is none. */
export function readText(lexer: Lexer): string | null {
  const end = toPlainQuoted(lexer);
  if (end === -1) return readOddText(lexer);
  const start = lexer.position + 1;
  lexer.position = end + 1;
  return internAtom(lexer.buffer, start, end);
}

function readOddText(lexer: Lexer): string | null {
  if (lexer.nil()) return null;
  if (lexer.atString) return lexer.string().toString('latin1');
  const next = lexer.peek();
  if (next === CLOSE_PAREN) return null;
  if (next !== OPEN_PAREN) return lexer.atom();
  lexer.value();
  return null;
}

/** `readText` with ASCII letters in lower case, for words that know no case and come again and again. */
export function readLower(lexer: Lexer): string | null {
  const end = toPlainQuoted(lexer);
  if (end === -1) {
    const text = readOddText(lexer);
    return text === null ? null : toLowerAscii(text);
  }
  const start = lexer.position + 1;
  lexer.position = end + 1;
  return internLower(lexer.buffer, start, end);
}

/** Steps over spaces; where the quoted string behind them ends, -1 where there is none or something is escaped in it. */
function toPlainQuoted(lexer: Lexer): number {
  const { buffer, end } = lexer;
  let at = lexer.position;
  while (at < end && buffer[at] === SPACE) at++;
  lexer.position = at;
  if (at >= end || buffer[at] !== QUOTE) return -1;
  for (at++; at < end; at++) {
    const byte = buffer[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) return -1;
  }
  return -1;
}

/** `number`; null for NIL, and where the next field is no number. */
export function readNumber(lexer: Lexer): number | null {
  lexer.skipSpaces();
  const next = lexer.peek();
  if (next >= ZERO && next <= NINE) return lexer.number53();
  if (next === OPEN_PAREN || next === CLOSE_PAREN || lexer.atString) return null;
  // NIL, or a size of -1 for a part that cannot be read.
  lexer.atom();
  return null;
}

/** Reads over whatever is left of a list and its closing parenthesis. */
export function skipToClose(lexer: Lexer): void {
  while (!lexer.close()) lexer.value();
}
