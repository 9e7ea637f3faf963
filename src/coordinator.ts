import { type AccountSettings, accountLabel } from './account.ts';
import { type Cancel, type Clock, systemClock } from './clock.ts';
import { exitCodes, MigrateError, type WireError, worstExitCode } from './errors.ts';
import { FolderRun } from './folder-run.ts';
import type { FolderReport, JobEvent, JobReport, JobSettings, Side, Verdict } from './job.ts';
import {
  type Journal,
  type JournalFolder,
  type JournalRecord,
  type Verdict as JournalVerdict,
  openJournal,
  peekJournal,
} from './journal/index.ts';
import { LaneDriver, type LaneHost, LaneLostError, LanePool, ThreadHost, toJobError } from './lanes.ts';
import { mapFolders } from './plan/folder-map.ts';
import { sumOf } from './plan/message-table.ts';
import { buildPlan, isUnchanged } from './plan/plan.ts';
import type { FolderPair, KnownFolder, Traits } from './plan/types.ts';
import { ProgressMeter } from './progress.ts';
import { recoverFolder } from './recovery.ts';
import type {
  BatchReport,
  EndpointFacts,
  FromLane,
  LaneFailure,
  PrepareTask,
  SelectedFacts,
} from './worker/contract.ts';

/** How a job is watched and stopped. */
export interface JobHooks {
  onEvent(event: JobEvent): void;
  /** Aborted: take no new work, finish what is in flight within `drainMs`, and report. */
  readonly signal: AbortSignal;
}

/** What a job runs on; tests give it inline lanes and their own time. */
export interface JobParts {
  readonly host: LaneHost;
  readonly clock: Clock;
  /** How long a target must be quiet before a message whose APPEND was not answered counts as absent. */
  readonly settleMs?: number;
}

/** A server may go on committing for some time after its client is gone. */
const defaultSettleMs = 10_000;
/** A connection that fell silent says less about the server than one that ended. */
const stallFactor = 6;

/** Time that what is in flight may take after a stop was asked for. */
const drainMs = 4_000;
const progressEveryMs = 250;
/** Logins refused in one run, over all lanes: more could lock the account. */
const maxLoginFailures = 2;
/** Another lane costs a login on each side; it pays from about this many messages on. */
const messagesPerExtraLane = 200;
/** How often a folder is begun again, and a lost lane replaced. */
const maxAttempts = 3;
const firstRetryMs = 500;
const usualMessageBytes = 16 * 1024;

/**
 * Copies one account to another, or with `dryRun` only plans it. Resolves with the report whatever happened to single
 * messages and folders.
 * @throws MigrateError when the job could not begin: an account that cannot be opened, a journal that cannot be used.
 */
export async function migrate(settings: JobSettings, hooks: JobHooks, parts?: JobParts): Promise<JobReport> {
  const host = parts?.host ?? new ThreadHost(Math.min(settings.threads, settings.connections), settings.connections);
  const job = new Job(settings, hooks, host, parts?.clock ?? systemClock, parts?.settleMs ?? defaultSettleMs);
  try {
    return await job.run();
  } finally {
    await host.close();
  }
}

class Job {
  readonly #settings: JobSettings;
  readonly #hooks: JobHooks;
  readonly #host: LaneHost;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #lanes = new Set<LaneDriver>();
  readonly #pool = new LanePool((error) => this.#failJob(toWireError(error)));
  readonly #folders = new Map<number, FolderRun>();
  readonly #progress: ProgressMeter;
  /** Folders that are read and wait for the last answers. */
  readonly #finishing = new Set<Promise<void>>();
  readonly #warnings: string[] = [];
  #journal: Journal | null = null;
  #keepsOrder = true;
  #targetReportsUids = true;
  #failure: WireError | null = null;
  #lastLost: WireError | null = null;
  readonly #settleMs: number;
  #batches = 0;
  #lanesStarted = 0;
  #loginFailures = 0;
  /** A lane being opened because none is left. */
  #replacing: Promise<void> | null = null;
  #stopped = false;
  #cancelEnd: Cancel | null = null;

