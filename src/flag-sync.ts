import { exitCodes, type WireError } from './errors.ts';
import { type FolderPart, onlyUids, uidsOf, wholeFolder } from './folder-part.ts';
import type { FolderRun } from './folder-run.ts';
import type { Side } from './job.ts';
import { type Journal, type JournalFolder, type JournalMessages, verdictKinds } from './journal/index.ts';
import { type LaneDriver, LaneLostError } from './lanes.ts';
import { matchMessages } from './plan/compare.ts';
import { type FlagChange, type FlagColumns, flagChanges } from './plan/flag-changes.ts';
import { rowsWithHeaderIn } from './plan/message-keys.ts';
import type { FlagPolicy } from './plan/types.ts';
import type { FolderContents, LaneFailure, TargetFlagChange } from './worker/contract.ts';

/** What bringing the flags up to date works with. */
export interface FlagSyncParts {
  readonly lane: LaneDriver;
  readonly journal: Journal;
  readonly policy: Exclude<FlagPolicy, 'once'>;
  /** False: UIDs of the target are good for one session at most (no UIDPLUS), and messages are found by content. */
  readonly reportsUids: boolean;
}

export interface FlagSyncResult {
  /** Messages whose flags were changed at the target. */
  readonly changed: number;
  /** Why the target did not take some of it: tried again by the next run. */
  readonly failure: WireError | null;
}

/**
 * Applies what changed in the source's flags since they were last applied, and remembers it. With CONDSTORE (RFC 7162) the
 * source names what changed, else all flags of the folder are read. Doing it twice does no harm.
 * @throws LaneLostError when the source cannot be read, or a connection is lost
 */
export async function syncFlags(
  run: FolderRun,
  folder: JournalFolder,
  { lane, journal, policy, reportsUids }: FlagSyncParts,
): Promise<FlagSyncResult> {
  const nothing = { changed: 0, failure: null };
  const highest = run.pair.source.status?.highestModSeq ?? null;
  if (highest !== null && highest === folder.flagsModSeq) return nothing;
  const { sourceRawName, targetName } = run.task(false);
  const since = isSince(folder.flagsModSeq, highest) ? folder.flagsModSeq : null;
  const now = await lane.readFlags(run.id, { raw: sourceRawName }, since);
  // Its messages are others than those the journal knows.
  if (now.uidValidity !== folder.sourceUidValidity) return nothing;
  const messages = await journal.messages(folder.id);
  const changes = flagChanges(messages, now, policy);
  const place = await placeOf(run, reportsUids ? messages : withoutPlaces(messages), changes, lane);
  const atTarget = changes.flatMap((change): TargetFlagChange[] => {
    const uids = change.uids.flatMap((uid) => place.get(uid) ?? []);
    const { add, remove } = change;
    return uids.length === 0 ? [] : [{ add, remove, uids: Uint32Array.from(uids).sort() }];
  });
  let changed = 0;
  if (atTarget.length > 0) {
    const uidValidity = reportsUids ? folder.targetUidValidity : null;
    const stored = await lane.storeFlags(run.id, { folder: targetName, uidValidity, changes: atTarget });
    changed = stored.changed;
    if (stored.lost.length > 0)
      run.notes.push(`flags that were set at the source and that the target does not keep: ${stored.lost.join(', ')}`);
    if (stored.refusal !== null) {
      const message = `the target did not take changed flags: ${stored.refusal}`;
      return { changed: 0, failure: { code: 'FLAGS', exitCode: exitCodes.partial, message } };
    }
  }
  const applied = appliedFlags(changes);
  // What merging leaves out a later mirroring has to find again.
  const modSeq = policy === 'merge' ? null : now.highestModSeq;
  if (applied.uids.length > 0 || modSeq !== null)
    await journal.write({ kind: 'flags', folderId: folder.id, messages: applied, modSeq });
  return { changed, failure: null };
}

/** True where the source can name what changed after `known`. A server that made its index anew counts from the start again. */
function isSince(known: string | null, highest: string | null): boolean {
  return known !== null && highest !== null && BigInt(known) <= BigInt(highest);
}

