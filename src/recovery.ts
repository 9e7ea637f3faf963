import type { Clock } from './clock.ts';
import { type FolderPart, onlyUids, uidsOf, wholeFolder, withoutRows, withoutUids } from './folder-part.ts';
import type { FolderRun } from './folder-run.ts';
import {
  type Intent,
  type Journal,
  type JournalFolder,
  type JournalMessages,
  type VerdictColumns,
  verdictKinds,
} from './journal/index.ts';
import { type LaneDriver, LaneLostError } from './lanes.ts';
import { splitByHeader } from './plan/adopt.ts';
import { matchMessages } from './plan/compare.ts';
import { pickDigests, pickNumbers } from './plan/message-facts.ts';
import { rowsWithHeaderIn } from './plan/message-keys.ts';
import type { RowPairs } from './plan/pairing.ts';
import { selectMissing } from './plan/select.ts';
import { dateToInternalDate } from './protocol/datetime.ts';
import type { FolderContents, FolderFacts, FolderTask, InspectTask } from './worker/contract.ts';

/** What recovery works with. */
export interface RecoveryParts {
  readonly lane: Pick<LaneDriver, 'inspect' | 'post' | 'expect'>;
  readonly journal: Pick<Journal, 'intents' | 'messages' | 'write'>;
  readonly clock: Clock;
  /** The target must not have changed for this long before what is not there counts as absent: it may still be committing. */
  readonly settleMs: number;
  /** Nor does it before this moment, by the job's clock: a server fell silent, and may go on later. `null`: none did. */
  readonly notBefore: number | null;
  /**
   * When this run was told what it knows of the target folder, by the job's clock; `null`: since then this run itself has
   * appended to it.
   */
  readonly seenAt: number | null;
  /** False: the target's UIDs may mean something else tomorrow (no UIDPLUS), and are not remembered. */
  readonly reportsUids: boolean;
  /** The journal is the target's manifest: it is told the messages' INTERNALDATEs. Absent: false. */
  readonly keepsManifest?: boolean | undefined;
  /** True: give up; what is in doubt stays so. */
  isStopping(): boolean;
}

/** The folder of a run, as far as recovery has to do with it. */
export interface RecoveringFolder extends Pick<FolderRun, 'id' | 'singly'> {
  task(scan: boolean): Pick<FolderTask, 'sourceRawName' | 'targetName'>;
}

/** How often a target is asked whether it has changed, at most. */
const askEveryMs = 1_000;
/** A folder in which others' mail keeps arriving is never quiet: so many times as long without anything of ours will do. */
const busyFactor = 6;

/** Verdicts in one record: behind each a run may end. */
const verdictsPerWrite = 10_000;

/** How often a server is asked for messages that it did not give out. */
const maxReadings = 3;

/** What was found at the target. */
export interface Recovered {
  /** Messages that were there already, from before this journal. */
  readonly adopted: number;
  /** How many of them were compared byte for byte. */
  readonly compared: number;
  /** Messages whose APPEND had an unknown outcome, and that are there. */
  readonly found: number;
  /**
   * UIDs at the source, ascending, of messages that may or may not be there: something that looks like them could not be
   * read. They must not be appended; the folder stays in doubt.
   */
  readonly unclear: Uint32Array;
}

/**
 * Brings the journal and the target to agree about one folder before anything is appended to it. Nothing is ever guessed:
 * an unknown outcome is looked up, by content. `null`: it was stopped, and the folder is in doubt as before.
 */
export async function recoverFolder(
  run: RecoveringFolder,
  folder: JournalFolder,
  facts: FolderFacts | null,
  parts: RecoveryParts,
): Promise<Recovered | null> {
  const recovery = new Recovery(run, folder, parts);
  try {
    const found = folder.intents > 0 ? await recovery.reconcile(facts) : 0;
    const doubtful = folder.inDoubt && facts !== null && facts.messages > 0;
    const { adopted, compared } = doubtful ? await recovery.adopt(facts) : { adopted: 0, compared: 0 };
    const { unclear } = recovery;
    if (folder.inDoubt && unclear.length === 0) await parts.journal.write({ kind: 'settled', folderId: folder.id });
    return { adopted, compared, found, unclear };
  } catch (error) {
    if (error instanceof RecoveryStopped) return null;
    throw error;
  }
}

