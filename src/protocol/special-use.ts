import type { ListedFolder } from './commands/list.ts';
import { knownNames } from './special-use-names.ts';

/** What a folder is for (RFC 6154 2, RFC 8457). */
export const specialUses = {
  all: '\\All',
  archive: '\\Archive',
  drafts: '\\Drafts',
  flagged: '\\Flagged',
  important: '\\Important',
  junk: '\\Junk',
  sent: '\\Sent',
  trash: '\\Trash',
} as const;

/** Gmail's words of the time before RFC 6154, in XLIST. */
const aliases: Readonly<Record<string, string>> = {
  '\\allmail': '\\all',
  '\\spam': '\\junk',
  '\\starred': '\\flagged',
};

/**
 * The folder for `use` (`\Sent`, …): one that the server says it is, else one that is called so, whatever the language.
 * Null where there is none.
 */
export function chooseSpecialFolder(folders: readonly ListedFolder[], use: string): ListedFolder | null {
  const wanted = use.toLowerCase();
  const marked = folders.find(({ attributes }) => attributes.some((attribute) => toUse(attribute) === wanted));
  if (marked !== undefined) return marked;
  const names = knownNames[wanted] ?? [];
  let best: ListedFolder | null = null;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const folder of folders) {
    const place = names.indexOf(lastName(folder).normalize('NFC').toLowerCase());
    if (place === -1 || isNoFolder(folder)) continue;
    // A folder deep inside others is somebody's filing, not the account's.
    const rank = depthOf(folder) * names.length + place;
    if (rank < bestRank) [best, bestRank] = [folder, rank];
  }
  return best;
}

function toUse(attribute: string): string {
  const lower = attribute.toLowerCase();
  return aliases[lower] ?? lower;
}

function isNoFolder({ attributes }: ListedFolder): boolean {
  return attributes.some((attribute) => /^\\(noselect|nonexistent)$/i.test(attribute));
}

function lastName({ name, delimiter }: ListedFolder): string {
  return delimiter === null ? name : name.slice(name.lastIndexOf(delimiter) + 1);
}

/** Levels above it, INBOX not counted: many servers keep everything below it. */
function depthOf({ name, delimiter }: ListedFolder): number {
  if (delimiter === null) return 0;
  return (
    name
      .replace(/^inbox(?=.)/i, '')
      .split(delimiter)
      .filter((part) => part !== '').length - 1
  );
}
