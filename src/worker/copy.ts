import type { Side } from '../job.ts';
import type { IntendedMessages } from '../plan/message-facts.ts';
import { packBatches } from '../plan/shard.ts';
import type { BatchLimits, Shard } from '../plan/types.ts';
import { CommandError, ImapError, internalDateToEpochMs } from '../protocol/index.ts';
import { AppendRefusals, FolderRefusesError, mayBeRepeated } from './append-refusal.ts';
import { Batch } from './batch.ts';
import type { Budget } from './budget.ts';
import type { BatchReport, PushedBack } from './contract.ts';
import type { Fetched, Message, ReadableFolder, RefusedWords, WritableFolder } from './endpoint.ts';
import { pushedBackBy } from './failure.ts';
import { StreamedAppend } from './streamed-append.ts';
import { subjectOf } from './subject.ts';

/** One FETCH and one MULTIAPPEND: large enough that the command costs nothing, small enough to repeat. */
export const batchLimits: BatchLimits = { maxMessages: 100, maxBytes: 4 * 1024 * 1024 };

/** Where each message is a command of its own: few enough that what was done can be told often. */
const singleMessages = 20;

/** A batch holds no more than so many of the smallest messages that may be streamed. */
const oversizePerBatch = 4;

/** What a message costs in memory besides its bytes. */
const messageOverheadBytes = 1024;

/** What a message on its way through a lane holds, however big it is. */
const streamBytes = 2 * 1024 * 1024;
/** More appends than there will ever be: nobody else has one under way. */
const allAppends = 2 ** 40;

/** This many refusals, and nothing stored before: halving batches is no use, each message is tried once, alone. */
const hopelessRefusals = 100;

/** What the copy of a folder needs from its lane. */
export interface CopyPort {
  /** The next slice to copy, `null` at the end. */
  nextShard(): Promise<Shard | null>;
  /** Makes it durable that these batches are about to be appended; false: it is not, and they must not be sent. */
  intend(batches: readonly IntendedMessages[]): Promise<boolean>;
  /** Takes the final word on a batch's messages. */
  report(report: BatchReport): void;
  /** The same error, named as the source's. */
  sourceError(error: unknown): Error;
  /** Creates the target folder once more after TRYCREATE; false: it cannot be had. */
  recreateTarget(): Promise<boolean>;
  /** Resolves when the messages of that side may be asked for, or handed over: nobody holds it. */
  passed(side: Side): Promise<void>;
  /** The same command, pushed back `tries` times before, may be given once more; false: it may not, the lane is ending. */
  pushedBack(side: Side, pushedBack: PushedBack, tries: number): Promise<boolean>;
  /** Compares a stored message's date with the one sent, once in a job. */
  readonly dateCheck: DateCheck;
  /** A batch of so many bytes has been dealt with by the target. */
  stored(bytes: number): void;
  /** So many bytes have been asked for at the source, as it announced them. */
  asked(bytes: number): void;
  /** True: take no new work, finish what is in flight. */
  isDraining(): boolean;
  readonly batchLimits: BatchLimits;
  /** The journal is to know of a stored message what its copy may not hold. */
  readonly keepsManifest: boolean;
  /** Resolves when so many messages may be sent. */
  rest(messages: number): Promise<void>;
  /** Messages from this size on, as the source announces it, are streamed where they are alone in their batch. */
  oversizeBytes(): number;
}

/** What the copies of one lane share. */
export interface CopyBudgets {
  /** Bytes of messages fetched or asked for, and not yet answered by the target. */
  readonly bytes: Budget;
  /** Batches fetched or being fetched, and not yet sent. */
  readonly ahead: Budget;
  /** Batches sent and not yet answered. */
  readonly appends: Budget;
}

/**
 * Copies one folder's shards: fetches batches ahead while earlier ones are being appended, in order. `ask` resolves when
 * everything has been asked for at the source, `sent` when it has been handed to the target, `finished` when the last
 * answer is in.
 */