/**
 * What the target folder holds now; `null`: there is no such folder.
 * @throws LaneLostError when the target does not tell: nothing may be concluded from that
 */
export async function targetStatus(
  lane: Pick<LaneDriver, 'post' | 'expect'>,
  folderId: number,
  folder: FolderTask['targetName'],
): Promise<FolderFacts | null> {
  lane.post({ kind: 'status', folderId, folder });
  const answer = await lane.expect(['status', 'status-failed'], (message) => message.folderId === folderId);
  if (answer.kind === 'status-failed') throw new LaneLostError(answer.failure);
  return answer.facts;
}

class RecoveryStopped extends Error {
  override readonly name = 'RecoveryStopped';
}

class Recovery {
  readonly #run: RecoveringFolder;
  readonly #folder: JournalFolder;
  readonly #parts: RecoveryParts;
  readonly #unclear = new Set<number>();

  constructor(run: RecoveringFolder, folder: JournalFolder, parts: RecoveryParts) {
    this.#run = run;
    this.#folder = folder;
    this.#parts = parts;
  }

  /** See `Recovered`. */
  get unclear(): Uint32Array {
    return Uint32Array.from(this.#unclear).sort();
  }

  /** Settles every open intent of the folder that can be settled: found at the target, or certainly not there. */
  async reconcile(atStart: FolderFacts | null): Promise<number> {
    const { journal, clock, settleMs, seenAt, notBefore } = this.#parts;
    const folderId = this.#folder.id;
    let open = await journal.intents(folderId);
    const batches = countBatches(open);
    let found = 0;
    let foundAt = clock.now();
    let still = seenAt === null ? null : { facts: atStart, since: seenAt };
    for (let looked = false; open.length > 0; ) {
      const askedAt = clock.now();
      const facts = await this.#status();
      if (still === null || !isSame(still.facts, facts) || this.#isFenced(still.facts) !== this.#isFenced(facts)) {
        still = { facts, since: clock.now() };
        looked = false;
      }
      if (!looked) {
        const messages = facts === null || facts.messages === 0 ? null : await this.#find(open, this.#isFenced(facts));
        looked = true;
        if (messages !== null) {
          await journal.write({ kind: 'verdicts', folderId, verdict: 'copied', messages });
          found += messages.uids.length;
          foundAt = clock.now();
          const uids = new Set(messages.uids);
          open = open.filter(({ uid }) => !uids.has(uid));
        }
      }
      // Looking takes its time as well: only an answer that was asked for after the wait says that nothing came meanwhile.
      const enough = Math.max(
        Math.min(still.since + settleMs, foundAt + busyFactor * settleMs),
        notBefore ?? Number.NEGATIVE_INFINITY,
      );
      if (askedAt >= enough) break;
      if (open.length > 0) await this.#pause(Math.min(enough - clock.now(), settleMs / 4, askEveryMs));
    }
    // A part of a batch is there and a part is not: this server does not keep RFC 3502, and gets one message at a time.
    for (const [batch, absent] of countBatches(open)) if (absent < (batches.get(batch) ?? 0)) this.#run.singly = true;
    const absent = open.filter(({ uid }) => !this.#unclear.has(uid));
    const uids = Uint32Array.from(absent, ({ uid }) => uid).sort();
    if (uids.length > 0) await journal.write({ kind: 'dropped', folderId, uids });
    return found;
  }

  /** @throws RecoveryStopped */
  async #pause(ms: number): Promise<void> {
    const { clock, isStopping } = this.#parts;
    await new Promise<void>((resolve) => clock.after(Math.max(0, ms), resolve));
    if (isStopping()) throw new RecoveryStopped();
  }

  /** False: the target's UIDs have changed since fences were taken from them, and what came after one may be below it. */
  #isFenced(facts: FolderFacts | null): boolean {
    return facts === null || facts.uidValidity === this.#folder.targetUidValidity;
  }