function withoutPlaces(messages: JournalMessages): JournalMessages {
  return { ...messages, targetUids: new Uint32Array(messages.targetUids.length) };
}

const stopped: LaneFailure = {
  side: null,
  scope: 'lane',
  inDoubt: false,
  error: { code: 'STOPPED', exitCode: exitCodes.interrupted, message: 'stopped before the changed flags were applied' },
  pushedBack: null,
};

/** What the journal is to know of changes that were made. */
function appliedFlags(changes: readonly FlagChange[]): FlagColumns {
  const setOf = new Map(changes.flatMap(({ uids }, set) => Array.from(uids, (uid) => [uid, set] as const)));
  const uids = Uint32Array.from(setOf.keys()).sort();
  return { uids, flags: uids.map((uid) => setOf.get(uid) ?? 0), flagSets: changes.map(({ flags }) => flags) };
}

/** Where the messages of `changes` are at the target: as the journal knows it, or found by content where it was never told. */
async function placeOf(
  run: FolderRun,
  messages: JournalMessages,
  changes: readonly FlagChange[],
  lane: LaneDriver,
): Promise<ReadonlyMap<number, number>> {
  const wanted = new Set(changes.flatMap(({ uids }) => uids));
  const place = new Map<number, number>();
  const unplaced = new Set<number>();
  for (const [row, uid] of messages.uids.entries()) {
    if (!wanted.has(uid) || verdictKinds[messages.verdicts[row] ?? 0] === 'gone') continue;
    const targetUid = messages.targetUids[row] ?? 0;
    if (targetUid === 0) unplaced.add(uid);
    else place.set(uid, targetUid);
  }
  if (unplaced.size === 0) return place;
  const { sourceRawName, targetName } = run.task(false);
  const read = async (side: Side, bodies: boolean, uids: Uint32Array | null): Promise<FolderContents> => {
    const folder = side === 'source' ? { raw: sourceRawName } : targetName;
    const contents = await lane.inspect(run.id, { side, folder, bodies, uids, fromUid: 1 });
    // What was not read must not be taken for absent: its flags would count as applied.
    if (!contents.complete) throw new LaneLostError(stopped);
    return contents;
  };
  // Twins of theirs have to be told apart from them, so all that look alike are compared.
  const source = await read('source', false, null);
  const target = await read('target', false, null);
  const changed = onlyUids(source, Uint32Array.from(unplaced));
  // Twins that were never copied have no place there.
  const gone = verdictKinds.indexOf('gone');
  const copied = new Set(messages.uids.filter((_, row) => messages.verdicts[row] !== gone));
  const left = await read(
    'source',
    true,
    uidsLike(source, changed).filter((uid) => copied.has(uid)),
  );
  const right = await read('target', true, uidsLike(target, changed));
  const { pairs } = matchMessages({ ...left, ...flagsBefore(left, messages) }, right);
  for (const [index, row] of pairs.source.entries()) {
    const uid = left.uids[row] ?? 0;
    if (unplaced.has(uid)) place.set(uid, right.uids[pairs.target[index] ?? 0] ?? 0);
  }
  return place;
}

/** UIDs of messages whose header is that of one of `others`. */
function uidsLike(contents: FolderContents, others: FolderPart): Uint32Array {
  const { rows } = wholeFolder(contents);
  return uidsOf({ contents, rows: rowsWithHeaderIn(contents, rows, others.contents, others.rows) });
}

/** The flags the target was last given, in the form of `FolderContents`: they tell twins apart. */
function flagsBefore(contents: FolderContents, messages: JournalMessages): Pick<FolderContents, 'flags' | 'flagSets'> {
  const rowOf = new Map(Array.from(messages.uids, (uid, row) => [uid, row]));
  const flagSets = messages.flagSets.map((text) => {
    const flags = new Set(text.toLowerCase().split(' '));
    flags.delete('\\recent');
    return [...flags].sort().join(' ').trim();
  });
  const flags = contents.uids.map((uid) => messages.flags[rowOf.get(uid) ?? -1] ?? 0);
  return { flags, flagSets };
}
