import { goneMessages } from './folder-run.ts';
import { type Journal, type JournalFolder, verdictKinds } from './journal/index.ts';
import { pickNumbers } from './plan/message-facts.ts';

/** No message can have been seen in a folder whose next UID is the first: only one that has vanished is finished like this. */
const firstUid = 1;

/** True where `noteVanished` has taken it for gone from the source: should it come back, it is matched anew. */
export function hasVanished({ messages, finishedAt }: JournalFolder): boolean {
  return messages > 0 && finishedAt?.messages === 0 && finishedAt.uidNext === firstUid;
}

/**
 * Notes that messages are gone from the source where the whole folder is, deleted or renamed. `listed`: raw names of all
 * folders of the source. Answers how many messages that were, and in which folders, by their names at the target.
 */
export async function noteVanished(
  journal: Pick<Journal, 'folders' | 'messages' | 'write'>,
  listed: ReadonlySet<string>,
): Promise<{ readonly messages: number; readonly folders: readonly string[] }> {
  const folders: string[] = [];
  let messages = 0;
  for (const folder of journal.folders()) {
    if (listed.has(folder.sourceRawName) || folder.messages === 0 || hasVanished(folder)) continue;
    const { uids, targetUids, verdicts } = await journal.messages(folder.id);
    const rows = [...uids.keys()].filter((row) => verdictKinds[verdicts[row] ?? 0] !== 'gone');
    const gone = goneMessages(pickNumbers(uids, rows), pickNumbers(targetUids, rows));
    const { id: folderId, sourceUidValidity: uidValidity } = folder;
    const status = { messages: 0, uidNext: firstUid, uidValidity, highestModSeq: null, size: 0 };
    await journal.write(
      ...(rows.length === 0 ? [] : [{ kind: 'verdicts', folderId, verdict: 'gone', messages: gone } as const]),
      { kind: 'finished', folderId, status },
    );
    messages += rows.length;
    folders.push(folder.targetName);
  }
  return { messages, folders };
}