  /** Looks for the messages of open intents at the target, by content; `null`: there is none of them. */
  async #find(open: readonly Intent[], isFenced: boolean): Promise<VerdictColumns | null> {
    const messages = await this.#parts.journal.messages(this.#folder.id);
    const fences = open.map(({ fence }) => (isFenced ? (fence ?? 1) : 1));
    const fromUid = fences.reduce((lowest, fence) => Math.min(lowest, fence), Number.POSITIVE_INFINITY);
    const target = withoutUids(
      await this.#inspect('target', { bodies: true, uids: null, fromUid }),
      messages.targetUids,
    );
    this.#unclear.clear();
    if (target.rows.length === 0 && target.contents.unreadable.length === 0) return null;
    const uids = Uint32Array.from(open, ({ uid }) => uid).sort();
    const source = wholeFolder(await this.#inspect('source', { bodies: true, uids, fromUid: 1 }));
    const unplaced = unplacedUids(messages);
    const free =
      unplaced.length === 0
        ? target
        : await this.#withoutClaimed(
            target,
            wholeFolder(await this.#inspect('source', { bodies: false, uids: unplaced, fromUid: 1 })),
            source,
          );
    const intended = new Map(open.map((intent) => [intent.uid, intent]));
    const { pairs } = matchMessages(source.contents, free.contents, free.rows);
    await this.#doubt(source, pairs.source, without(target.contents.unreadable, messages.targetUids));
    return pairs.source.length === 0 ? null : this.#toVerdicts(source.contents, free.contents, pairs, intended);
  }