export class FolderCopy {
  readonly #reader: ReadableFolder;
  readonly #writer: WritableFolder;
  readonly #port: CopyPort;
  readonly #copiedBefore: number;
  readonly #bytes: Budget;
  readonly #appends: Budget;
  readonly #ahead: Budget;
  #sending = Promise.resolve();
  readonly #unanswered = new Set<Promise<void>>();
  /** Fetched, and not yet known to anybody else. */
  readonly #unintended: Batch[] = [];
  /** Which batches are, or will be, known to the journal. */
  readonly #intended = new WeakMap<Batch, Promise<boolean>>();
  /** Stored with a UID above all before: a server that keeps one copy of equal messages (Gmail) tells one UID twice. */
  #placed = 0;
  #highestTargetUid: number;
  #failure: { readonly error: unknown } | null = null;
  #inDoubt = false;
  #cutShort = false;
  #stored = 0;
  #storedWithoutUid = 0;
  #refused = 0;

  constructor(
    reader: ReadableFolder,
    writer: WritableFolder,
    port: CopyPort,
    budgets: CopyBudgets,
    copiedBefore: number,
  ) {
    this.#copiedBefore = copiedBefore;
    this.#reader = reader;
    this.#writer = writer;
    this.#port = port;
    this.#bytes = budgets.bytes;
    this.#ahead = budgets.ahead;
    this.#appends = budgets.appends;
    this.#highestTargetUid = (writer.facts.uidNext ?? 1) - 1;
  }

  /** True: messages were under way whose outcome nobody knows. */
  get inDoubt(): boolean {
    return this.#inDoubt;
  }

  /** True: not everything there was to copy has been sent, because the lane is ending. */
  get cutShort(): boolean {
    return this.#cutShort;
  }

  /** Ends the copy: nothing new is fetched or sent, and `finished` throws `error`. */
  abort(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Asks for every shard. Resolves when the last batch has been asked for, and never throws. */
  async ask(): Promise<void> {
    while (!this.#ends()) {
      const shard = await this.#port.nextShard();
      if (shard === null) {
        this.#ends();
        break;
      }
      const oversizeBytes = this.#port.oversizeBytes();
      const { maxMessages, maxBytes } = this.#port.batchLimits;
      const limits = {
        maxMessages: this.#writer.atomic ? maxMessages : Math.min(maxMessages, singleMessages),
        maxBytes: Math.min(maxBytes, oversizePerBatch * oversizeBytes),
      };
      for (const { start, end } of packBatches(shard.sizes, limits)) {
        const wholeBytes = sum(shard.sizes, start, end) + (end - start) * messageOverheadBytes;
        const isOversize = end === start + 1 && (shard.sizes[start] ?? 0) >= oversizeBytes;
        const bytes = isOversize ? Math.min(streamBytes, wholeBytes) : wholeBytes;
        await this.#ahead.acquire(1);
        await this.#bytes.acquire(bytes);
        if (this.#ends()) {
          this.#ahead.release(1);
          this.#bytes.release(bytes);
          break;
        }
        // Fetching starts now; sending waits for the batch before, so that order is kept.
        const uids = shard.uids.subarray(start, end);
        const fetched = isOversize ? this.#describe(uids, bytes) : this.#fetch(uids, bytes);
        this.#sending = this.#sending.then(() => this.#send(fetched));
        this.#port.asked(wholeBytes);
      }
    }
  }

  /** Resolves when everything that was asked for is with the target: the source folder is not needed any more. Never throws. */
  async sent(): Promise<void> {
    await this.#sending;
  }

  /** True: nothing more is to be begun, although there may be more to copy. */
  #ends(): boolean {
    const ends = this.#failure !== null || this.#port.isDraining();
    this.#cutShort ||= ends;
    return ends;
  }

  /** Fetches a batch; what the server sends beyond the sizes it announced is charged as well. */
  async #fetch(uids: Uint32Array, announcedBytes: number): Promise<FetchedBatch> {
    try {
      const items = await this.#patiently((tries) => this.#reader.fetch(uids, tries));
      if (items === null) return nothing(announcedBytes);
      let bytes = uids.length * messageOverheadBytes;
      for (const item of items) if (item.kind === 'message') bytes += item.message.body.size;
      const extraBytes = Math.max(0, bytes - announcedBytes);
      this.#bytes.take(extraBytes);
      return { batch: this.#toIntend(new Batch(items)), heldBytes: announcedBytes + extraBytes, streams: false };
    } catch (error) {
      return this.#unfetched(error, announcedBytes);
    }
  }

  /** Fetches all there is to know of a message that is to be streamed. */
  async #describe(uids: Uint32Array, heldBytes: number): Promise<FetchedBatch> {
    try {
      const items = await this.#patiently((tries) => this.#reader.describe(uids, tries));
      if (items === null) return nothing(heldBytes);
      return { batch: this.#toIntend(new Batch(items, { bodiless: true })), heldBytes, streams: true };
    } catch (error) {
      return this.#unfetched(error, heldBytes);
    }
  }

