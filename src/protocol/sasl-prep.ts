import { UsageError } from './errors.ts';

/** RFC 3454 C.1.2: spaces other than U+0020, mapped to it. */
const otherSpaces = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;

/** RFC 3454 B.1: characters that mean nothing, removed. (U+200B stands in both tables; RFC 4013 makes it a space.) */
const ignorable = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;

/** RFC 4013 2.3: control, private use, non-character, surrogate, plain-text-improper, direction and tagging characters. */
const prohibited =
  /\u0340|\u0341|[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u06dd\u070f\u180e\u200e\u200f\u2028-\u202e\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/** The blocks of right-to-left letters; JavaScript knows no Bidi_Class. */
const rightToLeft =
  /[\u05be\u05c0\u05c3\u05d0-\u05f4\u061b-\u064a\u066d-\u066f\u0671-\u06d5\u06e5\u06e6\u06fa-\u08c7\ufb1d-\ufdfc\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * SASLprep (RFC 4013) of a user name or password, for SCRAM: two spellings of one password give the same proof.
 * @throws UsageError when the string holds a prohibited character or mixes writing directions in a prohibited way; the
 *   message names `what`, never the string.
 */
export function saslPrep(text: string, what: string): string {
  const prepared = text.replace(otherSpaces, ' ').replace(ignorable, '').normalize('NFKC');
  if (prohibited.test(prepared)) {
    throw new UsageError(
      `The ${what} holds a control or other prohibited character (RFC 4013): use another mechanism.`,
    );
  }
  if (!directionsAgree(prepared)) {
    throw new UsageError(`The ${what} mixes writing directions as RFC 4013 forbids: use another mechanism.`);
  }
  return prepared;
}

/** RFC 3454 6: with one right-to-left letter there may be no left-to-right one, and both ends are right-to-left. */
function directionsAgree(text: string): boolean {
  if (!rightToLeft.test(text)) return true;
  const characters = [...text];
  const isLeftToRight = (character: string) => /\p{L}/u.test(character) && !rightToLeft.test(character);
  return (
    !characters.some(isLeftToRight) &&
    rightToLeft.test(characters[0] ?? '') &&
    rightToLeft.test(characters[characters.length - 1] ?? '')
  );
}
