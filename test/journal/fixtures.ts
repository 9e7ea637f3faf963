import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Intent, Journal, OpenedFolder, Verdict } from '../../src/journal/index.ts';
import { verdictKinds } from '../../src/journal/index.ts';

export const source = 'anna@old.example:993';
export const target = 'anna@new.example:993';

/** A directory for every test of the file, removed behind it. */
export function useStateDir(): { readonly path: string } {
  const state = { path: '' };
  beforeEach(() => {
    state.path = mkdtempSync(join(tmpdir(), 'journal-'));
  });
  afterEach(() => rmSync(state.path, { recursive: true, force: true }));
  return state;
}

export function digestOf(seed: number): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => (seed * 31 + index * 7) & 0xff);
}

export function opened(name = 'INBOX', changes: Partial<OpenedFolder> = {}): OpenedFolder {
  return { sourceRawName: name, targetName: name, sourceUidValidity: 1, targetUidValidity: 2, fence: 100, ...changes };
}

export function intent(uid: number, changes: Partial<Intent> = {}): Intent {
  const date = '01-Jan-2024 12:00:00 +0100';
  return {
    uid,
    batch: 1,
    fence: 100,
    targetUidValidity: 2,
    size: 1000 + uid,
    digest: digestOf(uid),
    internalDate: date,
    flags: '\\Seen',
    ...changes,
  };
}

export function verdict(uid: number, changes: Partial<Verdict> = {}): Verdict {
  return {
    uid,
    kind: 'copied',
    targetUid: uid + 100,
    size: 1000 + uid,
    digest: digestOf(uid),
    flags: '\\Seen',
    ...changes,
  };
}

/** Everything a journal holds, as plain values that compare. */
export interface Content {
  readonly folders: readonly unknown[];
  readonly messages: readonly (readonly string[])[];
  readonly intents: readonly (readonly Intent[])[];
}

export async function contentOf(journal: Journal): Promise<Content> {
  const folders = journal.folders();
  const messages: string[][] = [];
  const intents: (readonly Intent[])[] = [];
  for (const { id } of folders) {
    messages.push(await messageLines(journal, id));
    intents.push(await journal.intents(id));
  }
  return { folders, messages, intents };
}

/** One line per message: source UID, verdict, target UID, flags. */
export async function messageLines(journal: Journal, folderId: number): Promise<string[]> {
  const { uids, targetUids, verdicts, flags, flagSets } = await journal.messages(folderId);
  return [...uids].map((uid, row) => {
    const kind = verdictKinds[verdicts[row] ?? 0];
    return `${uid} ${kind} ${targetUids[row]} ${flagSets[flags[row] ?? 0]}`;
  });
}