  #toIntend(batch: Batch): Batch {
    this.#unintended.push(batch);
    return batch;
  }

  #unfetched(error: unknown, heldBytes: number): FetchedBatch {
    this.abort(this.#port.sourceError(error));
    return nothing(heldBytes);
  }

  /** Asks for messages as often as the source pushes back; `null`: the lane is ending. */
  async #patiently(ask: (tries: number) => Promise<Fetched[]>): Promise<Fetched[] | null> {
    for (let tries = 0; ; tries++) {
      await this.#port.passed('source');
      if (this.#ends()) return null;
      try {
        return await ask(tries);
      } catch (error) {
        const pushedBack = error instanceof CommandError ? pushedBackBy(error, 'fetch') : null;
        if (pushedBack === null || !mayBeRepeated(pushedBack)) throw error;
        if (!(await this.#port.pushedBack('source', pushedBack, tries))) {
          this.#cutShort = true;
          return null;
        }
      }
    }
  }

  /** Makes the batch's intent durable, and with it those of the batches behind it that are there already. */
  #intend(batch: Batch): Promise<boolean> {
    const known = this.#intended.get(batch);
    if (known !== undefined) return known;
    const batches = this.#unintended.splice(0);
    const durable = this.#port.intend(batches.map(({ facts }) => facts));
    for (const each of batches) this.#intended.set(each, durable);
    return durable;
  }

  /**
   * Resolves when every append is answered and reported.
   * @throws what ended the copy; FolderRefusesError when the target holds less than it was given
   */
  async finished(): Promise<void> {
    await this.#sending;
    // A server that says OK and keeps nothing has been seen: it is asked how many it holds. Where it answers in order, it has
    // stored everything by then.
    const early = this.#unanswered.size > 0 && this.#writer.pipelines ? this.#writer.count().catch(() => null) : null;
    while (this.#unanswered.size > 0) await Promise.all(this.#unanswered);
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#stored === 0) return;
    const expected = this.#writer.facts.exists + this.#placed + this.#storedWithoutUid;
    const isThere = (count: number | null) => count !== null && count >= expected;
    if (isThere(await early)) return;
    const count = await this.#writer.count();
    if (count !== null && !isThere(count)) {
      const message = `the target said OK to every message, but holds ${count} where there should be at least ${expected}; unless somebody deleted some meanwhile they are lost: run verify`;
      throw new FolderRefusesError('COUNT', message);
    }
  }

  /** Hands one fetched batch to the target; resolves when the next may follow. */
  async #send(fetching: Promise<FetchedBatch>): Promise<void> {
    const { batch, heldBytes, streams } = await fetching;
    // The intent is durable before the first byte leaves; it is written while the batch before is being uploaded.
    const mayBeSent = !this.#ends() && (await this.#intend(batch));
    await this.#port.rest(batch.messages.length);
    this.#cutShort ||= !mayBeSent;
    const [message] = batch.messages;
    const stream = streams && mayBeSent && message !== undefined ? this.#openStream(batch, message) : null;
    // A stream that breaks takes the target's connection with it: nothing else may be unanswered there.
    const appends = stream === null ? 1 : allAppends;
    await this.#appends.acquire(appends);
    this.#ahead.release(1);
    const storing = stream === null ? this.#store(batch, { mayBeSent }) : this.#storeStream(batch, stream);
    const stored = storing.finally(() => {
      this.#port.stored(stream === null ? heldBytes : (batch.facts.sizes[0] ?? 0));
      this.#appends.release(appends);
      this.#bytes.release(heldBytes);
    });
    const answered: Promise<void> = stored
      .then(() => this.#port.dateCheck.look(this.#writer, batch))
      .catch((error: unknown) => this.abort(error))
      .finally(() => this.#unanswered.delete(answered));
    this.#unanswered.add(answered);
    await stream?.read;
    for (const uid of batch.oversize) {
      await this.#ahead.acquire(1);
      this.#bytes.take(streamBytes);
      await this.#send(this.#describe(Uint32Array.of(uid), streamBytes));
    }
  }

  #openStream(batch: Batch, message: Message): StreamedAppend {
    return new StreamedAppend(this.#reader, this.#writer, this.#port, batch, message);
  }

  async #store(batch: Batch, { mayBeSent }: { readonly mayBeSent: boolean }): Promise<void> {
    const isHopeless = this.#stored === 0 && this.#refused >= hopelessRefusals;
    const append = new BatchAppend(this.#writer, this.#port, batch, {
      singly: isHopeless,
      mayCreate: this.#mayCreate,
    });
    const rows = [...batch.messages.keys()];
    try {
      await this.#port.passed('target');
      if (!mayBeSent || this.#ends()) append.giveUp(rows);
      else if (rows.length > 0) await append.append(rows, 0);
    } finally {
      this.#inDoubt ||= append.inDoubt;
      this.#cutShort ||= append.cutShort;
      this.#tell(batch);
    }
  }

  async #storeStream(batch: Batch, stream: StreamedAppend): Promise<void> {
    const refusals = new AppendRefusals(this.#port.pushedBack);
    let mayCreate = this.#mayCreate;
    try {
      await this.#port.passed('target');
      if (this.#ends()) {
        stream.giveUp();
        return;
      }
      for (let attempt = 0; ; attempt++) {
        const refusal = await stream.append(attempt);
        if (refusal === null) return;
        const creates = refusal.responseCode === 'TRYCREATE' && mayCreate;
        mayCreate = false;
        if (!(creates && (await this.#port.recreateTarget()))) {
          const course = await refusals.course(refusal).catch((error: unknown) => {
            batch.leave(0);
            throw error;
          });
          if (course === 'refused') return await stream.refuse(refusal);
          if (course === 'leave') {
            batch.leave(0);
            this.#cutShort = true;
            return;
          }
        }
        stream.again();
      }
    } finally {
      this.#inDoubt ||= stream.inDoubt;
      this.#tell(batch);
    }
  }

  get #mayCreate(): boolean {
    return this.#stored === 0 && this.#copiedBefore === 0;
  }

  /** Reports what is known of a batch: what was answered is true whatever ended the rest. */
  #tell(batch: Batch): void {
    if (!batch.hasNews) return;
    const { keepsManifest } = this.#port;
    const report = batch.report((flags) => this.#writer.splitFlags(flags).lost, { keepsDates: keepsManifest });
    this.#port.report(report);
    this.#notice(report);
  }

  #notice({ stored, refused, unsent }: BatchReport): void {
    // What was refused with others may have been about to be sent again.
    this.#cutShort ||= unsent.length > 0;
    for (const uid of stored.targetUids) {
      if (uid === 0) this.#storedWithoutUid++;
      else if (uid > this.#highestTargetUid) {
        this.#highestTargetUid = uid;
        this.#placed++;
      }
    }
    this.#stored += stored.uids.length;
    for (const { code } of refused) if (code !== 'UNREADABLE') this.#refused++;
  }
}