  constructor(settings: JobSettings, hooks: JobHooks, host: LaneHost, clock: Clock, settleMs: number) {
    this.#settleMs = settleMs;
    this.#settings = settings;
    this.#hooks = hooks;
    this.#host = host;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#progress = new ProgressMeter(clock);
  }

  async run(): Promise<JobReport> {
    const { source, target, stateDir, dryRun, rebuild } = this.#settings;
    const stop = () => this.#stop();
    const pair = [stateDir, accountLabel(source), accountLabel(target)] as const;
    this.#journal = dryRun ? await peekJournal(...pair) : await openJournal(...pair, { rebuild });
    this.#hooks.signal.addEventListener('abort', stop);
    if (this.#hooks.signal.aborted) stop();
    const beat = setInterval(() => this.#emitProgress(), progressEveryMs);
    try {
      if (!this.#stopped) await this.#work();
    } catch (error) {
      // A lane that was told to drain answers no more questions: that is a stop, not a failure.
      if (!(this.#stopped && error instanceof LaneLostError)) throw toJobError(error);
    } finally {
      clearInterval(beat);
      this.#hooks.signal.removeEventListener('abort', stop);
      await this.#endLanes();
      await this.#closeJournal();
    }
    const report = this.#report();
    this.#emitProgress();
    this.#hooks.onEvent({ kind: 'finished', report });
    return report;
  }

  async #closeJournal(): Promise<void> {
    try {
      await this.#journal?.[Symbol.asyncDispose]();
    } catch (error) {
      // What was done stays true: the next run looks at the target instead.
      this.#failure ??= toWireError(error);
    }
  }

  async #work(): Promise<void> {
    const { source, target, dryRun } = this.#settings;
    const first = this.#startLane();
    const opened = await first.expect(['ready']);
    const targetFacts = opened.target ?? opened.source;
    this.#announce('source', source, opened.source);
    this.#announce('target', target, targetFacts);
    const runs = await this.#plan(first, opened.source.traits, targetFacts.traits);
    if (runs !== null && !dryRun) await this.#copy(first, runs);
  }

  #startLane(): LaneDriver {
    const { source, target } = this.#settings;
    const laneId = this.#lanesStarted++;
    const lane = new LaneDriver(this.#host.start({ laneId, source, target }), (message, from) =>
      this.#hear(message, from),
    );
    this.#lanes.add(lane);
    void lane.ended.then(() => this.#lanes.delete(lane));
    return lane;
  }

  #announce(side: Side, account: AccountSettings, facts: EndpointFacts): void {
    const { server, traits, warnings } = facts;
    this.#hooks.onEvent({ kind: 'connected', side, account: accountLabel(account), server, traits, warnings });
    for (const warning of warnings) this.#warn(`${side} ${accountLabel(account)}: ${warning}`);
  }

  /** Lists both sides and decides what to do; `null`: the plan has errors. */
  async #plan(lane: LaneDriver, source: Traits, target: Traits): Promise<FolderRun[] | null> {
    const { mapping, order, subscriptions } = this.#settings;
    lane.post({ kind: 'list' });
    const listed = await lane.expect(['listed']);
    const atTarget = listed.target ?? { folders: [], quotas: [] };
    const map = mapFolders(
      { folders: listed.source.folders, naming: source },
      { folders: atTarget.folders, naming: target },
      mapping,
    );
    this.#targetReportsUids = target.reportsUids;
    const known = new Map<string, KnownFolder>();
    for (const pair of map.pairs) known.set(pair.source.rawName, this.#knownOf(pair));
    const plan = buildPlan({
      source: accountLabel(this.#settings.source),
      target: accountLabel(this.#settings.target),
      map,
      known,
      order,
      targetTraits: target,
      quotas: atTarget.quotas,
      lanes: this.#settings.connections,
    });
    this.#keepsOrder = plan.keepsOrder;

    this.#hooks.onEvent({ kind: 'planned', plan });
    const [error] = plan.problems.filter((problem) => problem.severity === 'error');
    if (error !== undefined) {
      this.#failure = {
        code: error.code,
        exitCode: exitCodes.usage,
        message: error.message,
      };
      return null;
    }
    return map.pairs.map((pair, id) => {
      const run = new FolderRun(id, pair, { shared: !plan.keepsOrder, target });
      run.unchanged = known.get(pair.source.rawName)?.unchanged === true;
      run.subscribe = subscriptions === 'all' || (subscriptions === 'copy' && pair.source.subscribed);
      return run;
    });
  }

  /** What the journal says about a pair, measured by both sides' STATUS. */
  #knownOf(pair: FolderPair): KnownFolder {
    const folder = this.#journal?.folder(pair.source.rawName, pair.targetName) ?? null;
    if (folder === null || pair.target === null) return { messages: 0, unchanged: false };
    const { status } = pair.target;
    const isSame = status !== null && this.#isSameTarget(folder, status.uidValidity, status.messages);
    const isSettled = folder.intents === 0 && !folder.inDoubt;
    const unchanged = isSame && isSettled && isUnchanged(folder.finishedAt, pair.source.status);
    return { messages: folder.messages, unchanged };
  }

  /**
   * True where a target folder still is the one the journal speaks of. Without UIDPLUS no target UID was recorded, and such
   * servers (mailutils imap4d 3.15) may invent a UIDVALIDITY at every look: what they hold must then be as much as it was.
   */
  #isSameTarget(known: JournalFolder, uidValidity: number | null, messages: number): boolean {
    if (known.targetUidValidity === uidValidity) return true;
    return !this.#targetReportsUids && messages >= known.messages;
  }

  async #copy(first: LaneDriver, runs: readonly FolderRun[]): Promise<void> {
    // Names that only group others hold nothing to report on.
    for (const run of runs) if (!run.pair.nameOnly) this.#folders.set(run.id, run);
    await this.#prepare(first, runs);
    const open = runs.filter((run) => {
      if (run.pair.nameOnly || run.failure !== null) return false;
      if (!run.unchanged) return true;
      run.skip(run.pair.source.status?.messages ?? 0);
      return false;
    });
    const isOpen = new Set(open);
    for (const run of runs) if (!isOpen.has(run)) this.#finishFolder(run);
    for (const run of open)
      this.#progress.addTotal(run.pair.source.status?.messages ?? 0, run.pair.source.status?.size ?? 0);
    if (open.length === 0 || this.#failure !== null) return;
    this.#pool.add(first);
    const useful = this.#keepsOrder ? open.length : Math.ceil(totalMessages(open) / messagesPerExtraLane);
    this.#addLanes(Math.min(this.#settings.connections, useful) - 1);
    for (const run of open) this.#enqueue(run, true);
    do {
      await this.#pool.idle();
      const finishing = [...this.#finishing];
      this.#finishing.clear();
      await Promise.all(finishing);
    } while (this.#finishing.size > 0 || this.#pool.isBusy);
    const left = open.find((run) => !run.finished);
    if (left !== undefined && !this.#isEnding) throw new Error(`the job ended before the folder ${left.name} was done`);
  }

  /** Creates and subscribes everything in one go, before the first message. */
  async #prepare(lane: LaneDriver, runs: readonly FolderRun[]): Promise<void> {
    // A name that only groups others comes into being with the first folder below it.
    const [groups, folders] = partition(runs, (run) => run.pair.nameOnly);
    const failed = await this.#prepareOn(lane, folders);
    const parents = groups.filter((group) => [...failed.keys()].some((run) => run.isBelow(group)));
    if (parents.length > 0) {
      // Some servers want the parent first.
      await this.#prepareOn(lane, parents);
      const again = await this.#prepareOn(
        lane,
        [...failed.keys()].filter((run) => parents.some((parent) => run.isBelow(parent))),
      );
      for (const run of failed.keys())
        if (!again.has(run) && parents.some((parent) => run.isBelow(parent))) failed.delete(run);
    }
    for (const [run, failure] of failed) this.#failFolder(run, failure);
  }

  /** Answers what could not be created, and why. */
  async #prepareOn(lane: LaneDriver, runs: readonly FolderRun[]): Promise<Map<FolderRun, WireError>> {
    const failed = new Map<FolderRun, WireError>();
    const tasks = runs.flatMap((run): PrepareTask[] => {
      const { pair, subscribe } = run;
      const create = pair.target === null;
      const subscribes = subscribe && pair.target?.subscribed !== true;
      if (!create && !subscribes) return [];
      const { targetName, createUse: specialUse } = pair;
      return [{ folderId: run.id, targetName, create, specialUse, subscribe: subscribes }];
    });
    if (tasks.length === 0) return failed;
    // A parent's name is shorter than its children's.
    lane.post({ kind: 'prepare', tasks: tasks.sort((a, b) => a.targetName.length - b.targetName.length) });
    const { results } = await lane.expect(['prepared']);
    for (const { folderId, created, failure, notes } of results) {
      const run = this.#folders.get(folderId);
      if (run === undefined) continue;
      run.notes.push(...notes);
      run.created ||= created;
      if (failure !== null) failed.set(run, failure);
    }
    return failed;
  }

  /** Adds lanes one after the other, so that a login the server refuses is not tried by several at once. */
  #addLanes(count: number): void {
    if (count <= 0 || this.#loginFailures >= maxLoginFailures || this.#isEnding) return;
    void this.#openLane().then((failure) => {
      if (failure !== null && !this.#isEnding) this.#warn(`one connection fewer: ${failure.message}`);
      this.#addLanes(count - 1);
    });
  }

