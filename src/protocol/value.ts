import { LimitError } from './errors.ts';
import type { Lexer } from './lexer.ts';

const OPEN_PAREN = 0x28;

/**
 * A value whose grammar the reader does not know or care for: null for NIL, a string for an atom, a Buffer (a copy) for
 * a quoted string or literal, a number or (above 2^53 - 1) bigint for digits without a leading zero.
 */
export type Value = null | number | bigint | string | Buffer | readonly Value[];

/** Reads any value, lists without recursion; for `Lexer.value`. Spaces between values may be missing, as in `((…)(…))`. */
export function parseValue(lexer: Lexer): Value {
  const { maxDepth, maxValues } = lexer.frame.limits;
  const parents: Value[][] = [];
  let list: Value[] | null = null;
  for (let count = 1; ; count++) {
    if (count > maxValues) throw new LimitError(`a response holds more than ${maxValues} values in one list`);
    if (lexer.skip(OPEN_PAREN)) {
      if (list !== null) parents.push(list);
      if (parents.length >= maxDepth) throw new LimitError(`lists nest deeper than ${maxDepth}`);
      list = [];
    } else {
      const value = parseScalar(lexer);
      if (list === null) return value;
      list.push(value);
    }
    while (lexer.close()) {
      const parent: Value[] | undefined = parents.pop();
      if (parent === undefined) return list;
      parent.push(list);
      list = parent;
    }
  }
}

function parseScalar(lexer: Lexer): Value {
  if (lexer.atString) return lexer.string();
  if (lexer.nil()) return null;
  return toNumber(lexer.atom());
}

const maxNumber64 = 0xffff_ffff_ffff_ffffn;

/** Digits become a number; a leading zero, or more than 64 bits hold, means an identifier. */
function toNumber(atom: string): Value {
  if (!/^(0|[1-9][0-9]{0,19})$/.test(atom)) return atom;
  const value = Number(atom);
  if (value <= Number.MAX_SAFE_INTEGER) return value;
  const exact = BigInt(atom);
  return exact <= maxNumber64 ? exact : atom;
}
