import type { WireError } from './errors.ts';
import type { FolderReport, Refusal } from './job.ts';
import {
  type FolderAttributes,
  type JournalFolder,
  type JournalMessages,
  type VerdictColumns,
  verdictKinds,
} from './journal/index.ts';
import type { LaneDriver } from './lanes.ts';
import { pickNumbers } from './plan/message-facts.ts';
import { sumOf } from './plan/message-table.ts';
import { selectFitting, selectMissing } from './plan/select.ts';
import { cutShards } from './plan/shard.ts';
import type { BatchLimits, FolderChange, FolderPair, Shard, Traits } from './plan/types.ts';
import type { BatchReport, FolderTask, ListedBefore } from './worker/contract.ts';

/** One lane reads the folder: shards only pace the conversation with it. */
const ownedShard: BatchLimits = { maxMessages: 2_000, maxBytes: 64 * 1024 * 1024 };
/** Several lanes share it: small enough to be spread evenly. */
const sharedShard: BatchLimits = { maxMessages: 200, maxBytes: 8 * 1024 * 1024 };

/** Of a message, where the source tells no sizes. */
const usualMessageBytes = 16 * 1024;

/** What the journal knows of a folder that is new to it. */
export const noMessages: JournalMessages = {
  uids: new Uint32Array(),
  targetUids: new Uint32Array(),
  verdicts: new Uint8Array(),
  flags: new Uint32Array(),
  flagSets: [],
};

/** What listing a window came to. */
export interface Selected {
  readonly messages: number;
  readonly bytes: number;
  readonly alreadyThere: number;
  readonly refused: readonly Refusal[];
}

/** One folder of a running job, as the main thread sees it. */
export class FolderRun {
  readonly id: number;
  readonly pair: FolderPair;
  readonly shared: boolean;
  readonly maxMessageBytes: number | null;
  /** What happened since it was last copied to its end. */
  change: FolderChange = 'messages';
  /** As it was when it was last copied to its end; `null`: it never was, or is not to be relied on. */
  listedBefore: ListedBefore | null = null;
  /** Bytes of the messages that were listed. */
  listedBytes = 0;
  /** Messages whose flags this run changed at the target. */
  flagsChanged = 0;
  /** Messages deleted at the target, since the source has them no more. */
  deleted = 0;
  /** To be subscribed at the target. */
  subscribe = false;
  /** The target folder was made by this run. */
  created = false;
  /** Lanes that have opened it. */
  readonly openedBy = new Set<LaneDriver>();
  /** It stopped only because a server pushed back. */
  isPutOff = false;
  /** How often it was begun again after a lost connection. */
  attempts = 0;
  /** Some of it may have been listed and counted before. */
  wasBegun = false;
  /** The target has stored a part of a batch: messages go one by one. */
  singly = false;
  /** Its report is out. */
  finished = false;
  /** Resolves when the journal has opened the folder; `null`: nobody has opened it yet. */
  ready: Promise<void> | null = null;
  /** Lower bound of the UIDs that the next messages will get at the target. */
  fence: number | null = null;
  /** Set when the folder is opened. */
  journal: JournalFolder | null = null;
  failure: WireError | null = null;
  /** Lanes working on it, and lanes that are going to. */
  lanes = 0;
  listed = false;
  startedAt: number | null = null;
  readonly notes: string[] = [];
  readonly #delimiter: string | null;
  readonly #queue: Shard[] = [];
  readonly #waiting: LaneDriver[] = [];
  #known: JournalMessages = noMessages;
  /** UIDs the source listed, while some are known: who is missing is gone. */
  readonly #listedUids: Uint32Array[] = [];
  #unclear: ReadonlySet<number> = new Set();
  #stopped = false;
  /** Lanes that were lost while they worked on it: it is begun again when no lane does any more, and these have ended. */
  readonly #lostLanes: Promise<unknown>[] = [];
  #outstanding = 0;
  #copied = 0;
  #copiedBefore = 0;
  #unsent = 0;
  /** Of this run, before it was begun again: listed as known the next time. */
  #doneBefore = 0;
  #alreadyThere = 0;
  #gone = 0;
  #bytes = 0;
  #resent = 0;
  readonly #refused: Refusal[] = [];
  readonly #lostFlags: Record<string, number> = {};

