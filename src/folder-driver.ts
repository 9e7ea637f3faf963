import type { Clock } from './clock.ts';
import { type Crew, failureOf, isPutOff } from './crew.ts';
import { exitCodes, type WireError, wireErrorOf } from './errors.ts';
import { syncFlags } from './flag-sync.ts';
import { type FolderRun, goneMessages, isSameTarget, noMessages } from './folder-run.ts';
import type { FlagPolicy, JobEvent, Side } from './job.ts';
import type { Journal, JournalFolder, JournalRecord } from './journal/index.ts';
import { LaneLoad } from './lane-load.ts';
import { type LaneAdvice, LaneTuner } from './lane-tuner.ts';
import { type LaneDriver, LaneLostError } from './lanes.ts';
import { Ledger } from './ledger.ts';
import type { Patience } from './patience.ts';
import { sumOf } from './plan/message-table.ts';
import type { ProgressMeter } from './progress.ts';
import { recoverFolder, targetStatus } from './recovery.ts';
import { hasVanished } from './vanished.ts';
import type { BatchReport, FolderFacts, FromLane, LaneFailure, PushedBack, SelectedFacts } from './worker/contract.ts';

/** Another lane costs a login on each side; it pays from about this many messages on. */
const messagesPerExtraLane = 200;
/** How often a folder is begun again. */
const maxAttempts = 3;
/** A connection that fell silent says less about the server than one that ended: so many times as long it may still store. */
const stallFactor = 6;
/** Servers that want less say so with every answer: so often it becomes less. */
const slowDownEveryMs = 30_000;
/** Where there is only one lane, it pauses for a third of that time. */
const slowPauseMs = 10_000;

const noFlags = { uids: new Uint32Array(), flags: new Uint32Array(), flagSets: [] };

/** What drives the folders, and whom it tells. */
export interface FolderDriverParts {
  readonly crew: Crew;
  readonly patience: Patience;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly progress: ProgressMeter;
  readonly onEvent: (event: JobEvent) => void;
  readonly onWarning: (message: string) => void;
  /** How long a target must be quiet before a message whose APPEND was not answered counts as absent. */
  readonly settleMs: number;
  /** When the folders' STATUS came, by `clock`. */
  readonly listedAt: number;
  readonly flags: FlagPolicy;
  /** Lanes of the job. */
  readonly connections: number | 'auto';
  /** How many lanes there are from now on. */
  readonly onLanes: (advice: LaneAdvice) => void;
  /** The target tells the UIDs of what it stored (UIDPLUS). */
  readonly reportsUids: boolean;
  /** The journal is the target's manifest. Absent: false. */
  readonly keepsManifest?: boolean | undefined;
  readonly keepsOrder: boolean;
  /** The source gives only some of its messages: what it does not list is not gone. Default: false. */
  readonly isPart?: boolean;
}

/**
 * Drives the folders of a job over its lanes: settles what earlier runs left open, gives out shards, writes intents and
 * verdicts to the journal, and begins folders again that lost their lane.
 */
export class FolderDriver {
  readonly #parts: FolderDriverParts;
  readonly #runs: ReadonlyMap<number, FolderRun>;
  readonly #ledger: Ledger;
  /** What is awaited besides the lanes: answers and writes under way. */
  readonly #finishing = new Set<Promise<void>>();
  #open: readonly FolderRun[] = [];
  readonly #tuner: LaneTuner;
  /** The source's folders can be left and found again with the same UIDs. */
  #keepsUids = false;
  /** How many lanes are to work. */
  #lanes = 1;
  /** When it was last made fewer of them because a server asked for that. */
  #slowedAt = Number.NEGATIVE_INFINITY;
  /** What there is to do in all, and what a lane has taken on and not finished, as `expectedBytes` counts it. */
  #total = 0;
  readonly #loads = new WeakMap<LaneDriver, LaneLoad>();

  constructor(runs: readonly FolderRun[], parts: FolderDriverParts) {
    this.#runs = new Map(runs.map((run) => [run.id, run]));
    this.#parts = parts;
    this.#tuner = new LaneTuner(parts.clock, { oneByOne: !parts.keepsOrder });
    this.#ledger = new Ledger(parts.journal, parts.clock, (writing) => this.#finish(writing));
  }

