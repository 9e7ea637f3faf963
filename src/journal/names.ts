/**
 * What the files of a journal are called. In a state directory the readable part is for people, the hash keeps names apart;
 * a tree has one journal, whatever the tree is called.
 */

import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { toStoredText } from './stored-text.ts';
import type { JournalPlace } from './types.ts';

export const journalSuffix = '.db';

/** Of a tree's own journal, its manifest. */
const manifestName = 'manifest';

/** What a tree's manifest calls its target: the tree it lies in, which may be moved and renamed. */
const thisTree = 'this tree';

/** The SQLite file of a pair of accounts. */
export function journalFile(place: JournalPlace, source: string, target: string): string {
  const name = place.kind === 'tree' ? manifestName : fileName(`${source}--${target}`, `${source}\n${target}`);
  return join(place.directory, `${name}${journalSuffix}`);
}

/** The manifest of a tree whose state is in `directory`. */
export function manifestFile(directory: string): string {
  return journalFile({ kind: 'tree', directory }, '', '');
}

/** The place a journal's file is at. */
export function placeOf(file: string): JournalPlace {
  const directory = dirname(file);
  return { kind: basename(file) === `${manifestName}${journalSuffix}` ? 'tree' : 'state', directory };
}

/** How a journal at that place names `target`. */
export function targetIn(place: JournalPlace, target: string): string {
  return place.kind === 'tree' ? thisTree : toStoredText(target);
}

/** The files of the lock on a target account, or on a tree: `lock` is locked, `holder` says by whom. */
export function lockFiles(place: JournalPlace, target: string): { readonly lock: string; readonly holder: string } {
  const name = join(place.directory, place.kind === 'tree' ? manifestName : fileName(target, target));
  return { lock: `${name}.lock`, holder: `${name}.pid` };
}

function fileName(label: string, identity: string): string {
  const slug = label.replace(/[^A-Za-z0-9@.-]+/g, '_').slice(0, 100);
  return `${slug}-${createHash('sha256').update(identity).digest('hex').slice(0, 12)}`;
}