interface FetchedBatch {
  readonly batch: Batch;
  /** What it holds of the lane's byte budget. */
  readonly heldBytes: number;
  /** Its one message has no body yet, and gets none here: it is streamed. */
  readonly streams: boolean;
}

/** Nothing was fetched. */
function nothing(heldBytes: number): FetchedBatch {
  return { batch: new Batch([]), heldBytes, streams: false };
}

/** One batch on its way: sent whole, and after a refusal in halves down to the culprit. */
class BatchAppend {
  readonly #writer: WritableFolder;
  readonly #port: CopyPort;
  readonly #batch: Batch;
  readonly #options: { readonly singly: boolean; readonly mayCreate: boolean };
  #recreated = false;
  /** True: some of it was put off, and the lane is ending. */
  cutShort = false;
  readonly #refusals: AppendRefusals;
  /** True: the connection was lost after the server may have stored something. */
  inDoubt = false;

  constructor(
    writer: WritableFolder,
    port: CopyPort,
    batch: Batch,
    options: { readonly singly: boolean; readonly mayCreate: boolean },
  ) {
    this.#writer = writer;
    this.#port = port;
    this.#batch = batch;
    this.#options = options;
    this.#refusals = new AppendRefusals(port.pushedBack);
  }

  /** These rows will not be sent after all. */
  giveUp(rows: readonly number[]): void {
    for (const row of rows) this.#batch.leave(row);
  }

