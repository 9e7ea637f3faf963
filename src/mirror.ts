import type { FolderRun } from './folder-run.ts';
import type { DeleteLimit } from './job.ts';
import { type Journal, verdictKinds } from './journal/index.ts';
import type { LaneDriver } from './lanes.ts';
import { pickNumbers } from './plan/message-facts.ts';

/** What a mirror works with. */
export interface MirrorParts {
  readonly lane: Pick<LaneDriver, 'remove'>;
  readonly journal: Pick<Journal, 'folder' | 'messages' | 'write'>;
  readonly limit: DeleteLimit;
}

/** Messages of a folder that the source has no more, and the target still has. */
interface Doomed {
  readonly run: FolderRun;
  readonly folderId: number;
  readonly targetUidValidity: number | null;
  /** At the source. */
  readonly uids: Uint32Array;
  readonly targetUids: Uint32Array;
}

export interface MirrorResult {
  readonly deleted: number;
  /** Why nothing was deleted; `null`: everything was that was to be. */
  readonly refusal: string | null;
}

/**
 * Deletes from the target what this program put there and the source has no more, unless it is more than may be deleted at
 * once: then nothing.
 * @throws LaneLostError when the target cannot be written to
 */
export async function mirrorGone(
  runs: readonly FolderRun[],
  { lane, journal, limit }: MirrorParts,
): Promise<MirrorResult> {
  const doomed: Doomed[] = [];
  let there = 0;
  for (const run of runs) {
    const folder = journal.folder(run.pair.source.rawName, run.pair.targetName);
    if (folder === null) continue;
    const { uids, targetUids, verdicts } = await journal.messages(folder.id);
    const placed = uids.reduce((count, _, row) => count + (targetUids[row] === 0 ? 0 : 1), 0);
    const rows = [...uids.keys()].filter((row) => {
      return verdictKinds[verdicts[row] ?? 0] === 'gone' && targetUids[row] !== 0;
    });
    there += placed;
    if (rows.length === 0) continue;
    const gone = { uids: pickNumbers(uids, rows), targetUids: pickNumbers(targetUids, rows) };
    doomed.push({ run, folderId: folder.id, targetUidValidity: folder.targetUidValidity, ...gone });
  }
  const count = doomed.reduce((sum, { uids }) => sum + uids.length, 0);
  const most = 'share' in limit ? Math.floor(there * limit.share) : limit.messages;
  if (count > most) return { deleted: 0, refusal: refusalOf(count, there, limit) };
  let deleted = 0;
  for (const { run, folderId, targetUidValidity, uids, targetUids } of doomed) {
    const folder = run.task(false).targetName;
    const removed = await lane.remove(run.id, {
      folder,
      uidValidity: targetUidValidity,
      uids: targetUids.slice().sort(),
    });
    // Their UIDs are not given again.
    const fence = targetUids.reduce((highest, uid) => Math.max(highest, uid), 0) + 1;
    await journal.write({ kind: 'removed', folderId, uids }, { kind: 'settled', folderId, fence });
    run.deleted = removed;
    deleted += removed;
  }
  return { deleted, refusal: null };
}

function refusalOf(count: number, there: number, limit: DeleteLimit): string {
  const most = 'share' in limit ? `${Math.round(limit.share * 10_000) / 100} %` : String(limit.messages);
  const needed = Math.ceil((count / there) * 100);
  return `nothing was deleted: ${count} of ${there} messages are gone from the source, and --delete-limit allows ${most} at once; if that is right, run again with --delete-limit ${needed}%`;
}
