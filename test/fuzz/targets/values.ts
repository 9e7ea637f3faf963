import fc from 'fast-check';
import { parseBodyStructure } from '../../../src/protocol/body-structure.ts';
import { parseEnvelope } from '../../../src/protocol/envelope.ts';
import type { Lexer } from '../../../src/protocol/lexer.ts';
import { readValueOf, valueLine } from '../../support/values.ts';
import { type FuzzTarget, outcomeOf } from '../target.ts';
import { sameAtEveryChunking, wireWords } from './responses.ts';

const envelope =
  '("Wed, 17 Jul 1996 02:23:25 -0700" "=?utf-8?q?s=C3=A9?=" (("A" "@r:" "a" "h")) NIL NIL ((NIL NIL "g" NIL)(NIL NIL "x" "h")(NIL NIL NIL NIL)) NIL NIL {3}\r\n<i> "<m>")';
const leaf =
  '("TEXT" "PLAIN" ("CHARSET" "utf-8" "NAME*0" "a") "<id>" NIL "7BIT" 1 1 "md5" ("inline" ("filename" "=?utf-8?b?w6k=?=")) ("en" "de") "loc" 7 (8))';
const structure = `(${leaf}("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9 ${envelope} ${leaf} 3)(${leaf}${leaf} "ALTERNATIVE") "MIXED" ("B" "x") NIL NIL)`;

const atom = fc.constantFrom(
  'NIL',
  '"TEXT"',
  '"a b"',
  '{2}\r\nhi',
  '7',
  '4294967296',
  '"MESSAGE" "RFC822"',
  'x',
  '"\\""',
  '""',
);
const { list } = fc.letrec<{ list: string; item: string }>((tie) => ({
  item: fc.oneof({ depthSize: 'small', withCrossShrink: true }, atom, tie('list')),
  list: fc.array(tie('item'), { maxLength: 12 }).map((items) => `(${items.join(' ')})`),
}));

/** ENVELOPE, BODYSTRUCTURE and the general value, each for itself. */
export function valueTargets(): FuzzTarget[] {
  return [
    target('envelope', [envelope], parseEnvelope),
    target('body-structure', [leaf, structure], parseBodyStructure),
    target('value', [envelope, structure, '(1 (2 "x" {1}\r\ny) NIL)'], (lexer) => lexer.value()),
  ];
}

function target(name: string, corpus: readonly string[], parse: (lexer: Lexer) => unknown): FuzzTarget {
  return {
    name,
    corpus: corpus.map((value) => valueLine(value)),
    words: wireWords,
    arbitrary: list.map(valueLine),
    check: (bytes) => {
      // A mutation may make another response of it, which has no value.
      if (!/^\* X \S/.test(bytes.toString('latin1', 0, 6))) return;
      sameAtEveryChunking(bytes, (chunks) => outcomeOf(() => readValueOf(chunks, parse)));
    },
  };
}