  /** Sends rows of the batch; answers how many were stored. @throws what ends the folder, the account or the connection */
  async append(rows: readonly number[], attempt: number): Promise<number> {
    const batch = this.#batch;
    const { singly } = this.#options;
    const messages = rows.flatMap((row) => batch.messages[row] ?? []);
    const answers = await this.#writer.append(messages, { singly, shouldStop: () => this.#port.isDraining() });
    const refused: { row: number; words: RefusedWords }[] = [];
    const lost: unknown[] = [];
    let stored = 0;
    for (const [index, row] of rows.entries()) {
      const answer = answers[index];
      if (answer?.kind === 'stored') {
        stored++;
        batch.store(row, answer.uid, attempt);
      } else if (answer?.kind === 'refused') refused.push({ row, words: answer });
      else if (answer?.kind === 'unknown') lost.push(answer.error);
      else batch.leave(row);
    }
    if (lost.length > 0) {
      this.inDoubt ||= lost.some((error) => !(error instanceof ImapError) || error.outcomeUnknown);
      throw lost[0];
    }
    const [first] = refused;
    if (first === undefined) return stored;
    const again = refused.map(({ row }) => row);
    const course = await this.#refusals.course(first.words).catch((error: unknown) => {
      this.giveUp(again);
      throw error;
    });
    if (course === 'again') return stored + (await this.append(again, attempt + 1));
    if (course === 'leave') {
      this.giveUp(again);
      this.cutShort = true;
      return stored;
    }
    if (first.words.responseCode === 'TRYCREATE' && this.#options.mayCreate && !this.#recreated) {
      this.#recreated = true;
      if (await this.#port.recreateTarget()) return stored + (await this.append(again, attempt + 1));
    }
    if (rows.length > 1 && this.#writer.atomic && !singly) return stored + (await this.#halve(again, attempt + 1));
    for (const { row, words } of refused) await this.#refuse(row, words);
    return stored;
  }

  /** A batch refused as a whole: one of them is the culprit, or none where the server does not take batches after all. */
  async #halve(rows: readonly number[], attempt: number): Promise<number> {
    if (this.#port.isDraining()) {
      this.giveUp(rows);
      return 0;
    }
    const middle = rows.length >> 1;
    const first = this.append(rows.slice(0, middle), attempt);
    const halves = [this.#writer.pipelines ? first : await first, this.append(rows.slice(middle), attempt)];
    const [left, right] = await Promise.allSettled(halves);
    if (left?.status === 'rejected') throw left.reason;
    if (right?.status === 'rejected') throw right.reason;
    const stored = (left?.value ?? 0) + (right?.value ?? 0);
    if (rows.length === 2 && stored === 2) this.#writer.distrustBatches();
    return stored;
  }

  async #refuse(row: number, { code, responseCode, text }: RefusedWords): Promise<void> {
    const message = this.#batch.messages[row];
    const subject = message === undefined ? null : await subjectOf(message.body);
    this.#batch.refuse(row, { code: responseCode ?? code, text, subject });
  }
}

/** A date older than this cannot be mistaken for the moment of arrival. */
const tellingAgeMs = 48 * 3600_000;

/** Notices a target that ignores the date sent with APPEND. One look in a job is enough: other lanes have looked already. */
export class DateCheck {
  readonly #warn: (message: string) => void;
  readonly #wallClockMs: () => number;
  #looked: boolean;

  constructor(wallClockMs: () => number, options: { readonly looked: boolean; warn(message: string): void }) {
    this.#wallClockMs = wallClockMs;
    this.#looked = options.looked;
    this.#warn = options.warn;
  }

  async look(writer: WritableFolder, { lastStored }: Pick<Batch, 'lastStored'>): Promise<void> {
    if (this.#looked || lastStored === null) return;
    const { message, targetUid } = lastStored;
    const sent = message.internalDate === null ? null : internalDateToEpochMs(message.internalDate);
    const now = this.#wallClockMs();
    if (sent === null || now - sent < tellingAgeMs) return;
    this.#looked = true;
    const kept = await writer.internalDateOf(targetUid);
    const keptMs = kept === null ? null : internalDateToEpochMs(kept);
    if (keptMs === null) this.#looked = false;
    else if (keptMs !== sent && now - keptMs < tellingAgeMs) {
      this.#warn('the target does not keep the dates it is given: messages get the time of their arrival');
    }
  }
}

function sum(sizes: Uint32Array, start: number, end: number): number {
  let total = 0;
  for (let row = start; row < end; row++) total += sizes[row] ?? 0;
  return total;
}