  /**
   * `target` without messages that are known to have been stored, but not where (a target without UIDPLUS): a twin of
   * theirs whose outcome is open must not be taken for stored because they are there.
   */
  async #withoutClaimed(target: FolderPart, stored: FolderPart, open: FolderPart): Promise<FolderPart> {
    const twins = rowsWithHeaderIn(stored.contents, stored.rows, open.contents, open.rows);
    if (twins.length === 0) return target;
    const uids = uidsOf({ contents: stored.contents, rows: twins });
    const read = await this.#inspect('source', { bodies: true, uids, fromUid: 1 });
    return withoutRows(target, matchMessages(read, target.contents, target.rows).pairs.target);
  }

  /** Finds what the target holds from the folder's fence on of messages that have no verdict yet. */
  async adopt(facts: FolderFacts): Promise<{ adopted: number; compared: number }> {
    const fromUid = this.#isFenced(facts) ? (this.#folder.fence ?? 1) : 1;
    const messages = await this.#parts.journal.messages(this.#folder.id);
    const headers = { bodies: false, uids: null };
    const target = withoutUids(await this.#inspect('target', { ...headers, fromUid }), messages.targetUids);
    const hidden = without(target.contents.unreadable, messages.targetUids);
    if (target.rows.length === 0 && hidden.length === 0) return { adopted: 0, compared: 0 };
    const contents = await this.#inspect('source', { ...headers, fromUid: 1 });
    const source = withoutUids(contents, messages.uids);
    for (const uid of without(contents.unreadable, messages.uids)) this.#unclear.add(uid);
    const free = await this.#withoutClaimed(target, onlyUids(contents, unplacedUids(messages)), source);
    const open = { source: source.rows, target: free.rows };
    const { certain, doubtful } = splitByHeader(contents, target.contents, open);
    const adopted = await this.#adopted(contents, target.contents, certain);
    let compared = 0;
    for (const rows of doubtful) {
      const left = uidsOf({ contents, rows: rows.source });
      const right = uidsOf({ ...target, rows: rows.target });
      const [atSource, atTarget] = [
        await this.#inspect('source', { bodies: true, uids: left, fromUid: 1 }),
        await this.#inspect('target', { bodies: true, uids: right, fromUid: 1 }),
      ];
      const { pairs } = matchMessages(atSource, atTarget);
      await this.#doubt(wholeFolder(atSource), pairs.source, atTarget.unreadable);
      compared += await this.#adopted(atSource, atTarget, pairs);
    }
    // Whatever has not been found may be one of those of which the target does not even tell the header.
    const found = hidden.length > 0 ? (await this.#parts.journal.messages(this.#folder.id)).uids : null;
    if (found !== null) for (const uid of uidsOf(withoutUids(contents, found))) this.#unclear.add(uid);
    return { adopted: adopted + compared, compared };
  }

  /**
   * Notes which source messages may be there although none was found: those that look like something the target does not
   * give out, and those the source does not. `found`: rows that were.
   */
  async #doubt(source: FolderPart, found: Uint32Array, unreadable: Uint32Array): Promise<void> {
    for (const uid of source.contents.unreadable) this.#unclear.add(uid);
    const missing = withoutRows(source, found);
    if (unreadable.length === 0 || missing.rows.length === 0) return;
    const headers = await this.#inspect('target', { bodies: false, uids: unreadable, fromUid: 1 });
    const { rows } = wholeFolder(headers);
    const isHidden = headers.unreadable.length > 0;
    const alike = isHidden ? missing.rows : rowsWithHeaderIn(missing.contents, missing.rows, headers, rows);
    for (const row of alike) this.#unclear.add(missing.contents.uids[row] ?? 0);
  }

  /**
   * Writes down in slices what was found to be there. Between two of them a run may end: the folder stays in doubt, and
   * the next one goes on with what has no verdict.
   */
  async #adopted(source: FolderContents, target: FolderContents, pairs: RowPairs): Promise<number> {
    const { journal } = this.#parts;
    for (let from = 0; from < pairs.source.length; from += verdictsPerWrite) {
      if (this.#parts.isStopping()) throw new RecoveryStopped();
      const slice = sliceOf(pairs, from, from + verdictsPerWrite);
      const messages = this.#toVerdicts(source, target, slice, null);
      await journal.write({ kind: 'verdicts', folderId: this.#folder.id, verdict: 'adopted', messages });
    }
    return pairs.source.length;
  }

  #toVerdicts(
    source: FolderContents,
    target: FolderContents,
    pairs: RowPairs,
    intended: ReadonlyMap<number, Intent> | null,
  ): VerdictColumns {
    const verdicts = toVerdicts(source, target, pairs, intended);
    const { reportsUids, keepsManifest = false } = this.#parts;
    return {
      ...verdicts,
      targetUids: reportsUids ? verdicts.targetUids : new Uint32Array(verdicts.uids.length),
      internalDates: keepsManifest ? datesOf(source, pairs.source, intended) : null,
    };
  }

  async #status(): Promise<FolderFacts | null> {
    const { lane } = this.#parts;
    const { id: folderId } = this.#run;
    return await targetStatus(lane, folderId, this.#run.task(false).targetName);
  }

  async #inspect(
    side: 'source' | 'target',
    part: Pick<InspectTask, 'bodies' | 'uids' | 'fromUid'>,
  ): Promise<FolderContents> {
    const task = this.#run.task(false);
    const folder = side === 'source' ? { raw: task.sourceRawName } : task.targetName;
    let contents = await this.#parts.lane.inspect(this.#run.id, { side, folder, ...part });
    for (let reading = 1; contents.complete && contents.unreadable.length > 0 && reading < maxReadings; reading++) {
      await this.#pause(Math.min(this.#parts.settleMs / 4, askEveryMs));
      contents = await this.#parts.lane.inspect(this.#run.id, { side, folder, ...part });
    }
    // What was not read must not be taken for absent.
    if (!contents.complete) throw new RecoveryStopped();
    return contents;
  }
}