  /** Opens one more lane and gives it work; answers why that did not succeed. */
  async #openLane(): Promise<WireError | null> {
    const lane = this.#startLane();
    try {
      await lane.expect(['ready']);
    } catch (error) {
      const failure = failureOf(error).error;
      if (failure.exitCode === exitCodes.login) this.#loginFailures++;
      return failure;
    }
    this.#pool.add(lane);
    for (const run of this.#folders.values()) this.#recruit(run);
    return null;
  }

  /** Lanes are being told to drain: nothing new may begin. */
  get #isEnding(): boolean {
    return this.#stopped || this.#failure !== null || this.#cancelEnd !== null;
  }

  #enqueue(run: FolderRun, scan: boolean): void {
    run.lanes++;
    // Most bytes first, as far as the source tells: the longest piece of work must not begin last. Who joins comes after that.
    this.#pool.run(scan ? 1 + sizeOf(run) : 0, (lane) => this.#workOn(run, scan, lane));
  }

  /** Calls more lanes to a folder that may be shared, as long as it has work for them. */
  #recruit(run: FolderRun): void {
    if (!run.shared || run.journal === null || run.failure !== null || this.#isEnding) return;
    while (run.lanes < Math.min(this.#pool.size, run.queued + 1)) this.#enqueue(run, false);
  }

  async #workOn(run: FolderRun, scan: boolean, lane: LaneDriver | null): Promise<void> {
    if (this.#isEnding || run.failure !== null || (!scan && run.queued === 0)) return this.#leave(run);
    if (lane === null) return this.#laneDone(run, this.#noLane, { scan, lane });
    try {
      if (scan) await this.#settle(run, lane);
    } catch (error) {
      if (!(error instanceof LaneLostError)) throw error;
      this.#laneDone(run, error.failure, { scan, lane });
      if (error.failure.scope !== 'folder') await lane.ended;
      return;
    }
    if (this.#isEnding) return this.#leave(run);
    const finished = lane.expect(['folder-finished'], (message) => message.folderId === run.id);
    const read = lane.expect(['folder-read', 'folder-finished'], (message) => message.folderId === run.id);
    this.#finish(
      finished.then(
        ({ failure }) => this.#laneDone(run, failure, { scan, lane }),
        (error: unknown) => this.#laneDone(run, failureOf(error), { scan, lane }),
      ),
    );
    lane.post({ kind: 'folder', task: run.task(scan) });
    try {
      const last = await read;
      // A lane whose connection is gone ends by itself: it gets no other folder.
      if (last.kind === 'folder-finished' && last.failure !== null && last.failure.scope !== 'folder') await lane.ended;
    } catch (error) {
      if (!(error instanceof LaneLostError)) throw error;
    }
  }

  /** Brings journal and target to agree about a folder, where something is open between them, before anything is appended. */
  async #settle(run: FolderRun, lane: LaneDriver): Promise<void> {
    const journal = this.#journal;
    if (journal === null) return;
    const { pair } = run;
    const source = pair.source.status;
    const target = run.created ? null : (pair.target?.status ?? null);
    const known = journal.folder(pair.source.rawName, pair.targetName);
    if (known === null && (target?.messages ?? 0) === 0) return;
    const isVoid = known !== null && run.journal === null && this.#isVoid(known, run);
    if (isVoid) await journal.write({ kind: 'forget', folderId: known.id });
    const now = journal.folder(pair.source.rawName, pair.targetName);
    if (now !== null && now.intents === 0 && !now.inDoubt) {
      if (run.journal !== null) run.opened(now, (await journal.messages(now.id)).uids);
      return;
    }
    const opened =
      run.journal ??
      (await journal.openFolder({
        sourceRawName: pair.source.rawName,
        targetName: pair.targetName,
        sourceUidValidity: source?.uidValidity ?? null,
        targetUidValidity: target?.uidValidity ?? null,
        fence: known === null ? 1 : null,
        inDoubt: known === null,
      }));
    const latest = journal.folder(pair.source.rawName, pair.targetName) ?? opened;
    const { adopted, compared, found } = await recoverFolder(run, latest, target, {
      lane,
      journal,
      clock: this.#clock,
      settleMs: this.#settleMs * (this.#lastLost?.code === 'TIMEOUT' ? stallFactor : 1),
      isStopping: () => this.#isEnding,
    });
    if (adopted > 0)
      run.notes.push(`${adopted} messages were at the target already (${compared} of them compared byte for byte)`);
    if (found > 0) run.notes.push(`${found} messages whose answer was lost were found at the target`);
    if (run.journal !== null) run.opened(latest, (await journal.messages(latest.id)).uids);
  }

  /** True where the UIDs in the journal mean nothing any more. */
  #isVoid(known: JournalFolder, run: FolderRun): boolean {
    if (run.created) return true;
    const { source, target } = run.pair;
    if (source.status !== null && known.sourceUidValidity !== source.status.uidValidity) return true;
    return target?.status != null && !this.#isSameTarget(known, target.status.uidValidity, target.status.messages);
  }

  /** Something the job waits for; what goes wrong in it ends the job. */
  #finish(work: Promise<void>): void {
    this.#finishing.add(work.catch((error: unknown) => this.#failJob(toWireError(error))));
  }

  get #noLane(): LaneFailure {
    const lost = { code: 'LANE', exitCode: exitCodes.connect, message: 'no connection is left to copy it' };
    return { side: null, scope: 'lane', inDoubt: false, error: this.#lastLost ?? lost };
  }

  /** One lane is through with a folder. */
  #laneDone(
    run: FolderRun,
    failure: LaneFailure | null,
    by: { readonly scan: boolean; readonly lane: LaneDriver | null },
  ): void {
    if (failure !== null && !(this.#stopped && failure.scope === 'lane')) {
      const { scope, error } = failure;
      if (scope === 'lane') this.#lastLost = error;
      // One that came to help and could not open the folder has done nothing, for good or bad.
      const onlyCameToHelp = !by.scan && (by.lane === null || !run.openedBy.has(by.lane));
      // What was answered is in the journal, and what was not is looked up at the target: another lane can do the rest.
      const canGoOn = scope === 'lane' && run.attempts < maxAttempts;
      if (scope === 'job') {
        this.#failJob(error);
        if (run.journal !== null) this.#failFolder(run, error);
      } else if (onlyCameToHelp) this.#warn(error.message);
      else if (canGoOn && !this.#isEnding) run.beginAgainAfter.push(by.lane?.ended ?? Promise.resolve());
      else this.#failFolder(run, error);
      // Nobody knows which ones are lost: the next run compares everything.
      if (error.code === 'COUNT' && run.journal !== null) this.#write({ kind: 'forget', folderId: run.journal.id });
    }
    this.#leave(run);
  }

  #leave(run: FolderRun): void {
    run.lanes--;
    if (run.lanes > 0) return;
    if (run.beginAgainAfter.length > 0 && run.failure === null && !this.#isEnding) this.#finish(this.#beginAgain(run));
    else this.#finishFolder(run);
  }

  /** Copies the rest of a folder on another lane, a new one where none is left. */
  async #beginAgain(run: FolderRun): Promise<void> {
    if (this.#lastLost !== null) this.#warn(`begun again after a lost connection: ${this.#lastLost.message}`);
    // A lane whose connection is lost ends by itself, and is not to be given the folder once more.
    await Promise.all(run.beginAgainAfter);
    if (this.#pool.size === 0) {
      this.#replacing ??= this.#replaceLane().finally(() => {
        this.#replacing = null;
      });
      await this.#replacing;
    }
    run.begin();
    this.#enqueue(run, true);
  }

  async #replaceLane(): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts && this.#pool.size === 0; attempt++) {
      if (this.#isEnding || this.#loginFailures >= maxLoginFailures) return;
      const waitMs = attempt === 0 ? 0 : firstRetryMs * 2 ** attempt;
      await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve));
      this.#lastLost = (await this.#openLane()) ?? this.#lastLost;
    }
  }

  /** The last word on a folder, once. */
  #finishFolder(run: FolderRun): void {
    if (run.finished) return;
    run.finished = true;
    const { status } = run.pair.source;
    // A STATUS of another UIDVALIDITY speaks of another folder.
    if (run.complete && run.journal !== null && status?.uidValidity === run.journal.sourceUidValidity) {
      this.#write({ kind: 'finished', folderId: run.journal.id, status });
    }
    this.#progress.folderFinished(run.name);
    if (this.#stopped && run.startedAt === null) return;
    this.#hooks.onEvent({ kind: 'folder-finished', report: run.report(this.#clock.now()) });
  }

  /** Everything a lane says that is no answer to a question. */
  #hear(message: FromLane, lane: LaneDriver): void {
    try {
      switch (message.kind) {
        case 'warning':
          this.#warn(message.message);
          return;
        case 'opened':
          this.#opened(message, lane);
          return;
        case 'table': {
          const ready = this.#folders.get(message.folderId)?.ready ?? Promise.resolve();
          this.#finish(ready.then(() => this.#listed(message)));
          return;
        }
        case 'intents':
          this.#intended(message, lane);
          return;
        case 'want':
          this.#folders.get(message.folderId)?.want(lane);
          return;
        case 'batch':
          this.#answered(message.folderId, message.report);
          return;
        default:
          // The rest answers questions of ours.
          return;
      }
    } catch (error) {
      // The journal cannot be written, or something is wrong here: no effect may follow.
      this.#failJob(toWireError(error));
    }
  }

  #opened({ folderId, source, target }: Extract<FromLane, { kind: 'opened' }>, lane: LaneDriver): void {
    const run = this.#folders.get(folderId);
    if (run === undefined || this.#journal === null) return;
    run.openedBy.add(lane);
    run.startedAt ??= this.#clock.now();
    const { pair } = run;
    if (run.journal !== null || run.ready !== null) {
      const known = run.journal;
      const isSame =
        known === null ||
        (known.sourceUidValidity === source.uidValidity &&
          this.#isSameTarget(known, target.uidValidity, target.exists));
      if (isSame) return;
      const message =
        'the UIDVALIDITY of the folder changed while it was being copied: run again, and it is matched by content';
      this.#failFolder(run, { code: 'UIDVALIDITY', exitCode: exitCodes.partial, message });
      return;
    }
    run.ready = this.#openInJournal(run, source, target);
    this.#finish(run.ready);
    this.#progress.folderStarted(run.name, source.exists);
    const { name } = run;
    const bytes = pair.source.status?.size ?? null;
    this.#hooks.onEvent({
      kind: 'folder-started',
      folder: name,
      target: pair.targetName,
      messages: source.exists,
      bytes,
    });
  }

  async #openInJournal(run: FolderRun, source: SelectedFacts, target: SelectedFacts): Promise<void> {
    const journal = this.#journal;
    if (journal === null) return;
    const folder = await journal.openFolder({
      sourceRawName: run.pair.source.rawName,
      targetName: run.pair.targetName,
      sourceUidValidity: source.uidValidity,
      targetUidValidity: target.uidValidity,
      fence: target.uidNext,
    });
    if (folder.inDoubt && target.exists > 0) {
      const message = 'the folder changed while it was being opened: run again, and it is matched by content';
      this.#failFolder(run, { code: 'UIDVALIDITY', exitCode: exitCodes.partial, message });
    }
    run.opened(folder, (await journal.messages(folder.id)).uids);
  }

  /** Makes it durable what a lane is about to append, and lets it. */
  #intended({ folderId, token, messages }: Extract<FromLane, { kind: 'intents' }>, lane: LaneDriver): void {
    const run = this.#folders.get(folderId);
    if (run === undefined || run.journal === null || this.#journal === null || this.#failure !== null) return;
    const batch = ++this.#batches;
    const { fence } = run;
    const { id, targetUidValidity } = run.journal;
    const intents = messages.map(({ uid, bytes, digest, internalDate, flags }) => ({
      uid,
      batch,
      fence,
      targetUidValidity,
      size: bytes,
      digest,
      internalDate,
      flags: flags.join(' '),
    }));
    const durable = this.#journal.write({ kind: 'intents', folderId: id, intents });
    this.#finish(durable.then(() => lane.post({ kind: 'durable', token })));
  }

  /** Remembers; what cannot be remembered ends the job. */
  #write(...records: readonly JournalRecord[]): void {
    if (this.#journal !== null) this.#finish(this.#journal.write(...records));
  }

  #listed({ folderId, uids, sizes, last, unlisted }: Extract<FromLane, { kind: 'table' }>): void {
    const run = this.#folders.get(folderId);
    if (run === undefined) return;
    if (last) {
      if (unlisted > 0) run.missUnlisted(unlisted);
      run.endOfList();
      return;
    }
    if (run.failure !== null || this.#stopped) return;
    const selected = run.select(uids, sizes);
    const totalBytes = sumOf(sizes);
    const refusedBytes = selected.tooBig.reduce((sum, refusal) => sum + (refusal.bytes ?? 0), 0);
    for (const refusal of selected.tooBig) this.#hooks.onEvent({ kind: 'refused', refusal });
    this.#recruit(run);
    // Begun again: these messages have been counted.
    if (run.attempts > 0) return;
    if (run.pair.source.status?.size === null) this.#progress.addTotal(0, totalBytes);
    this.#progress.alreadyThere(run.name, selected.alreadyThere, totalBytes - selected.bytes - refusedBytes);
    this.#progress.refused(run.name, selected.tooBig.length, refusedBytes);
  }

  #answered(folderId: number, report: BatchReport): void {
    const run = this.#folders.get(folderId);
    if (run === undefined || run.journal === null) return;
    this.#write(...recordsOf(run, report));
    const refusals = run.answered(report);
    let bytes = 0;
    let messages = 0;
    for (const outcome of report.outcomes) {
      if (outcome.kind === 'refused' || outcome.kind === 'unsent') continue;
      messages++;
      if (outcome.kind === 'copied') bytes += outcome.bytes;
    }
    this.#progress.done(run.name, messages, bytes);
    for (const refusal of refusals) {
      this.#progress.refused(run.name, 1, refusal.bytes ?? 0);
      this.#hooks.onEvent({ kind: 'refused', refusal });
    }
  }

  #failFolder(run: FolderRun, failure: WireError): void {
    if (run.failure !== null) return;
    run.fail(failure);
    const { code, message } = failure;
    this.#hooks.onEvent({
      kind: 'refused',
      refusal: { folder: run.name, uid: null, bytes: null, code, subject: null, message },
    });
  }

  /** No lane can succeed any more: what is in flight is finished, nothing else begun. */
  #failJob(failure: WireError): void {
    this.#failure ??= failure;
    this.#drain();
  }

  #stop(): void {
    this.#stopped = true;
    this.#drain();
    this.#endBy();
  }

  #drain(): void {
    this.#pool.clear();
    for (const run of this.#folders.values()) run.stop();
    for (const lane of this.#lanes) lane.post({ kind: 'drain' });
  }

  /** From now on lanes have `drainMs` to finish and log out; what is left then is ended at once. */
  #endBy(): void {
    this.#cancelEnd ??= this.#clock.after(drainMs, () => void this.#host.close());
  }

  async #endLanes(): Promise<void> {
    this.#endBy();
    for (const lane of this.#lanes) lane.post({ kind: 'drain' });
    await Promise.all([...this.#lanes].map((lane) => lane.ended));
    this.#cancelEnd?.();
  }

  #warn(message: string): void {
    if (this.#warnings.includes(message)) return;
    this.#warnings.push(message);
    this.#hooks.onEvent({ kind: 'warning', folder: null, message });
  }

  #emitProgress(): void {
    this.#hooks.onEvent({ kind: 'progress', progress: this.#progress.snapshot() });
  }

  #report(): JobReport {
    const now = this.#clock.now();
    const folders = [...this.#folders.values()].map((run) => run.report(now));
    const total = (count: (folder: FolderReport) => number) => folders.reduce((sum, folder) => sum + count(folder), 0);
    const refused = total((folder) => folder.refused.length);
    const codes: number[] = [...this.#folders.values()].flatMap((run) => run.failure?.exitCode ?? []);
    if (refused > 0) codes.push(exitCodes.partial);
    if (this.#failure !== null) codes.push(this.#failure.exitCode);
    if (this.#stopped) codes.push(exitCodes.interrupted);
    const verdict: Verdict = this.#stopped
      ? 'stopped'
      : this.#failure !== null
        ? 'failed'
        : refused > 0
          ? 'partial'
          : 'complete';
    return {
      verdict,
      exitCode: worstExitCode(codes),
      source: accountLabel(this.#settings.source),
      target: accountLabel(this.#settings.target),
      folders,
      copied: total((folder) => folder.copied),
      alreadyThere: total((folder) => folder.alreadyThere),
      gone: total((folder) => folder.gone),
      refused,
      resent: total((folder) => folder.resent),
      bytes: total((folder) => folder.bytes),
      seconds: Math.round(now - this.#startedAt) / 1000,
      keptOrder: this.#keepsOrder,
      warnings: this.#warnings,
      failure: this.#failure === null ? null : { code: this.#failure.code, message: this.#failure.message },
    };
  }
}

/** What a batch's answer means to the journal. */
function recordsOf(run: FolderRun, report: BatchReport): JournalRecord[] {
  const folderId = run.journal?.id ?? 0;
  const verdicts: JournalVerdict[] = [];
  const dropped: number[] = [];
  for (const outcome of report.outcomes) {
    const { uid } = outcome;
    if (outcome.kind === 'copied') {
      const { targetUid, bytes: size, digest, flags } = outcome;
      verdicts.push({ uid, kind: 'copied', targetUid, size, digest, flags: flags.join(' ') });
      if (targetUid !== null && run.fence !== null) run.fence = Math.max(run.fence, targetUid + 1);
    } else if (outcome.kind === 'gone') {
      verdicts.push({ uid, kind: 'gone', targetUid: null, size: null, digest: null, flags: '' });
    } else dropped.push(uid);
  }
  const records: JournalRecord[] = [];
  if (verdicts.length > 0) records.push({ kind: 'verdicts', folderId, verdicts });
  if (dropped.length > 0) records.push({ kind: 'dropped', folderId, uids: dropped });
  return records;
}

function failureOf(error: unknown): LaneFailure {
  if (error instanceof LaneLostError) return error.failure;
  return { side: null, scope: 'lane', inDoubt: true, error: toWireError(error) };
}

function toWireError(error: unknown): WireError {
  if (error instanceof MigrateError) return { code: error.code, exitCode: error.exitCode, message: error.message };
  return {
    code: 'INTERNAL',
    exitCode: exitCodes.internal,
    message: error instanceof Error ? error.message : String(error),
  };
}

function totalMessages(runs: readonly FolderRun[]): number {
  return runs.reduce((sum, run) => sum + (run.pair.source.status?.messages ?? 0), 0);
}

/** What copying the folder costs, in bytes as far as the source tells, else as if each message had a usual size. */
function sizeOf(run: FolderRun): number {
  const { status } = run.pair.source;
  return status?.size ?? (status?.messages ?? 0) * usualMessageBytes;
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
