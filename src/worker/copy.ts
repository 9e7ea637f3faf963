import { packBatches } from '../plan/shard.ts';
import type { BatchLimits, Shard } from '../plan/types.ts';
import { internalDateToEpochMs } from '../protocol/index.ts';
import type { Budget } from './budget.ts';
import type { BatchReport, Outcome } from './contract.ts';
import { digestOf } from './digest.ts';
import type { Fetched, Message, ReadableFolder, RefusedWords, WritableFolder } from './endpoint.ts';
import { isOverQuota } from './failure.ts';
import { subjectOf } from './subject.ts';

/** One FETCH and one MULTIAPPEND: large enough that the command costs nothing, small enough to repeat. */
export const batchLimits: BatchLimits = { maxMessages: 100, maxBytes: 4 * 1024 * 1024 };

/** This many refusals in a row, and nothing stored before: it is the folder that is refused, not the messages. */
const hopelessRefusals = 20;

/** What the copy of a folder needs from its lane. */
export interface CopyPort {
  /** The next slice to copy, `null` at the end. */
  nextShard(): Promise<Shard | null>;
  /** Takes the final word on a batch's messages. */
  report(report: BatchReport): void;
  /** Creates the target folder once more after TRYCREATE; false: it cannot be had. */
  recreateTarget(): Promise<boolean>;
  /** Compares a stored message's date with the one sent, once in a job. */
  readonly dateCheck: DateCheck;
  /** True: take no new work, finish what is in flight. */
  isDraining(): boolean;
}

/** What the copies of one lane share. */
export interface CopyBudgets {
  /** Bytes of messages fetched or asked for, and not yet answered by the target. */
  readonly bytes: Budget;
  /** Batches sent and not yet answered. */
  readonly appends: Budget;
}

/** The target as a whole refuses more: no message of this account can be stored now. */
export class TargetFullError extends Error {
  override readonly name = 'TargetFullError';
  readonly refusal: RefusedWords;
  constructor(refusal: RefusedWords) {
    super(refusal.text);
    this.refusal = refusal;
  }
}

