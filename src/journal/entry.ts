/**
 * What one commit is made of. Plain data: the main thread posts entries to the writer's thread as they are, and what is big
 * in them are columns.
 */

import type { JournalRecord, OpenedFolder } from './types.ts';

/** A record, or a folder to be opened. */
export type Entry = JournalRecord | { readonly kind: 'open'; readonly folder: OpenedFolder };

/** How many messages an entry is about. */
export function rowsOf(entry: Entry): number {
  switch (entry.kind) {
    case 'intents':
    case 'verdicts':
    case 'flags':
      return entry.messages.uids.length;
    case 'dropped':
    case 'removed':
      return entry.uids.length;
    default:
      return 0;
  }
}
