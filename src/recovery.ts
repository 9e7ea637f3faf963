import type { Clock } from './clock.ts';
import type { FolderRun } from './folder-run.ts';
import {
  type Intent,
  type Journal,
  type JournalFolder,
  type JournalMessages,
  type Verdict,
  verdictKinds,
} from './journal/index.ts';
import type { LaneDriver } from './lanes.ts';
import { splitByHeader } from './plan/adopt.ts';
import { matchMessages } from './plan/compare.ts';
import type { FolderContents, FolderFacts, InspectTask } from './worker/contract.ts';

/** What recovery works with. */
export interface RecoveryParts {
  readonly lane: LaneDriver;
  readonly journal: Journal;
  readonly clock: Clock;
  /** The target must not have changed for this long before what is not there counts as absent: it may still be committing. */
  readonly settleMs: number;
  /**
   * When this run was told what it knows of the target folder, by the job's clock; `null`: since then this run itself has
   * appended to it.
   */
  readonly seenAt: number | null;
  /** True: give up; what is in doubt stays so. */
  isStopping(): boolean;
}

/** How often a target is asked whether it has changed, at most. */
const askEveryMs = 1_000;
/** A folder in which others' mail keeps arriving is never quiet: so many times as long without anything of ours will do. */
const busyFactor = 6;

/** What was found at the target. */
export interface Recovered {
  /** Messages that were there already, from before this journal. */
  readonly adopted: number;
  /** How many of them were compared byte for byte. */
  readonly compared: number;
  /** Messages whose APPEND had an unknown outcome, and that are there. */
  readonly found: number;
}

/**
 * Brings the journal and the target to agree about one folder before anything is appended to it. Nothing is ever guessed:
 * an unknown outcome is looked up, by content. `null`: it was stopped, and the folder is in doubt as before.
 */
export async function recoverFolder(
  run: FolderRun,
  folder: JournalFolder,
  facts: FolderFacts | null,
  parts: RecoveryParts,
): Promise<Recovered | null> {
  const recovery = new Recovery(run, folder, parts);
  try {
    const found = folder.intents > 0 ? await recovery.reconcile(facts) : 0;
    const doubtful = folder.inDoubt && facts !== null && facts.messages > 0;
    const { adopted, compared } = doubtful ? await recovery.adopt(folder.fence ?? 1) : { adopted: 0, compared: 0 };
    if (folder.inDoubt) await parts.journal.write({ kind: 'settled', folderId: folder.id });
    return { adopted, compared, found };
  } catch (error) {
    if (error instanceof RecoveryStopped) return null;
    throw error;
  }
}

class RecoveryStopped extends Error {
  override readonly name = 'RecoveryStopped';
}

class Recovery {
  readonly #run: FolderRun;
  readonly #folder: JournalFolder;
  readonly #parts: RecoveryParts;

  constructor(run: FolderRun, folder: JournalFolder, parts: RecoveryParts) {
    this.#run = run;
    this.#folder = folder;
    this.#parts = parts;
  }

  /** Settles every open intent of the folder: found at the target, or certainly not there. */
  async reconcile(atStart: FolderFacts | null): Promise<number> {
    const { journal, clock, settleMs, seenAt } = this.#parts;
    const folderId = this.#folder.id;
    let open = await journal.intents(folderId);
    const batches = new Map<number, number>();
    for (const { batch } of open) batches.set(batch, (batches.get(batch) ?? 0) + 1);
    let found = 0;
    let foundAt = clock.now();
    let still = seenAt === null ? null : { mark: markOf(atStart), since: seenAt };
    for (let looked = false; open.length > 0; ) {
      const askedAt = clock.now();
      const facts = await this.#status();
      if (still === null || still.mark !== markOf(facts)) {
        still = { mark: markOf(facts), since: clock.now() };
        looked = false;
      }
      if (!looked) {
        const verdicts = facts === null || facts.messages === 0 ? [] : await this.#find(open);
        looked = true;
        if (verdicts.length > 0) {
          await journal.write({ kind: 'verdicts', folderId, verdicts });
          found += verdicts.length;
          foundAt = clock.now();
          const uids = new Set(verdicts.map(({ uid }) => uid));
          open = open.filter(({ uid }) => !uids.has(uid));
        }
      }
      // Looking takes its time as well: only an answer that was asked for after the wait says that nothing came meanwhile.
      if (askedAt - still.since >= settleMs || askedAt - foundAt >= busyFactor * settleMs) break;
      if (open.length > 0) await this.#pause(Math.min(still.since + settleMs - clock.now(), settleMs / 4, askEveryMs));
    }
    // A part of a batch is there and a part is not: this server does not keep RFC 3502, and gets one message at a time.
    for (const { batch } of open) {
      const size = batches.get(batch) ?? 0;
      if (open.filter((intent) => intent.batch === batch).length < size) this.#run.singly = true;
    }
    if (open.length > 0) await journal.write({ kind: 'dropped', folderId, uids: open.map(({ uid }) => uid) });
    return found;
  }

