/** Flags as letters of a file's name: six of the format's own, and `a` to `z` for keywords. */
import type { MaildirKeywords } from './maildir-keywords.ts';

const letterOf: Readonly<Record<string, string>> = {
  '\\draft': 'D',
  '\\flagged': 'F',
  $forwarded: 'P',
  '\\answered': 'R',
  '\\seen': 'S',
  '\\deleted': 'T',
};

const flagOf: Readonly<Record<string, string>> = {
  D: '\\Draft',
  F: '\\Flagged',
  P: '$Forwarded',
  R: '\\Answered',
  S: '\\Seen',
  T: '\\Deleted',
};

/**
 * Sorted letters, as the format has them. `$Forwarded` is P (passed), and a keyword besides: Dovecot knows nothing of P. Of
 * the letters in `before`, those that mean nothing to us stay.
 */
export function toLetters(flags: readonly string[], keywords: MaildirKeywords, before = ''): string {
  const letters = new Set<string>();
  for (const letter of before) if (toFlag(letter, keywords) === null) letters.add(letter);
  for (const flag of flags) {
    const own = letterOf[flag.toLowerCase()];
    if (own !== undefined) letters.add(own);
    const letter = keywords.letterOf(flag);
    if (letter !== null) letters.add(letter);
  }
  return [...letters].sort().join('');
}

export function fromLetters(letters: string, keywords: MaildirKeywords): string[] {
  const flags = new Set<string>();
  for (const letter of letters) {
    const flag = toFlag(letter, keywords);
    if (flag !== null) flags.add(flag.toLowerCase() === '$forwarded' ? '$Forwarded' : flag);
  }
  return [...flags];
}

function toFlag(letter: string, keywords: MaildirKeywords): string | null {
  return flagOf[letter] ?? keywords.nameOf(letter);
}