/** The folder as a whole does not take messages, or does not keep them. */
export class FolderRefusesError extends Error {
  override readonly name = 'FolderRefusesError';
  readonly code: 'REFUSES' | 'COUNT';
  constructor(code: 'REFUSES' | 'COUNT', message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Copies one folder's shards: fetches batches ahead while earlier ones are being appended, in order. `read` resolves when
 * everything has been fetched and sent, `finished` when the last answer is in.
 */
export class FolderCopy {
  readonly #reader: ReadableFolder;
  readonly #writer: WritableFolder;
  readonly #port: CopyPort;
  readonly #bytes: Budget;
  readonly #appends: Budget;
  readonly #unanswered = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | null = null;
  #stored = 0;
  #refusedInARow = 0;

  constructor(reader: ReadableFolder, writer: WritableFolder, port: CopyPort, budgets: CopyBudgets) {
    this.#reader = reader;
    this.#writer = writer;
    this.#port = port;
    this.#bytes = budgets.bytes;
    this.#appends = budgets.appends;
  }

  /** Fetches and sends every shard. Resolves when the source folder is not needed any more. @throws what ended the copy */
  async read(): Promise<void> {
    let sent = Promise.resolve();
    for (let shard = await this.#port.nextShard(); shard !== null; shard = await this.#port.nextShard()) {
      for (const { start, end } of packBatches(shard.sizes, batchLimits)) {
        if (this.#failure !== null || this.#port.isDraining()) break;
        const uids = shard.uids.subarray(start, end);
        const bytes = sum(shard.sizes, start, end);
        await this.#bytes.acquire(bytes);
        // Fetching starts now; sending waits for the batch before, so that order is kept.
        const fetched = this.#reader.fetch(uids);
        fetched.catch(() => {});
        sent = sent.then(() => this.#send(fetched, bytes)).catch((error: unknown) => this.#fail(error));
      }
    }
    await sent;
  }

  /**
   * Resolves when every append is answered and reported.
   * @throws what ended the copy; FolderRefusesError when the target holds less than it was given
   */
  async finished(): Promise<void> {
    while (this.#unanswered.size > 0) await Promise.all(this.#unanswered);
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#stored === 0) return;
    // A server that says OK and keeps nothing has been seen: it is asked how many it holds.
    const count = await this.#writer.count();
    const expected = this.#writer.facts.exists + this.#stored;
    if (count !== null && count < expected) {
      const message = `the target said OK to every message, but holds ${count} where there should be at least ${expected}; unless somebody deleted some meanwhile they are lost: run verify, and copy the folder again into an empty one`;
      throw new FolderRefusesError('COUNT', message);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Hands one fetched batch to the target; resolves when the next may follow. */
  async #send(fetching: Promise<Fetched[]>, budgetedBytes: number): Promise<void> {
    let answered: Promise<void> | null = null;
    try {
      const fetched = await fetching;
      await this.#appends.acquire(1);
      answered = (this.#failure === null ? this.#store(fetched) : Promise.resolve())
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          if (answered !== null) this.#unanswered.delete(answered);
          this.#appends.release(1);
          this.#bytes.release(budgetedBytes);
        });
      this.#unanswered.add(answered);
    } finally {
      if (answered === null) this.#bytes.release(budgetedBytes);
    }
  }

  async #store(fetched: readonly Fetched[]): Promise<void> {
    const messages: Message[] = [];
    const outcomes: Outcome[] = [];
    for (const item of fetched) {
      if (item.kind === 'message') messages.push(item.message);
      else if (item.kind === 'gone') outcomes.push({ kind: 'gone', uid: item.uid });
      else
        outcomes.push({ kind: 'refused', uid: item.uid, bytes: 0, code: 'UNREADABLE', text: item.text, subject: null });
    }
    const batch = new BatchAppend(this.#writer, this.#port, outcomes);
    try {
      if (messages.length > 0) await batch.append(messages, 0);
    } finally {
      // What was answered is true whatever ended the rest.
      if (outcomes.length > 0) this.#port.report(batch.report());
    }
    this.#notice(outcomes);
    await this.#port.dateCheck.look(this.#writer, messages, outcomes);
  }

  #notice(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      if (outcome.kind === 'copied') {
        this.#stored++;
        this.#refusedInARow = 0;
      } else if (outcome.kind === 'refused') this.#refusedInARow++;
    }
    const last = outcomes.findLast((outcome) => outcome.kind === 'refused');
    if (this.#stored === 0 && this.#refusedInARow >= hopelessRefusals && last?.kind === 'refused') {
      throw new FolderRefusesError(
        'REFUSES',
        `the target refuses every message of this folder, the last time with: ${last.text}`,
      );
    }
  }
}

/** One batch on its way: sent whole, and after a refusal in halves down to the culprit. */
class BatchAppend {
  readonly #writer: WritableFolder;
  readonly #port: CopyPort;
  readonly #outcomes: Outcome[];
  readonly #lostFlags: Record<string, number> = {};
  #resent = 0;
  #recreated = false;

  constructor(writer: WritableFolder, port: CopyPort, outcomes: Outcome[]) {
    this.#writer = writer;
    this.#port = port;
    this.#outcomes = outcomes;
  }

  report(): BatchReport {
    return { outcomes: this.#outcomes, resent: this.#resent, lostFlags: this.#lostFlags };
  }

  async append(messages: readonly Message[], attempt: number): Promise<void> {
    const answers = await this.#writer.append(messages);
    const refused: { message: Message; words: RefusedWords }[] = [];
    let lost: { readonly error: unknown } | null = null;
    messages.forEach((message, index) => {
      const answer = answers[index];
      if (answer?.kind === 'stored') this.#copied(message, answer.uid, attempt);
      else if (answer?.kind === 'refused') refused.push({ message, words: answer });
      else lost = { error: answer?.error };
    });
    if (lost !== null) throw (lost as { error: unknown }).error;
    const [first] = refused;
    if (first === undefined) return;
    if (isOverQuota(first.words.responseCode)) throw new TargetFullError(first.words);
    const again = refused.map(({ message }) => message);
    if (first.words.responseCode === 'TRYCREATE' && !this.#recreated) {
      this.#recreated = true;
      if (await this.#port.recreateTarget()) return this.append(again, attempt + 1);
    }
    if (messages.length > 1 && this.#writer.atomic) return this.#halve(again, attempt + 1);
    for (const { message, words } of refused) await this.#refused(message, words);
  }

  /** A batch refused as a whole: one of them is the culprit, or none where the server does not take batches after all. */
  async #halve(messages: readonly Message[], attempt: number): Promise<void> {
    const before = this.#outcomes.length;
    const middle = messages.length >> 1;
    await Promise.all([this.append(messages.slice(0, middle), attempt), this.append(messages.slice(middle), attempt)]);
    const answers = this.#outcomes.slice(before);
    if (messages.length === 2 && answers.every((outcome) => outcome.kind === 'copied')) this.#writer.distrustBatches();
  }

  #copied(message: Message, targetUid: number | null, attempt: number): void {
    if (attempt > 0) this.#resent++;
    for (const flag of this.#writer.splitFlags(message.flags).lost) {
      this.#lostFlags[flag] = (this.#lostFlags[flag] ?? 0) + 1;
    }
    const { size: bytes } = message.body;
    this.#outcomes.push({ kind: 'copied', uid: message.uid, targetUid, bytes, digest: digestOf(message.body) });
  }

  async #refused(message: Message, words: RefusedWords): Promise<void> {
    const { size: bytes } = message.body;
    const code = words.responseCode ?? words.code;
    const subject = await subjectOf(message.body);
    this.#outcomes.push({ kind: 'refused', uid: message.uid, bytes, code, text: words.text, subject });
  }
}

/** A date older than this cannot be mistaken for the moment of arrival. */
const tellingAgeMs = 48 * 3600_000;

/** Notices a target that ignores the date sent with APPEND. One look in a lane's life is enough. */
export class DateCheck {
  readonly #warn: (message: string) => void;
  readonly #wallClockMs: () => number;
  #looked = false;

  constructor(wallClockMs: () => number, warn: (message: string) => void) {
    this.#wallClockMs = wallClockMs;
    this.#warn = warn;
  }

  async look(writer: WritableFolder, messages: readonly Message[], outcomes: readonly Outcome[]): Promise<void> {
    if (this.#looked) return;
    const uids = new Map(
      outcomes.flatMap((outcome) => (outcome.kind === 'copied' ? [[outcome.uid, outcome.targetUid]] : [])),
    );
    for (const message of messages) {
      const sent = message.internalDate === null ? null : internalDateToEpochMs(message.internalDate);
      const uid = uids.get(message.uid);
      if (sent === null || uid === undefined || uid === null || this.#wallClockMs() - sent < tellingAgeMs) continue;
      this.#looked = true;
      const kept = await writer.internalDateOf(uid);
      if (kept === null) this.#looked = false;
      else if (internalDateToEpochMs(kept) !== sent) {
        this.#warn(`the target does not keep the date it is given: ${message.internalDate} became ${kept}`);
      }
      return;
    }
  }
}

function sum(sizes: Uint32Array, start: number, end: number): number {
  let total = 0;
  for (let row = start; row < end; row++) total += sizes[row] ?? 0;
  return total;
}
