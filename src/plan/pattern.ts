/**
 * Patterns of `--include` and `--exclude`.
 *
 * - `*` stands for any characters within one name, `**` for any characters at all, `?` for one character that is not
 *   the delimiter. Everything else stands for itself, brackets too: `[Gmail]/*` needs no quoting.
 * - `A` is the folder A alone, `A/**` is what lies below it; both together are the tree.
 * - Case counts, except in `INBOX`. Accents may be typed composed or decomposed.
 * - `\Trash` is the folder with that special use, whatever its name; `\Trash/**` what lies below it.
 * - `re:` starts a regular expression (JavaScript, Unicode mode, may match anywhere in the name). Such an expression
 *   can take very long on a long name, so it is only asked about names of up to 255 characters.
 */
import { toCanonicalInbox } from './folder-path.ts';
import type { FolderInfo, SpecialUse } from './types.ts';

/** True where the pattern names the folder. */
export type Pattern = (folder: FolderInfo) => boolean;

/** Names beyond this never match a regular expression. */
const maxRegexName = 255;

const specialUses: readonly SpecialUse[] = [
  '\\All',
  '\\Archive',
  '\\Drafts',
  '\\Flagged',
  '\\Important',
  '\\Junk',
  '\\Sent',
  '\\Trash',
];

/** The pattern that `text` stands for; a string says why there is none. `folders` are those it will be asked about. */
export function parsePattern(text: string, folders: readonly FolderInfo[]): Pattern | string {
  if (text === '') return 'is empty';
  if (text.startsWith('re:')) return parseRegex(text.slice(3));
  if (text.startsWith('\\')) return parseSpecialUse(text, folders);
  const glob = parseGlob(text);
  return (folder) => glob(folder.name, folder.delimiter);
}

function parseRegex(source: string): Pattern | string {
  let regex: RegExp;
  try {
    regex = new RegExp(source, 'u');
  } catch (error) {
    return `is not a regular expression (${error instanceof Error ? error.message : String(error)})`;
  }
  return (folder) => folder.name.length <= maxRegexName && regex.test(folder.name.normalize('NFC'));
}

function parseSpecialUse(text: string, folders: readonly FolderInfo[]): Pattern | string {
  const word = /^\\[A-Za-z]*/.exec(text)?.[0] ?? '';
  const use = specialUses.find((known) => known.toLowerCase() === word.toLowerCase());
  if (use === undefined) return `names no special use (there are ${specialUses.join(' ')})`;
  const rest = text.slice(word.length);
  if (rest === '') return (folder) => folder.specialUse === use;
  const glob = parseGlob(rest);
  const parents = folders.filter((folder) => folder.specialUse === use);
  return (folder) =>
    parents.some(
      (parent) => folder.name.startsWith(parent.name) && glob(folder.name.slice(parent.name.length), folder.delimiter),
    );
}

type Token = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'one' | 'name' | 'path' };

/** A glob over names. Time is at most the product of both lengths, whatever the pattern. */
function parseGlob(text: string): (name: string, delimiter: string | null) => boolean {
  const pattern = text.normalize('NFC').replace(/^inbox(?![\p{L}\p{N}])/iu, 'INBOX');
  const tokens: Token[] = [...pattern.matchAll(/\*\*+|\*|\?|[^*?]/gu)].map(([token]) => {
    if (token === '?') return { kind: 'one' };
    if (token === '*') return { kind: 'name' };
    return token.startsWith('*') ? { kind: 'path' } : { kind: 'text', text: token };
  });
  return (name, delimiter) => matchTokens(tokens, [...toCanonicalInbox(name, delimiter).normalize('NFC')], delimiter);
}

function matchTokens(tokens: readonly Token[], letters: readonly string[], delimiter: string | null): boolean {
  // reached[i]: the tokens so far can stand for the first i letters.
  let reached = letters.map(() => false);
  reached.unshift(true);
  for (const token of tokens) {
    const next = reached.map(() => false);
    for (let at = 0; at <= letters.length; at += 1) {
      const letter = at === 0 ? null : (letters[at - 1] ?? null);
      const before = at > 0 && reached[at - 1] === true;
      const extended = at > 0 && next[at - 1] === true;
      if (token.kind === 'text') next[at] = before && letter === token.text;
      else if (token.kind === 'one') next[at] = before && letter !== delimiter;
      else next[at] = reached[at] === true || (extended && (token.kind === 'path' || letter !== delimiter));
    }
    if (!next.includes(true)) return false;
    reached = next;
  }
  return reached[letters.length] === true;
}
