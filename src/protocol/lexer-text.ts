import { internAtom } from './atom-cache.ts';
import type { Lexer } from './lexer.ts';

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
  lexer.skipSpaces();
  const { buffer, end, position } = lexer;
  if (position < end && buffer[position] === QUOTE) {
    let at = position + 1;
    while (at < end && buffer[at] !== QUOTE && buffer[at] !== BACKSLASH) at++;
    if (at >= end || buffer[at] !== QUOTE) return lexer.quoted().toString('latin1');
    lexer.position = at + 1;
    return internAtom(buffer, position + 1, at);
  }
  if (lexer.atString) return lexer.string().toString('latin1');
  const next = lexer.peek();
  if (next === CLOSE_PAREN || lexer.nil()) return null;
  if (next !== OPEN_PAREN) return lexer.atom();
  lexer.value();
  return null;
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
