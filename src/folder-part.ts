import { selectMissing } from './plan/select.ts';
import type { FolderContents } from './worker/contract.ts';

/** Some messages of a folder that was looked into: rows of its columns, ascending. */
export interface FolderPart {
  readonly contents: FolderContents;
  readonly rows: Uint32Array;
}

export function wholeFolder(contents: FolderContents): FolderPart {
  return withoutUids(contents, new Uint32Array());
}

/** The messages whose UID is not among `uids`, whatever the order of those. */
export function withoutUids(contents: FolderContents, uids: Uint32Array): FolderPart {
  return { contents, rows: selectMissing(contents.uids, uids.toSorted()) };
}

/** Those of the messages with these UIDs that are there. */
export function onlyUids(contents: FolderContents, uids: Uint32Array): FolderPart {
  return withoutRows(wholeFolder(contents), withoutUids(contents, uids).rows);
}

/** `part` without some rows, whatever their order. */
export function withoutRows({ contents, rows }: FolderPart, others: Uint32Array): FolderPart {
  const isOther = new Uint8Array(contents.uids.length);
  for (const row of others) isOther[row] = 1;
  return { contents, rows: rows.filter((row) => isOther[row] === 0) };
}

/** Ascending. */
export function uidsOf({ contents, rows }: FolderPart): Uint32Array {
  return rows.map((row) => contents.uids[row] ?? 0);
}