  /** @throws RecoveryStopped */
  async #pause(ms: number): Promise<void> {
    const { clock, isStopping } = this.#parts;
    await new Promise<void>((resolve) => clock.after(Math.max(0, ms), resolve));
    if (isStopping()) throw new RecoveryStopped();
  }

  /** Looks for the messages of open intents at the target, by content. */
  async #find(open: readonly Intent[]): Promise<Verdict[]> {
    const fences = open.map(({ fence }) => fence ?? 1);
    const messages = await this.#parts.journal.messages(this.#folder.id);
    const target = without(
      await this.#inspect('target', { bodies: true, uids: null, fromUid: Math.min(...fences) }),
      messages.targetUids,
    );
    if (target.uids.length === 0) return [];
    const uids = Uint32Array.from(open, ({ uid }) => uid).sort();
    const source = await this.#inspect('source', { bodies: true, uids, fromUid: 1 });
    const claimed = await this.#claimed(source, target, messages);
    const free = pick(target, (uid) => !claimed.has(uid));
    const flags = new Map(open.map((intent) => [intent.uid, intent.flags]));
    return toVerdicts('copied', source, free, matchMessages(source, free).pairs, flags);
  }

  /**
   * Target UIDs of messages that are known to have been stored, but not where (a target without UIDPLUS): a twin of theirs
   * whose outcome is open must not be taken for stored because they are there.
   */
  async #claimed(source: FolderContents, target: FolderContents, messages: JournalMessages): Promise<Set<number>> {
    const unplaced = messages.uids.filter(
      (_, row) => messages.targetUids[row] === 0 && verdictKinds[messages.verdicts[row] ?? 0] !== 'gone',
    );
    if (unplaced.length === 0 || source.uids.length === 0) return new Set();
    const headers = await this.#inspect('source', { bodies: false, uids: unplaced, fromUid: 1 });
    const open = new Set(Array.from(source.uids.keys(), (row) => headerKey(source, row)));
    const twins = headers.uids.filter((_, row) => open.has(headerKey(headers, row)));
    if (twins.length === 0) return new Set();
    const stored = await this.#inspect('source', { bodies: true, uids: twins, fromUid: 1 });
    return new Set(matchMessages(stored, target).pairs.map(([, row]) => target.uids[row] ?? 0));
  }

  /** Finds what the target holds from `fromUid` on of messages that have no verdict yet. */
  async adopt(fromUid: number): Promise<{ adopted: number; compared: number }> {
    const { journal } = this.#parts;
    const folderId = this.#folder.id;
    const messages = await journal.messages(folderId);
    const part = { bodies: false, uids: null };
    const target = without(await this.#inspect('target', { ...part, fromUid }), messages.targetUids);
    if (target.uids.length === 0) return { adopted: 0, compared: 0 };
    const source = withoutKnown(await this.#inspect('source', { ...part, fromUid: 1 }), messages);
    const claimed = await this.#claimed(source, target, messages);
    const free = pick(target, (uid) => !claimed.has(uid));
    const { certain, sourceDoubtful, targetDoubtful } = splitByHeader(source, free);
    const verdicts = toVerdicts('adopted', source, free, certain, null);
    let compared = 0;
    if (sourceDoubtful.length > 0 && targetDoubtful.length > 0) {
      const uidsOf = (side: FolderContents, rows: readonly number[]) =>
        Uint32Array.from(rows, (row) => side.uids[row] ?? 0).sort();
      const [left, right] = [
        await this.#inspect('source', { bodies: true, uids: uidsOf(source, sourceDoubtful), fromUid: 1 }),
        await this.#inspect('target', { bodies: true, uids: uidsOf(free, targetDoubtful), fromUid: 1 }),
      ];
      const { pairs } = matchMessages(left, right);
      verdicts.push(...toVerdicts('adopted', left, right, pairs, null));
      compared = pairs.length;
    }
    if (verdicts.length > 0) await journal.write({ kind: 'verdicts', folderId, verdicts });
    return { adopted: verdicts.length, compared };
  }

  async #status(): Promise<FolderFacts | null> {
    const { lane } = this.#parts;
    const { id: folderId } = this.#run;
    lane.post({ kind: 'status', folderId, folder: this.#run.task(false).targetName });
    return (await lane.expect(['status'], (message) => message.folderId === folderId)).facts;
  }

  async #inspect(
    side: 'source' | 'target',
    part: Pick<InspectTask, 'bodies' | 'uids' | 'fromUid'>,
  ): Promise<FolderContents> {
    const task = this.#run.task(false);
    const folder = side === 'source' ? { raw: task.sourceRawName } : task.targetName;
    const contents = await this.#parts.lane.inspect(this.#run.id, { side, folder, ...part });
    // What was not read must not be taken for absent.
    if (!contents.complete) throw new RecoveryStopped();
    return contents;
  }
}

/** What changes when a folder gets a message. RFC 3501 2.3.1.1: UIDNEXT always does; not every server tells it. */
function markOf(facts: FolderFacts | null): number | null {
  return facts === null ? null : (facts.uidNext ?? facts.messages);
}

function toVerdicts(
  kind: 'copied' | 'adopted',
  source: FolderContents,
  target: FolderContents,
  pairs: readonly (readonly [number, number])[],
  flags: ReadonlyMap<number, string> | null,
): Verdict[] {
  return pairs.map(([row, targetRow]) => {
    const uid = source.uids[row] ?? 0;
    return {
      uid,
      kind,
      targetUid: target.uids[targetRow] ?? null,
      size: source.sizes[row] ?? null,
      digest: source.digests?.slice(row * 32, (row + 1) * 32) ?? null,
      flags: flags?.get(uid) ?? sharedFlags(source, row, target, targetRow),
    };
  });
}

/** The flags a message has on both sides: only those count as applied to a copy that somebody else made. */
function sharedFlags(source: FolderContents, row: number, target: FolderContents, targetRow: number): string {
  const atTarget = new Set(target.flagSets[target.flags[targetRow] ?? 0]?.split(' '));
  const flags = source.flagSets[source.flags[row] ?? 0]?.split(' ') ?? [];
  return flags.filter((flag) => atTarget.has(flag)).join(' ');
}

function headerKey(contents: FolderContents, row: number): string {
  return Buffer.from(contents.headerKeys.subarray(row * 32, (row + 1) * 32)).toString('base64');
}

/** The rows whose UID the journal does not know as a target UID. */
function without(contents: FolderContents, targetUids: Uint32Array): FolderContents {
  const owned = new Set(targetUids);
  return pick(contents, (uid) => !owned.has(uid));
}

function withoutKnown(contents: FolderContents, messages: JournalMessages): FolderContents {
  const known = new Set(messages.uids);
  return pick(contents, (uid) => !known.has(uid));
}

function pick(contents: FolderContents, test: (uid: number) => boolean): FolderContents {
  const rows = Array.from(contents.uids.keys()).filter((row) => test(contents.uids[row] ?? 0));
  if (rows.length === contents.uids.length) return contents;
  const keys = (column: Uint8Array) => {
    const picked = new Uint8Array(rows.length * 32);
    for (const [index, row] of rows.entries()) picked.set(column.subarray(row * 32, (row + 1) * 32), index * 32);
    return picked;
  };
  return {
    ...contents,
    uids: Uint32Array.from(rows, (row) => contents.uids[row] ?? 0),
    sizes: Uint32Array.from(rows, (row) => contents.sizes[row] ?? 0),
    dates: Float64Array.from(rows, (row) => contents.dates[row] ?? Number.NaN),
    flags: Uint32Array.from(rows, (row) => contents.flags[row] ?? 0),
    headerKeys: keys(contents.headerKeys),
    digests: contents.digests === null ? null : keys(contents.digests),
  };
}