  constructor(id: number, pair: FolderPair, options: { readonly shared: boolean; readonly target: Traits }) {
    this.id = id;
    this.pair = pair;
    this.shared = options.shared;
    this.maxMessageBytes = options.target.maxMessageBytes;
    this.#delimiter = options.target.delimiter;
  }

  /** True where `parent`'s target is above this one's. */
  isBelow(parent: FolderRun): boolean {
    return this.#delimiter !== null && this.pair.targetName.startsWith(parent.pair.targetName + this.#delimiter);
  }

  get name(): string {
    return this.pair.source.name;
  }

  /** Of the source folder, for the journal. */
  get attributes(): FolderAttributes {
    const { specialUse, subscribed, delimiter } = this.pair.source;
    return { specialUse, subscribed, sourceDelimiter: delimiter };
  }

  /** `keepsUids`: see the task. */
  task(scan: boolean, keepsUids = false): FolderTask {
    const { source, target, targetName } = this.pair;
    return {
      folderId: this.id,
      sourceRawName: source.rawName,
      targetName: target === null ? { unicode: targetName } : { raw: target.rawName },
      scan,
      listedBefore: this.listedBefore,
      expected: this.#expected(),
      shared: this.shared,
      keepsUids,
      copiedBefore: this.#copiedBefore,
      singly: this.singly,
    };
  }

  /** What its messages take, in bytes as far as the source tells, else as if each had a usual size. */
  get expectedBytes(): number {
    const { status } = this.pair.source;
    return status?.size ?? (status?.messages ?? 0) * usualMessageBytes;
  }