  /**
   * Copies the folders, `first` being the lane there is; resolves when each has had its last word, or the job ends.
   * `preparing`: folders that are missing at the target are being made; it tells which of them cannot be had, and why.
   */
  async drive(first: LaneDriver, preparing: Promise<ReadonlyMap<FolderRun, WireError>>): Promise<void> {
    const { crew } = this.#parts;
    const prepared = preparing.catch((error: unknown) => {
      // A lane that was told to drain answers no more questions.
      if (crew.stopped && error instanceof LaneLostError) return;
      // Without its folders the target is of no use: what is under way is finished, and the report tells.
      crew.fail(failureOf(error).error);
    });
    await this.#driveAll(first, preparing);
    await prepared;
  }

  async #driveAll(first: LaneDriver, preparing: Promise<ReadonlyMap<FolderRun, WireError>>): Promise<void> {
    const { crew, progress } = this.#parts;
    const open: FolderRun[] = [];
    for (const run of this.#runs.values()) {
      if (run.failure === null && run.change !== 'none') open.push(run);
      else {
        if (run.failure === null) run.skip(run.pair.source.status?.messages ?? 0);
        this.#finishFolder(run);
      }
    }
    // Whoever is first begins at once.
    open.sort((a, b) => b.expectedBytes - a.expectedBytes);
    for (const run of open) progress.addTotal(run.pair.source.status?.messages ?? 0, run.pair.source.status?.size ?? 0);
    if (open.length === 0 || crew.isEnding) return;
    this.#total = open.reduce((sum, run) => sum + run.expectedBytes, 0);
    crew.add(first);
    this.#open = open;
    this.#employ(this.#firstLanes());
    for (const run of open) if (run.pair.target !== null) this.#enqueue(run, true);
    this.#finish(
      preparing.then(
        (failures) => this.#beginPrepared(open, failures),
        () => {},
      ),
    );
    do {
      await crew.idle();
      const finishing = [...this.#finishing];
      this.#finishing.clear();
      await Promise.all(finishing);
      this.#ledger.flush();
    } while (this.#finishing.size > 0 || crew.isBusy);
    const left = open.find((run) => !run.finished);
    if (left !== undefined && !crew.isEnding) throw new Error(`the job ended before the folder ${left.name} was done`);
  }

  /** Lanes that may find something to do. */
  get #usefulLanes(): number {
    if (this.#parts.keepsOrder) return this.#open.filter((run) => !run.finished).length;
    return Math.ceil(this.#parts.progress.left.messages / messagesPerExtraLane);
  }

  #firstLanes(): LaneAdvice {
    const { connections } = this.#parts;
    const useful = this.#usefulLanes;
    if (connections === 'auto') return this.#tuner.begin(useful);
    if (useful < connections) return { lanes: Math.max(1, useful), reason: 'there is nothing to do for more' };
    return { lanes: connections, reason: 'as asked for' };
  }

  #employ(advice: LaneAdvice): void {
    this.#lanes = advice.lanes;
    this.#parts.crew.employ(advice.lanes);
    this.#parts.onLanes(advice);
  }

  /** No more lanes than these from now on, as a server wants it. */
  #settle(advice: LaneAdvice): void {
    this.#tuner.settle();
    this.#employ(advice);
  }

  /** A server asks for less at a time: half as many lanes, and where there is only one it pauses. */
  #slowDown(side: Side, { why, words }: { readonly why: string; readonly words: string }): void {
    const { crew, clock, patience } = this.#parts;
    const now = clock.now();
    // What was under way is still being answered, with the same words.
    if (crew.isEnding || now - this.#slowedAt < slowDownEveryMs) return;
    this.#slowedAt = now;
    if (crew.size > 1) this.#settle({ lanes: crew.size >> 1, reason: `the ${side} wants fewer: ${why} (${words})` });
    else patience.slowDown(side, why, words, slowPauseMs);
  }

  /** What being pushed back means to the lanes. */
  #adapt(side: Side, { what, words }: PushedBack): void {
    const { crew } = this.#parts;
    if (what.kind === 'wait' && what.slower && crew.size > 1) this.#slowDown(side, { why: what.why, words });
    else if (what.kind === 'connections' && crew.size > 1)
      this.#settle({ lanes: crew.size - 1, reason: `the ${side} wants fewer: ${words}` });
    else this.#tuner.settle();
  }

  /** A command was pushed back; the lane is told when it may give it again. */
  async #putOff(
    { token, side, pushedBack, tries }: Extract<FromLane, { kind: 'pushed-back' }>,
    lane: LaneDriver,
  ): Promise<void> {
    this.#adapt(side, pushedBack);
    const { crew, patience } = this.#parts;
    const goOn = await patience.pushedBack(side, pushedBack, tries);
    if (!goOn && !crew.isEnding) {
      const message = `the ${side} does not let us go on: ${pushedBack.what.why}: ${pushedBack.words}`;
      crew.fail({ code: 'BUSY', exitCode: exitCodes.connect, message });
    }
    lane.post({ kind: 'go-on', token, goOn });
  }

  /** More lanes, or fewer, as what was done with them shows. */
  #tune(messages: number, bytes: number): void {
    const { crew, connections, progress } = this.#parts;
    if (connections !== 'auto' || crew.joining > 0 || crew.isEnding) return;
    const state = { lanes: crew.size, useful: this.#usefulLanes, left: progress.left };
    const advice = this.#tuner.note({ messages, bytes }, state);
    if (advice !== null) this.#employ(advice);
  }

  /** A lane that was to join could not: what was asked for is not to be had, and what was tried is not tried again. */
  refusedLane({ error: { message }, pushedBack }: LaneFailure): void {
    const { crew, connections, onWarning } = this.#parts;
    if (connections !== 'auto') {
      onWarning(`one connection fewer: ${message}`);
      if (pushedBack === null) return;
    }
    this.#settle({ lanes: crew.size, reason: `another one was refused: ${message}` });
  }

  /** Begins folders that had to be made first. */
  #beginPrepared(open: readonly FolderRun[], failures: ReadonlyMap<FolderRun, WireError>): void {
    for (const run of open) {
      if (run.pair.target !== null) continue;
      const failure = failures.get(run);
      if (failure === undefined) this.#enqueue(run, true);
      else {
        this.failFolder(run, failure);
        this.#finishFolder(run);
      }
    }
  }

  /** A lane joined: folders that may be shared have work for it. */
  recruitAll(): void {
    for (const run of this.#runs.values()) this.#recruit(run);
  }

  /** Nothing more is given out. */
  stop(): void {
    for (const run of this.#runs.values()) run.stop();
  }

  /** The folder as a whole is not copied. */
  failFolder(run: FolderRun, failure: WireError): void {
    if (run.failure !== null) return;
    run.fail(failure);
    this.#refuse(run, failure);
  }

  /** Something of the folder is not done; the rest is. */
  #refusePart(run: FolderRun, failure: WireError): void {
    run.refuse(failure);
    this.#refuse(run, failure);
  }

  #refuse(run: FolderRun, { code, message }: WireError): void {
    const refusal = { folder: run.name, uid: null, bytes: null, code, subject: null, message };
    this.#parts.onEvent({ kind: 'refused', refusal });
  }

  #loadOf(lane: LaneDriver): LaneLoad {
    const load = this.#loads.get(lane) ?? new LaneLoad();
    this.#loads.set(lane, load);
    return load;
  }

  #enqueue(run: FolderRun, scan: boolean): void {
    run.lanes++;
    // Most bytes first, as far as the source tells: the longest piece of work must not begin last. Who joins comes after that.
    this.#parts.crew.run(scan ? 1 + run.expectedBytes : 0, (lane) => this.#workOn(run, scan, lane));
  }

  /** Calls more lanes to a folder that may be shared, as long as it has work for them. */
  #recruit(run: FolderRun): void {
    const { crew } = this.#parts;
    if (!run.shared || run.journal === null || run.failure !== null || crew.isEnding) return;
    // What is left in its queue was listed by a lane that is gone: it is settled and listed anew first.
    if (run.isToBeginAgain) return;
    while (run.lanes < Math.min(crew.size, run.queued + 1)) this.#enqueue(run, false);
  }

  async #workOn(run: FolderRun, scan: boolean, lane: LaneDriver | null): Promise<void> {
    const { crew } = this.#parts;
    if (crew.isEnding || run.failure !== null || (!scan && run.queued === 0)) return this.#leave(run);
    if (lane === null) return this.#laneDone(run, crew.noLane, { scan, lane });
    try {
      if (scan) {
        await this.#reconcile(run, lane);
        if (!crew.isEnding) await this.#syncFlags(run, lane);
      }
    } catch (error) {
      if (!(error instanceof LaneLostError)) throw error;
      this.#laneDone(run, error.failure, { scan, lane });
      if (error.failure.scope !== 'folder') await lane.ended;
      return;
    }
    if (crew.isEnding || run.failure !== null || (scan && run.listed)) return this.#leave(run);
    const work = run.expectedBytes;
    const load = this.#loadOf(lane);
    load.take(work);
    const finished = lane.expect(['folder-finished'], (message) => message.folderId === run.id);
    const room = lane.expect(['room', 'folder-finished'], (message) => message.folderId === run.id);
    this.#finish(
      finished.then(
        ({ failure }) => this.#laneDone(run, failure, { scan, lane }),
        (error: unknown) => this.#laneDone(run, failureOf(error), { scan, lane }),
      ),
    );
    const unload = () => load.drop(work);
    finished.then(unload, unload);
    lane.post({ kind: 'folder', task: run.task(scan, this.#keepsUids) });
    try {
      const last = await room;
      // A lane whose connection is gone ends by itself: it gets no other folder.
      if (last.kind === 'folder-finished' && last.failure !== null && last.failure.scope !== 'folder') await lane.ended;
      // Those who are about to join find their share, too.
      while (load.bytes > 0 && crew.joining > 0 && load.bytes >= this.#total / (crew.size + crew.joining))
        await Promise.race([crew.joined(), load.dropped()]);
    } catch (error) {
      if (!(error instanceof LaneLostError)) throw error;
    }
  }

  /** Brings journal and target to agree about a folder, where something is open between them, before anything is appended. */
  async #reconcile(run: FolderRun, lane: LaneDriver): Promise<void> {
    const { journal, crew, clock, settleMs, listedAt, reportsUids, keepsManifest } = this.#parts;
    const { pair } = run;
    // Of what happened to this folder so far, the journal knows all.
    await this.#ledger.settled();
    const source = pair.source.status;
    // A folder whose STATUS was refused, or that was not listed and is there all the same, is not an empty one.
    const asked = run.created || pair.target?.status != null;
    const target = asked
      ? run.created
        ? null
        : (pair.target?.status ?? null)
      : await targetStatus(lane, run.id, run.task(false).targetName);
    run.leaveOut(new Uint32Array());
    const known = journal.folder(pair.source.rawName, pair.targetName);
    if (known === null && (target?.messages ?? 0) === 0) return;
    const isVoid = known !== null && run.journal === null && this.#isVoid(known, run);
    if (isVoid) await this.#ledger.write({ kind: 'forget', folderId: known.id });
    const now = journal.folder(pair.source.rawName, pair.targetName);
    if (now !== null && now.intents === 0 && !now.inDoubt) {
      if (run.journal !== null) run.opened(now, await journal.messages(now.id));
      return;
    }
    const opened =
      run.journal ??
      (await journal.openFolder({
        sourceRawName: pair.source.rawName,
        targetName: pair.targetName,
        sourceUidValidity: source?.uidValidity ?? null,
        targetUidValidity: this.#targetUidValidity(known, target),
        fence: known === null ? 1 : null,
        attributes: run.attributes,
        inDoubt: known === null,
      }));
    const latest = journal.folder(pair.source.rawName, pair.targetName) ?? opened;
    const recovered = await recoverFolder(run, latest, target, {
      lane,
      journal,
      clock,
      settleMs,
      notBefore: crew.lastSilence === null ? null : crew.lastSilence + stallFactor * settleMs,
      seenAt: run.journal === null && pair.target?.status != null ? listedAt : null,
      reportsUids,
      keepsManifest,
      isStopping: () => crew.isEnding,
    });
    if (recovered === null) return;
    const { adopted, compared, found, unclear } = recovered;
    run.leaveOut(unclear);
    if (adopted > 0)
      run.notes.push(`${adopted} messages were at the target already (${compared} of them compared byte for byte)`);
    if (found > 0) run.notes.push(`${found} messages whose answer was lost were found at the target`);
    if (run.journal !== null) run.opened(latest, await journal.messages(latest.id));
  }

  /** Applies what changed in the flags of messages that are at the target already. */
  async #syncFlags(run: FolderRun, lane: LaneDriver): Promise<void> {
    const { journal, flags: policy, crew, reportsUids } = this.#parts;
    const folder = journal.folder(run.pair.source.rawName, run.pair.targetName);
    if (folder === null || folder.messages === 0 || policy === 'once' || run.created) return;
    const { changed, failure } = await syncFlags(run, folder, { lane, journal, policy, reportsUids });
    run.flagsChanged += changed;
    if (failure !== null) this.#refusePart(run, failure);
    if (run.change !== 'flags' || crew.isEnding) return;
    // Nothing came and nothing went: there is nothing to list.
    run.journal ??= folder;
    run.startedAt ??= this.#parts.clock.now();
    const { messages = 0, size } = run.pair.source.status ?? {};
    run.skip(messages);
    this.#parts.progress.alreadyThere(run.name, messages, size ?? 0);
  }

  /** True where the UIDs in the journal mean nothing any more. */
  #isVoid(known: JournalFolder, run: FolderRun): boolean {
    const { keepsManifest = false } = this.#parts;
    if (run.created || (keepsManifest && hasVanished(known))) return true;
    const { source, target } = run.pair;
    if (source.status !== null && known.sourceUidValidity !== source.status.uidValidity) return true;
    return target?.status != null && !isSameTarget(known, target.status, this.#parts.reportsUids);
  }

  /** Something the job waits for; what goes wrong in it ends the job. */
  #finish(work: Promise<void>): void {
    const tracked: Promise<void> = work
      .catch((error: unknown) => this.#parts.crew.fail(wireErrorOf(error)))
      .finally(() => this.#finishing.delete(tracked));
    this.#finishing.add(tracked);
  }

  /** One lane is through with a folder. */
  #laneDone(
    run: FolderRun,
    failure: LaneFailure | null,
    by: { readonly scan: boolean; readonly lane: LaneDriver | null },
  ): void {
    const { crew, onWarning } = this.#parts;
    // Lanes that were told to end answer no more questions.
    if (failure !== null && !(crew.isEnding && failure.scope === 'lane')) {
      const { scope, side, error, pushedBack } = failure;
      if (scope === 'lane') crew.lost(failure);
      if (pushedBack !== null && side !== null) this.#adapt(side, pushedBack);
      // The server ended the session: it is not to be given more of them.
      if (error.code === 'BYE') this.#tuner.settle();
      // One that came to help and could not open the folder has done nothing, for good or bad.
      const onlyCameToHelp = !by.scan && (by.lane === null || !run.openedBy.has(by.lane));
      // What was answered is in the journal, and what was not is looked up at the target: another lane can do the rest.
      const waits = isPutOff(by.lane === null ? (crew.lastLost ?? failure) : failure);
      const mayBeItsFault = pushedBack?.what.kind === 'wait' && pushedBack.what.about !== 'account';
      run.isPutOff = waits && !mayBeItsFault;
      const canGoOn = (scope === 'lane' || waits) && (run.isPutOff || run.attempts < maxAttempts);
      if (scope === 'job') {
        crew.fail(error);
        if (run.journal !== null) this.failFolder(run, error);
      } else if (onlyCameToHelp) onWarning(error.message);
      else if (canGoOn && !crew.isEnding) {
        run.beginAgainAfter((scope === 'lane' ? by.lane?.ended : null) ?? Promise.resolve());
        if (pushedBack !== null) run.beginAgainAfter(this.#yieldTo(run, failure));
      } else if (!(waits && crew.isEnding)) this.failFolder(run, error);
      // Nobody knows which ones are lost: the next run compares everything.
      if (error.code === 'COUNT' && run.journal !== null)
        this.#ledger.note({ kind: 'forget', folderId: run.journal.id });
    }
    this.#leave(run);
  }

  /** Waits as the server wants; the folder has failed where that is of no use any more. */
  async #yieldTo(run: FolderRun, failure: LaneFailure): Promise<void> {
    const { crew } = this.#parts;
    if (!(await crew.yieldTo(failure, run.attempts)) && !crew.isEnding) this.failFolder(run, failure.error);
  }

  #leave(run: FolderRun): void {
    run.lanes--;
    if (run.lanes > 0) return;
    if (run.isToBeginAgain && run.failure === null && !this.#parts.crew.isEnding) this.#finish(this.#beginAgain(run));
    else this.#finishFolder(run);
  }

  /** Copies the rest of a folder on another lane, a new one where none is left. */
  async #beginAgain(run: FolderRun): Promise<void> {
    const { crew, patience, onWarning } = this.#parts;
    if (crew.lastLost !== null && !isPutOff(crew.lastLost))
      onWarning(`begun again after a lost connection: ${crew.lastLost.error.message}`);
    // A lane whose connection is lost ends by itself, and is not to be given the folder once more.
    await run.lostLanesEnded();
    // What the lost lane listed is taken in once the journal has opened the folder: not after it has been begun again.
    await run.ready;
    await patience.passed();
    await crew.ensureLane();
    if (run.failure !== null) return this.#finishFolder(run);
    // Whoever left for a long wait comes back.
    if (run.isPutOff && crew.size < this.#lanes) crew.employ(this.#lanes);
    run.begin({ counts: !run.isPutOff });
    this.#enqueue(run, true);
  }

  /** The last word on a folder, once. */
  #finishFolder(run: FolderRun): void {
    if (run.finished) return;
    run.finished = true;
    const { crew, clock, progress, onEvent } = this.#parts;
    if (run.isUnfinished && !crew.isEnding) {
      const message = 'the folder ended before every message had its last word: run again, and report this as a bug';
      this.failFolder(run, { code: 'UNFINISHED', exitCode: exitCodes.internal, message });
    }
    const { status } = run.pair.source;
    // A STATUS of another UIDVALIDITY speaks of another folder.
    if (run.complete && run.journal !== null && status?.uidValidity === run.journal.sourceUidValidity) {
      // Flags that were left alone are not up to date: whoever mirrors them later has to look.
      const highestModSeq = this.#parts.flags === 'once' ? null : status.highestModSeq;
      const folderId = run.journal.id;
      this.#finish(this.#ledger.write({ kind: 'finished', folderId, status: { ...status, highestModSeq } }));
    }
    progress.folderFinished(run.name);
    if (crew.stopped && run.startedAt === null) return;
    onEvent({ kind: 'folder-finished', report: run.report(clock.now()) });
  }

  /** Everything a lane says that is no answer to a question. */
  hear(message: FromLane, lane: LaneDriver): void {
    try {
      switch (message.kind) {
        case 'opened':
          this.#opened(message, lane);
          return;
        case 'table': {
          const ready = this.#runs.get(message.folderId)?.ready ?? Promise.resolve();
          this.#finish(ready.then(() => this.#listed(message)));
          return;
        }
        case 'intents':
          this.#intended(message, lane);
          return;
        case 'want':
          this.#runs.get(message.folderId)?.want(lane);
          return;
        case 'batch':
          this.#answered(message.folderId, message.report);
          return;
        case 'pushed-back':
          this.#finish(this.#putOff(message, lane));
          return;
        case 'slow-down':
          this.#slowDown(message.side, message);
          return;
        default:
          // The rest answers questions of ours.
          return;
      }
    } catch (error) {
      // The journal cannot be written, or something is wrong here: no effect may follow.
      this.#parts.crew.fail(wireErrorOf(error));
    }
  }

  #opened({ folderId, source, target, keepsUids }: Extract<FromLane, { kind: 'opened' }>, lane: LaneDriver): void {
    this.#keepsUids = keepsUids;
    const run = this.#runs.get(folderId);
    if (run === undefined) return;
    const { clock, progress, onEvent, reportsUids } = this.#parts;
    run.openedBy.add(lane);
    run.startedAt ??= clock.now();
    const { pair, name } = run;
    if (run.journal !== null || run.ready !== null) {
      const known = run.journal;
      const isSame =
        known === null ||
        (known.sourceUidValidity === source.uidValidity &&
          isSameTarget(known, { ...target, messages: target.exists }, reportsUids));
      if (isSame) return;
      const message =
        'the UIDVALIDITY of the folder changed while it was being copied: run again, and it is matched by content';
      this.failFolder(run, { code: 'UIDVALIDITY', exitCode: exitCodes.partial, message });
      return;
    }
    run.ready = this.#openInJournal(run, source, target);
    this.#finish(run.ready);
    progress.folderStarted(name, source.exists);
    const bytes = pair.source.status?.size ?? null;
    onEvent({ kind: 'folder-started', folder: name, target: pair.targetName, messages: source.exists, bytes });
  }

  async #openInJournal(run: FolderRun, source: SelectedFacts, target: SelectedFacts): Promise<void> {
    const { journal } = this.#parts;
    const known = journal.folder(run.pair.source.rawName, run.pair.targetName);
    const folder = await journal.openFolder({
      sourceRawName: run.pair.source.rawName,
      targetName: run.pair.targetName,
      sourceUidValidity: source.uidValidity,
      targetUidValidity: this.#targetUidValidity(known, { ...target, messages: target.exists }),
      fence: target.uidNext,
      attributes: run.attributes,
    });
    // What was to be left out of the list, since it had been copied, is at a target that is gone.
    const hasChanged = folder.inDoubt && !run.hasUnclear && (target.exists > 0 || run.listedBefore !== null);
    if (hasChanged) {
      const message = 'the folder changed while it was being opened: run again, and it is matched by content';
      this.failFolder(run, { code: 'UIDVALIDITY', exitCode: exitCodes.partial, message });
    }
    run.opened(folder, folder.messages === 0 ? noMessages : await journal.messages(folder.id));
    // Nothing that is sent from now on will be found among what is there already.
    if (folder.targetUidValidity === target.uidValidity) run.raiseFence(target.uidNext ?? 0);
    // Every message is fetched after this moment, with the flags it has then; but those that will be found have others.
    if (folder.messages === 0 && !hasChanged)
      this.#ledger.note({ kind: 'flags', folderId: folder.id, messages: noFlags, modSeq: source.highestModSeq });
  }

  /** The target's UIDVALIDITY for the journal: the one it knows, as long as the folder is the same. */
  #targetUidValidity(known: JournalFolder | null, target: FolderFacts | null): number | null {
    if (known === null || target === null) return target?.uidValidity ?? null;
    return isSameTarget(known, target, this.#parts.reportsUids) ? known.targetUidValidity : target.uidValidity;
  }

  /** Makes it durable what a lane is about to append, and lets it. */
  #intended({ folderId, token, batches }: Extract<FromLane, { kind: 'intents' }>, lane: LaneDriver): void {
    const run = this.#runs.get(folderId);
    if (run === undefined || run.journal === null || this.#parts.crew.failure !== null) return;
    const { fence } = run;
    const { id, targetUidValidity } = run.journal;
    const durable = this.#ledger.write(
      ...batches.map((messages) => ({ kind: 'intents', folderId: id, fence, targetUidValidity, messages }) as const),
    );
    this.#finish(durable.then(() => lane.post({ kind: 'durable', token })));
  }

  #listed({ folderId, uids, sizes, last, unlisted, unchanged }: Extract<FromLane, { kind: 'table' }>): void {
    const run = this.#runs.get(folderId);
    if (run === undefined) return;
    if (last) {
      if (unlisted > 0) this.#refuseUnlisted(run, unlisted);
      else if (unchanged === 0) this.#expunged(run);
      else {
        run.takeUnchanged(unchanged);
        // Nobody asked for their sizes: they are what is left of the folder's.
        const { size } = run.pair.source.status ?? {};
        this.#parts.progress.alreadyThere(run.name, unchanged, Math.max(0, (size ?? 0) - run.listedBytes));
      }
      run.endOfList();
      return;
    }
    const { crew, progress, onEvent } = this.#parts;
    if (run.failure !== null || crew.stopped) return;
    const selected = run.select(uids, sizes);
    const totalBytes = sumOf(sizes);
    run.listedBytes += totalBytes;
    const refusedBytes = selected.refused.reduce((sum, refusal) => sum + (refusal.bytes ?? 0), 0);
    for (const refusal of selected.refused) onEvent({ kind: 'refused', refusal });
    this.#recruit(run);
    // Begun again: these messages have been counted.
    if (run.wasBegun) return;
    if (run.pair.source.status?.size === null) progress.addTotal(0, totalBytes);
    progress.alreadyThere(run.name, selected.alreadyThere, totalBytes - selected.bytes - refusedBytes);
    progress.refused(run.name, selected.refused.length, refusedBytes);
  }

  /** The source counts messages that it does not list: nobody can copy them. */
  #refuseUnlisted(run: FolderRun, messages: number): void {
    const message = `the source counts ${messages} messages more than it lists: they were not copied`;
    this.#refusePart(run, { code: 'UNLISTED', exitCode: exitCodes.partial, message });
  }

  /** Remembers which messages that were copied once are gone from the source. */
  #expunged(run: FolderRun): void {
    if (run.journal === null || run.failure !== null || this.#parts.crew.isEnding) return;
    // Of messages that were not asked for nothing is known.
    if (this.#parts.isPart === true) return;
    const messages = run.expunged();
    if (messages.uids.length > 0)
      this.#ledger.note({ kind: 'verdicts', folderId: run.journal.id, verdict: 'gone', messages });
  }

  #answered(folderId: number, report: BatchReport): void {
    const run = this.#runs.get(folderId);
    if (run === undefined || run.journal === null) return;
    const { progress, onEvent } = this.#parts;
    const { stored, gone } = report;
    for (const uid of stored.targetUids) if (uid !== 0) run.raiseFence(uid + 1);
    // Who gives out UIDs itself looks there for the next.
    const fence = this.#parts.keepsManifest === true ? (run.fence ?? undefined) : undefined;
    this.#ledger.note(...recordsOf(run.journal.id, report, fence));
    if (stored.uids.length > 0) this.#parts.patience.achieved();
    const { refusals, bytes } = run.answered(report);
    progress.done(run.name, stored.uids.length + gone.length, bytes);
    this.#tune(stored.uids.length + gone.length, bytes);
    for (const refusal of refusals) {
      progress.refused(run.name, 1, refusal.bytes ?? 0);
      onEvent({ kind: 'refused', refusal });
    }
  }
}

/** What a batch's answer means to the journal. */
function recordsOf(
  folderId: number,
  { stored, refused, gone, unsent }: BatchReport,
  fence: number | undefined,
): JournalRecord[] {
  const records: JournalRecord[] = [];
  if (stored.uids.length > 0)
    records.push({
      kind: 'verdicts',
      folderId,
      verdict: 'copied',
      messages: stored,
      ...(fence === undefined ? {} : { fence }),
    });
  if (gone.length > 0) {
    const messages = goneMessages(gone, new Uint32Array(gone.length));
    records.push({ kind: 'verdicts', folderId, verdict: 'gone', messages });
  }
  const dropped = [...refused.map(({ uid }) => uid), ...unsent];
  if (dropped.length > 0) records.push({ kind: 'dropped', folderId, uids: Uint32Array.from(dropped).sort() });
  return records;
}