/** False when the folder got a message. RFC 3501 2.3.1.1: UIDNEXT rises then; but not every answer tells it. */
function isSame(before: FolderFacts | null, now: FolderFacts | null): boolean {
  if (before === null || now === null) return before === now;
  const isKnown = before.uidNext !== null && now.uidNext !== null;
  return before.messages === now.messages && (!isKnown || before.uidNext === now.uidNext);
}

/** `uids` without `others`, whatever the order of those. */
function without(uids: Uint32Array, others: Uint32Array): Uint32Array {
  return selectMissing(uids, others.toSorted()).map((row) => uids[row] ?? 0);
}

/** Batch -> intents. */
function countBatches(intents: readonly Intent[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { batch } of intents) counts.set(batch, (counts.get(batch) ?? 0) + 1);
  return counts;
}

/** Source UIDs of messages that are known to have been stored, but not where. */
function unplacedUids({ uids, targetUids, verdicts }: JournalMessages): Uint32Array {
  const gone = verdictKinds.indexOf('gone');
  return uids.filter((_, row) => targetUids[row] === 0 && verdicts[row] !== gone);
}

function sliceOf({ source, target }: RowPairs, from: number, to: number): RowPairs {
  return { source: source.subarray(from, to), target: target.subarray(from, to) };
}

/** INTERNALDATEs as the source wrote them where an intent tells (by UID), else the same instants in UTC. */
function datesOf(
  { uids, dates }: FolderContents,
  rows: Uint32Array,
  intended: ReadonlyMap<number, Intent> | null,
): (string | null)[] {
  return Array.from(rows, (row) => {
    const intent = intended?.get(uids[row] ?? 0);
    return intent === undefined ? toInternalDate(dates[row] ?? Number.NaN) : intent.internalDate;
  });
}

/** `null`: the source's date could not be read, or is in a year that the form does not have. */
function toInternalDate(epochMs: number): string | null {
  const date = new Date(epochMs);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? dateToInternalDate(date) : null;
}

/** What the journal is to know of messages that are on both sides. `intended`: by UID; `null`: flags are what they share. */
function toVerdicts(
  source: FolderContents,
  target: FolderContents,
  pairs: RowPairs,
  intended: ReadonlyMap<number, Intent> | null,
): Omit<VerdictColumns, 'internalDates'> {
  const sharedFlags = flagsOfBoth(source, target);
  const uids = pickNumbers(source.uids, pairs.source);
  const setOf = new Map<string, number>();
  const flags = pairs.source.map((row, index) => {
    const targetRow = pairs.target[index] ?? 0;
    const shared = () => sharedFlags(source.flags[row] ?? 0, target.flags[targetRow] ?? 0);
    const text = intended?.get(uids[index] ?? 0)?.flags ?? shared();
    const set = setOf.get(text) ?? setOf.size;
    setOf.set(text, set);
    return set;
  });
  return {
    uids,
    targetUids: pickNumbers(target.uids, pairs.target),
    sizes: Float64Array.from(pairs.source, (row) => source.sizes[row] ?? 0),
    digests: source.digests === null ? null : pickDigests(source.digests, pairs.source),
    flags,
    flagSets: [...setOf.keys()],
  };
}

/** The flags a message has on both sides, by its flag sets: only those count as applied to a copy that somebody else made. */
function flagsOfBoth(source: FolderContents, target: FolderContents): (atSource: number, atTarget: number) => string {
  const known = new Map<number, string>();
  return (atSource, atTarget) => {
    const key = atSource * target.flagSets.length + atTarget;
    let shared = known.get(key);
    if (shared === undefined) {
      const others = new Set(target.flagSets[atTarget]?.split(' '));
      const flags = source.flagSets[atSource]?.split(' ') ?? [];
      shared = flags.filter((flag) => others.has(flag)).join(' ');
      known.set(key, shared);
    }
    return shared;
  };
}