  #expected(): FolderTask['expected'] {
    const { status } = this.pair.source;
    if (status === null) return null;
    const messages = Math.max(0, status.messages - (this.listedBefore?.messages ?? 0));
    const meanBytes = this.expectedBytes / Math.max(1, status.messages);
    return { messages, bytes: messages * meanBytes };
  }

  /** The target's next UID is that or a higher one. */
  raiseFence(uid: number): void {
    if (this.fence !== null) this.fence = Math.max(this.fence, uid);
  }

  opened(journal: JournalFolder, known: JournalMessages): void {
    this.journal = journal;
    this.fence = journal.fence;
    this.#copiedBefore = journal.messages;
    this.#known = known;
  }

  /** Messages that may be at the target already, by UID at the source: they are not copied. */
  leaveOut(unclear: Uint32Array): void {
    this.#unclear = new Set(unclear);
  }

  get hasUnclear(): boolean {
    return this.#unclear.size > 0;
  }

  /** Takes a window of listed messages: what is new is queued, what is known or too big is counted. */
  select(uids: Uint32Array, sizes: Uint32Array): Selected {
    const missing = selectMissing(uids, this.#known.uids);
    if (this.#known.uids.length > 0) this.#listedUids.push(uids);
    const isUnclear = (row: number) => this.#unclear.has(uids[row] ?? 0);
    const clear = this.#unclear.size === 0 ? missing : missing.filter((row) => !isUnclear(row));
    const { fitting, tooBig } = selectFitting(clear, sizes, this.maxMessageBytes);
    const pick = (column: Uint32Array) => Uint32Array.from(fitting, (row) => column[row] ?? 0);
    const refusals = Array.from(tooBig, (row): Refusal => {
      const bytes = sizes[row] ?? 0;
      const message = `${bytes} bytes; the target takes messages of at most ${this.maxMessageBytes} bytes (APPENDLIMIT)`;
      return { folder: this.name, uid: uids[row] ?? 0, bytes, code: 'TOO_BIG', subject: null, message };
    });
    for (const row of clear.length === missing.length ? [] : missing.filter(isUnclear)) {
      const message =
        'something that looks like it could not be read: it may be at the target already, and is not copied before that is known; run again';
      const bytes = sizes[row] ?? 0;
      refusals.push({ folder: this.name, uid: uids[row] ?? 0, bytes, code: 'UNCLEAR', subject: null, message });
    }
    const shards = cutShards(this.id, pick(uids), pick(sizes), this.shared ? sharedShard : ownedShard);
    const alreadyThere = uids.length - missing.length;
    this.#alreadyThere += alreadyThere;
    this.#refused.push(...refusals);
    this.#outstanding += fitting.length;
    this.#queue.push(...shards);
    this.#serve();
    return {
      messages: fitting.length,
      bytes: shards.reduce((sum, shard) => sum + shard.totalBytes, 0),
      alreadyThere,
      refused: refusals,
    };
  }

  /** Messages copied before that the source, as listed to its end, does not hold any more: what the journal is to know. */
  expunged(): VerdictColumns {
    const { uids, targetUids, verdicts } = this.#known;
    const listed = new Uint32Array(this.#listedUids.reduce((sum, window) => sum + window.length, 0));
    let at = 0;
    for (const window of this.#listedUids.splice(0)) {
      listed.set(window, at);
      at += window.length;
    }
    const isNews = (row: number) => verdictKinds[verdicts[row] ?? 0] !== 'gone';
    const gone = selectMissing(uids, listed.sort()).filter(isNews);
    if (gone.length > 0)
      this.notes.push(`${gone.length} messages are gone from the source since they were copied: the target keeps them`);
    return goneMessages(pickNumbers(uids, gone), pickNumbers(targetUids, gone));
  }

  /** So many messages that are known were not listed again. */
  takeUnchanged(messages: number): void {
    this.#alreadyThere += messages;
  }

  /** The list is complete: lanes that wait for more are let go. */
  endOfList(): void {
    this.listed = true;
    this.#serve();
  }

  /** Shards nobody works on yet. */
  get queued(): number {
    return this.#queue.length;
  }

  /** A lane asks for its next shard. */
  want(lane: LaneDriver): void {
    this.#waiting.push(lane);
    this.#serve();
  }

  /** Nothing more is given out; lanes that wait are let go. */
  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
    this.listed = true;
    this.#serve();
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const shard = this.#queue.shift() ?? null;
      // A list whose lane is lost does not go on.
      if (shard === null && !this.listed && !this.isToBeginAgain) return;
      this.#waiting.shift()?.post({ kind: 'shard', folderId: this.id, shard });
    }
  }

  /** Takes the final words on a batch; answers the refusals among them, and the bytes that were stored. */
  answered(report: BatchReport): { readonly refusals: readonly Refusal[]; readonly bytes: number } {
    const { stored, refused, gone, unsent } = report;
    const refusals = refused.map(({ uid, bytes, code, text, subject }): Refusal => {
      return { folder: this.name, uid, bytes, code, subject, message: text };
    });
    const bytes = sumOf(stored.sizes);
    this.#outstanding -= stored.uids.length + refused.length + gone.length + unsent.length;
    this.#copied += stored.uids.length;
    this.#bytes += bytes;
    this.#gone += gone.length;
    this.#unsent += unsent.length;
    this.#resent += report.resent;
    for (const [flag, messages] of Object.entries(report.lostFlags)) {
      this.#lostFlags[flag] = (this.#lostFlags[flag] ?? 0) + messages;
    }
    this.#refused.push(...refusals);
    return { refusals, bytes };
  }

  /** Something of the folder could not be done; the rest goes on. */
  refuse({ code, message }: WireError): void {
    this.#refused.push({ folder: this.name, uid: null, bytes: null, code, subject: null, message });
  }

  /** The folder as a whole failed. The first reason stands. */
  fail(failure: WireError): void {
    this.failure ??= failure;
    this.stop();
  }

  /** True when every message was listed and has its final word, and none was refused. */
  get complete(): boolean {
    return (
      this.failure === null &&
      !this.#stopped &&
      this.listed &&
      this.#outstanding === 0 &&
      this.#unsent === 0 &&
      this.#refused.length === 0
    );
  }

  /** True when something was not listed or has no final word, and no failure says why. */
  get isUnfinished(): boolean {
    return this.failure === null && (!this.listed || this.#outstanding > 0 || this.#unsent > 0);
  }

  report(now: number): FolderReport {
    const failed: Refusal[] =
      this.failure === null
        ? []
        : [
            {
              folder: this.name,
              uid: null,
              bytes: null,
              code: this.failure.code,
              subject: null,
              message: this.failure.message,
            },
          ];
    return {
      source: this.name,
      target: this.pair.targetName,
      copied: this.#copied,
      alreadyThere: Math.max(0, this.#alreadyThere - this.#doneBefore),
      gone: this.#gone,
      flagsChanged: this.flagsChanged,
      deleted: this.deleted,
      refused: [...failed, ...this.#refused],
      bytes: this.#bytes,
      seconds: this.startedAt === null ? 0 : Math.round(now - this.startedAt) / 1000,
      resent: this.#resent,
      lostFlags: this.#lostFlags,
      notes: this.isUntouched ? [...this.notes, 'not begun'] : this.notes,
    };
  }

  /** A folder nothing had to be done for. */
  skip(alreadyThere: number): void {
    this.#alreadyThere = alreadyThere;
    this.listed = true;
  }

  /** The job ended before its turn came. */
  get isUntouched(): boolean {
    return this.startedAt === null && this.failure === null && !this.finished;
  }

  /** A lane was lost that worked on it; `ended` resolves when it has ended. Others finish what is queued and leave. */
  beginAgainAfter(ended: Promise<unknown>): void {
    this.#lostLanes.push(ended);
    this.#serve();
  }

  get isToBeginAgain(): boolean {
    return this.#lostLanes.length > 0;
  }

  async lostLanesEnded(): Promise<void> {
    await Promise.all(this.#lostLanes);
  }

  /** Begins again after a lost connection that left nothing in doubt: what was answered stays, the rest is listed anew. */
  begin({ counts }: { readonly counts: boolean }): void {
    this.#queue.length = 0;
    this.#waiting.length = 0;
    this.openedBy.clear();
    this.#outstanding = 0;
    this.#unsent = 0;
    this.#refused.length = 0;
    this.#listedUids.length = 0;
    this.#doneBefore = this.#copied + this.#gone;
    this.#alreadyThere = 0;
    this.listed = false;
    this.listedBefore = null;
    this.listedBytes = 0;
    this.#lostLanes.length = 0;
    this.isPutOff = false;
    this.wasBegun ||= this.startedAt !== null;
    if (counts) this.attempts++;
  }
}

/**
 * True where a target folder still is the one the journal speaks of. Without UIDPLUS no target UID was recorded, and such
 * servers (mailutils imap4d 3.15) may invent a UIDVALIDITY at every look: what they hold must then be as much as it was.
 */
export function isSameTarget(
  known: JournalFolder,
  now: { readonly uidValidity: number | null; readonly messages: number },
  reportsUids: boolean,
): boolean {
  if (known.targetUidValidity === now.uidValidity) return true;
  return !reportsUids && now.messages >= known.messages;
}

/** Messages that the source has no more, as a verdict tells of them; `targetUids` are 0 where they are at no place known. */
export function goneMessages(uids: Uint32Array, targetUids: Uint32Array): VerdictColumns {
  const flags = new Uint32Array(uids.length);
  return { uids, targetUids, sizes: null, digests: null, flags, flagSets: [''], internalDates: null };
}
