/**
 * Google Takeout has all mail in one mbox, and the labels in `X-Gmail-Labels`. A message goes into one folder, so that it is
 * there once, and its other labels become keywords. The first of these that it has is its folder:
 *
 * 1. Trash, 2. Spam, 3. Drafts, 4. Inbox, 5. Sent, 6. its first label that a user has made, 7. Archive, for all others.
 *
 * Google writes its own labels in the user's language; they are known here in English only, and taken for a user's otherwise.
 */
import { decodeHeader, keywords, systemFlags } from '../protocol/index.ts';
import type { TreePath } from './store.ts';

/** Google's own labels that are folders, by priority. */
const folders: readonly (readonly [RegExp, string])[] = [
  [/^(?:trash|bin)$/i, 'Trash'],
  [/^(?:spam|junk)$/i, 'Spam'],
  [/^drafts?$/i, 'Drafts'],
  [/^inbox$/i, 'INBOX'],
  [/^sent(?: mail)?$/i, 'Sent'],
];

const restFolder = 'Archive';

/** Google's own labels that are flags, or nothing at all. */
const flagOf: Readonly<Record<string, string | null>> = {
  unread: null,
  opened: null,
  archived: null,
  starred: systemFlags.flagged,
  important: '$Important',
  draft: systemFlags.draft,
  drafts: systemFlags.draft,
  spam: keywords.junk,
  junk: keywords.junk,
};

const category = /^category[ _]/i;

export interface GmailPlace {
  readonly path: TreePath;
  readonly flags: readonly string[];
  /** Folders that the user has made, whether this message is in them or not. */
  readonly folders: readonly TreePath[];
}

/** Where a message with these labels goes. `field`: the value of `X-Gmail-Labels`, unfolded, as latin1. */
export function parseGmailLabels(field: string): GmailPlace {
  const labels = decodeHeader(field)
    .split(',')
    .map((label) =>
      label
        .trim()
        .replace(/^"(.*)"$/, '$1')
        .replace(/^\\/, ''),
    )
    .filter((label) => label !== '');
  const own = labels.filter((label) => !(label.toLowerCase() in flagOf) && !category.test(label) && !folderOf(label));
  const system = folders.find(([pattern]) => labels.some((label) => pattern.test(label)))?.[1];
  const paths = own.map(pathOf);
  const home = system === undefined ? own[0] : undefined;
  const flags = new Set<string>();
  if (!labels.some((label) => /^unread$/i.test(label))) flags.add(systemFlags.seen);
  for (const label of labels) {
    if (label === home || (system !== undefined && folderOf(label) === system)) {
      addFlag(flagOf[label.toLowerCase()], flags);
      continue;
    }
    const flag = flagOf[label.toLowerCase()];
    addFlag(flag === undefined ? toKeyword(folderOf(label) ?? label) : flag, flags);
  }
  return { path: system === undefined ? (paths[0] ?? [restFolder]) : [system], flags: [...flags], folders: paths };
}

function addFlag(flag: string | null | undefined, flags: Set<string>): void {
  if (flag !== null && flag !== undefined) flags.add(flag);
}

function folderOf(label: string): string | undefined {
  return folders.find(([pattern]) => pattern.test(label))?.[1];
}

function pathOf(label: string): TreePath {
  const path = label.split('/').filter((segment) => segment !== '');
  return path.length === 0 ? [label] : path;
}

/** RFC 9051 flag-keyword: a label's blanks become `_`, and what may not stand in one `=` and its bytes. */
function toKeyword(label: string): string {
  return Array.from(label.replace(/\s+/g, '_'), (character) =>
    /^[!#$&'+,\-./0-9:;<>?@A-Z[^_`a-z|~]$/.test(character) ? character : toHex(character),
  ).join('');
}

function toHex(character: string): string {
  return Array.from(Buffer.from(character), (byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
