import { type AccountSettings, type EndpointSettings, endpointLabel, isTree } from './account.ts';
import { type Clock, systemClock } from './clock.ts';
import { Crew, isPutOff } from './crew.ts';
import { exitCodes, type WireError, wireErrorOf, worstExitCode } from './errors.ts';
import { FolderDriver } from './folder-driver.ts';
import { FolderRun, isSameTarget } from './folder-run.ts';
import type { FolderReport, JobEvent, JobReport, JobSettings, Side, Verdict } from './job.ts';
import { type Journal, type JournalFolder, type JournalPlace, openJournal, peekJournal } from './journal/index.ts';
import type { LaneAdvice } from './lane-tuner.ts';
import { type LaneDriver, type LaneHost, LaneLostError, ThreadHost, toJobError } from './lanes.ts';
import { mirrorGone } from './mirror.ts';
import { Patience } from './patience.ts';
import { mapFolders } from './plan/folder-map.ts';
import { buildPlan, changeBetween } from './plan/plan.ts';
import type { FolderPair, KnownFolder } from './plan/types.ts';
import { ProgressMeter } from './progress.ts';
import { noteVanished } from './vanished.ts';
import type { EndpointFacts, FromLane, ListedBefore, Listing, PrepareTask, PushedBack } from './worker/contract.ts';

/** How a job is watched and stopped. */
export interface JobHooks {
  onEvent(event: JobEvent): void;
  /** Aborted: take no new work, finish what is in flight within `drainMs`, and report. */
  readonly signal: AbortSignal;
  /** Reads an account again whose token has expired. Absent: tokens cannot be renewed. */
  renew?(account: AccountSettings): Promise<AccountSettings>;
}

/** What a job runs on; tests give it inline lanes and their own time. */
export interface JobParts {
  readonly host: LaneHost;
  readonly clock: Clock;
  /** How long a target must be quiet before a message whose APPEND was not answered counts as absent. */
  readonly settleMs?: number;
  /** Milliseconds since 1970, only to say when something will be. */
  readonly wallClockMs?: () => number;
  /** From 0 to 1: the dice of back-off. */
  readonly random?: () => number;
  /** Opens the journal. */
  readonly openJournal?: typeof openJournal;
}

/** A server may go on committing for some time after its client is gone. */
const defaultSettleMs = 10_000;
const progressEveryMs = 250;
/**
 * Copies one account to another, or with `dryRun` only plans it. Resolves with the report whatever happened to single
 * messages and folders.
 * @throws MigrateError when the job could not begin: an account that cannot be opened, a journal that cannot be used.
 */
export async function migrate(settings: JobSettings, hooks: JobHooks, parts?: Partial<JobParts>): Promise<JobReport> {
  const host = parts?.host ?? new ThreadHost(settings.threads);
  const job = new Job(settings, hooks, host, parts?.clock ?? systemClock, parts ?? {});
  try {
    return await job.run();
  } finally {
    await host.close();
  }
}

class Job {
  readonly #settings: JobSettings;
  readonly #hooks: JobHooks;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #parts: Partial<JobParts>;
  readonly #patience: Patience;
  readonly #crew: Crew;
  readonly #progress: ProgressMeter;
  readonly #warnings: string[] = [];
  #runs: readonly FolderRun[] = [];
  /** When the folders' STATUS came. */
  #listedAt = 0;
  #driver: FolderDriver | null = null;
  #journal: Journal | null = null;
  #keepsOrder = true;
  #connectionsReason = 'there was nothing to copy';
  #targetReportsUids = true;
  #parkedUntil: string | null = null;
  /** What was to be deleted at the target was not. */
  #keptAll = false;

  constructor(settings: JobSettings, hooks: JobHooks, host: LaneHost, clock: Clock, parts: Partial<JobParts>) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.#clock = clock;
    this.#parts = parts;
    this.#startedAt = clock.now();
    this.#progress = new ProgressMeter(clock);
    this.#patience = new Patience({
      clock,
      wallClockMs: parts.wallClockMs ?? Date.now,
      random: parts.random ?? Math.random,
      staysParked: settings.wait,
      label: (side) => endpointLabel(settings[side]),
      onWaiting: (waiting) => hooks.onEvent(waiting === null ? { kind: 'resumed' } : { kind: 'waiting', waiting }),
      onHold: (side, held) => this.#crew.hold(side, held),
      onLeave: (error) => this.#crew.leave(error),
      onParked: (error, untilMs) => this.#park(error, untilMs),
    });
    this.#crew = new Crew(
      { ...settings, readOnly: settings.dryRun, keepsManifest: isTree(settings.target) },
      host,
      clock,
      this.#patience,
      {
        onMessage: (message, lane) => this.#hear(message, lane),
        onJoined: () => this.#driver?.recruitAll(),
        onRefused: (failure) => this.#driver?.refusedLane(failure),
        renew: (side) => this.#renew(settings[side]),
        onDrain: () => {
          this.#patience.end();
          this.#driver?.stop();
        },
      },
    );
  }

  async run(): Promise<JobReport> {
    const crew = this.#crew;
    const stop = () => crew.stop();
    this.#hooks.signal.addEventListener('abort', stop);
    if (this.#hooks.signal.aborted) stop();
    const beat = setInterval(() => this.#emitProgress(), progressEveryMs);
    try {
      // It logs in while the journal is being opened.
      const first = crew.stopped ? null : crew.start();
      this.#journal = await this.#openJournal();
      if (first !== null && !crew.stopped) await this.#work(first);
    } catch (error) {
      // A lane that was told to drain answers no more questions: that is a stop, not a failure.
      if (!(crew.stopped && error instanceof LaneLostError)) throw toJobError(error);
    } finally {
      clearInterval(beat);
      this.#hooks.signal.removeEventListener('abort', stop);
      await crew.end();
      await this.#closeJournal();
    }
    const report = this.#report();
    this.#emitProgress();
    this.#hooks.onEvent({ kind: 'finished', report });
    return report;
  }

  async #openJournal(): Promise<Journal | null> {
    const { source, target, stateDir, dryRun, rebuild } = this.#settings;
    const place: JournalPlace = isTree(target)
      ? { kind: 'tree', directory: target.stateDirectory }
      : { kind: 'state', directory: stateDir };
    const pair = [place, endpointLabel(source), endpointLabel(target)] as const;
    if (dryRun) return await peekJournal(...pair);
    return await (this.#parts.openJournal ?? openJournal)(...pair, { rebuild });
  }

  async #closeJournal(): Promise<void> {
    try {
      await this.#journal?.[Symbol.asyncDispose]();
    } catch (error) {
      // What was done stays true: the next run looks at the target instead.
      this.#crew.fail(wireErrorOf(error));
    }
  }

  async #work(first: LaneDriver): Promise<void> {
    const { source, target, dryRun } = this.#settings;
    const begun = await this.#begin(first);
    if (begun === null) return;
    const { lane, listed } = begun;
    this.#listedAt = this.#clock.now();
    const atTarget = listed.target ?? { facts: listed.source.facts, folders: [], quotas: [] };
    this.#announce('source', source, listed.source.facts);
    this.#announce('target', target, atTarget.facts);
    const runs = this.#plan(listed.source, atTarget);
    if (runs === null || dryRun || this.#journal === null) return;
    await this.#copy(lane, runs, this.#journal);
    await this.#noteVanished(this.#journal, listed.source);
  }

  /** The lane that everything begins with, and what there is; `null`: the job has ended. */
  async #begin(first: LaneDriver): Promise<{ lane: LaneDriver; listed: Extract<FromLane, { kind: 'listed' }> } | null> {
    for (let lane = first; ; lane = this.#crew.start()) {
      // Not before the journal is locked: no other run may change what is listed. It leaves as soon as the lane has logged in.
      lane.post({ kind: 'list' });
      try {
        const listed = await lane.expect(['listed']);
        this.#crew.ready();
        return { lane, listed };
      } catch (error) {
        if (!(error instanceof LaneLostError) || !isPutOff(error.failure)) throw error;
        const goesOn = await this.#crew.yieldTo(error.failure);
        if (this.#crew.stopped || this.#parkedUntil !== null) return null;
        if (!goesOn) throw error;
      }
    }
  }

  /** `null`: there is nowhere to get a new token from. */
  #renew(account: EndpointSettings): Promise<AccountSettings> | null {
    return !isTree(account) && account.renewable === true ? (this.#hooks.renew?.(account) ?? null) : null;
  }

  #park(error: WireError, untilMs: number): void {
    this.#parkedUntil = new Date(untilMs).toISOString();
    this.#crew.fail(error);
  }

  #announce(side: Side, account: EndpointSettings, facts: EndpointFacts): void {
    const { server, traits, warnings } = facts;
    this.#hooks.onEvent({ kind: 'connected', side, account: endpointLabel(account), server, traits, warnings });
    for (const warning of warnings) this.#warn(`${side} ${endpointLabel(account)}: ${warning}`);
  }

  /** Decides what to do; `null`: the plan has errors. */
  #plan(atSource: Listing, atTarget: Listing): FolderRun[] | null {
    const { mapping, order, subscriptions } = this.#settings;
    const target = atTarget.facts.traits;
    const map = mapFolders(
      { folders: atSource.folders, naming: atSource.facts.traits },
      { folders: atTarget.folders, naming: target },
      mapping,
    );
    this.#targetReportsUids = target.reportsUids;
    const known = new Map<string, KnownFolder>();
    for (const pair of map.pairs) known.set(pair.source.rawName, this.#knownOf(pair));
    const plan = buildPlan({
      source: endpointLabel(this.#settings.source),
      target: endpointLabel(this.#settings.target),
      map,
      known,
      order,
      targetTraits: target,
      quotas: atTarget.quotas,
      ...(this.#settings.connections === 'auto' ? {} : { lanes: this.#settings.connections }),
    });
    this.#keepsOrder = plan.keepsOrder;

    this.#hooks.onEvent({ kind: 'planned', plan });
    const [error] = plan.problems.filter((problem) => problem.severity === 'error');
    if (error !== undefined) {
      this.#crew.fail({ code: error.code, exitCode: exitCodes.usage, message: error.message });
      return null;
    }
    return map.pairs.map((pair, id) => {
      const run = new FolderRun(id, pair, { shared: !plan.keepsOrder, target });
      run.change = known.get(pair.source.rawName)?.change ?? 'messages';
      run.listedBefore = this.#listedBefore(pair);
      run.subscribe = subscriptions === 'all' || (subscriptions === 'copy' && pair.source.subscribed);
      return run;
    });
  }

  /** What the journal knows of a pair, if nothing is open about it and the target is still the same folder. */
  #settledFolder(pair: FolderPair): JournalFolder | null {
    const folder = this.#journal?.folder(pair.source.rawName, pair.targetName) ?? null;
    const status = pair.target?.status ?? null;
    if (folder === null || status === null || folder.intents > 0 || folder.inDoubt) return null;
    return isSameTarget(folder, status, this.#targetReportsUids) ? folder : null;
  }

  /** What the journal says about a pair, measured by both sides' STATUS. */
  #knownOf(pair: FolderPair): KnownFolder {
    const folder = this.#settledFolder(pair);
    if (folder === null) {
      const messages = this.#journal?.folder(pair.source.rawName, pair.targetName)?.messages ?? 0;
      return { messages: pair.target === null ? 0 : messages, change: 'messages' };
    }
    const { messages } = folder;
    const change = changeBetween(folder.finishedAt, pair.source.status);
    return { messages, change: change === 'flags' && this.#settings.flags === 'once' ? 'none' : change };
  }

  /** The folder as it was when everything in it was copied; it stays copied, whatever came since. */
  #listedBefore(pair: FolderPair): ListedBefore | null {
    const folder = this.#settledFolder(pair);
    const { uidValidity = null, uidNext = null, messages = 0 } = folder?.finishedAt ?? {};
    return uidValidity === null || uidNext === null ? null : { uidValidity, uidNext, messages };
  }

  async #copy(lane: LaneDriver, runs: readonly FolderRun[], journal: Journal): Promise<void> {
    // Names that only group others hold nothing to report on.
    this.#runs = runs.filter((run) => !run.pair.nameOnly);
    const { connections, flags, source, target } = this.#settings;
    this.#driver = new FolderDriver(this.#runs, {
      crew: this.#crew,
      patience: this.#patience,
      journal,
      clock: this.#clock,
      progress: this.#progress,
      onEvent: (event) => this.#hooks.onEvent(event),
      onWarning: (message) => this.#warn(message),
      onLanes: (advice) => this.#tellLanes(advice),
      // Nobody else finishes what was begun on our own disk.
      settleMs: isTree(target) ? 0 : (this.#parts.settleMs ?? defaultSettleMs),
      listedAt: this.#listedAt,
      flags,
      connections,
      reportsUids: this.#targetReportsUids,
      keepsManifest: isTree(target),
      isPart: isTree(source) && source.only !== undefined,
      keepsOrder: this.#keepsOrder,
    });
    await this.#driver.drive(lane, this.#prepare(lane, runs));
    await this.#mirror(lane, journal);
  }

  /** What was in folders that the source has no more is gone from it, too; a backup keeps it. */
  async #noteVanished(journal: Journal, { folders }: Listing): Promise<void> {
    const { source, target } = this.#settings;
    const isPart = isTree(source) && source.only !== undefined;
    if (!isTree(target) || isPart || this.#crew.isEnding) return;
    const listed = folders.filter(({ selectable }) => selectable).map(({ rawName }) => rawName);
    const vanished = await noteVanished(journal, new Set(listed));
    if (vanished.messages === 0) return;
    const names = vanished.folders.map((name) => `"${name}"`).join(', ');
    this.#warn(
      `the source has no folder ${names} any more: the target keeps ${vanished.messages} messages that are gone`,
    );
  }

  /** Deletes at the target what the source has no more, where that is asked for and everything else went well. */
  async #mirror(lane: LaneDriver, journal: Journal): Promise<void> {
    const { mirror: limit } = this.#settings;
    if (limit === undefined || this.#crew.isEnding) return;
    if (this.#runs.some((run) => run.failure !== null)) {
      this.#keptAll = true;
      this.#warn('nothing was deleted (--mirror): some folders could not be looked through to their end');
      return;
    }
    const { refusal } = await mirrorGone(this.#runs, { lane, journal, limit });
    if (refusal === null) return;
    this.#keptAll = true;
    this.#warn(refusal);
  }

  /** Creates and subscribes everything in one go, before the first message; answers what could not be created, and why. */
  async #prepare(lane: LaneDriver, runs: readonly FolderRun[]): Promise<Map<FolderRun, WireError>> {
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
    return failed;
  }

  /** Answers what could not be created, and why. */
  async #prepareOn(lane: LaneDriver, runs: readonly FolderRun[]): Promise<Map<FolderRun, WireError>> {
    const failed = new Map<FolderRun, WireError>();
    const byId = new Map(runs.map((run) => [run.id, run]));
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
    const putOff: FolderRun[] = [];
    let pushedBack: PushedBack | null = null;
    for (const result of results) {
      const run = byId.get(result.folderId);
      if (run === undefined) continue;
      run.notes.push(...result.notes);
      run.created ||= result.created;
      if (result.failure === null) continue;
      failed.set(run, result.failure);
      if (result.pushedBack === null) continue;
      putOff.push(run);
      pushedBack ??= result.pushedBack;
    }
    // What may be one folder's own trouble is not asked for again and again.
    const isAccounts = pushedBack !== null && !(pushedBack.what.kind === 'wait' && pushedBack.what.about !== 'account');
    if (pushedBack === null || !isAccounts || !(await this.#patience.pushedBack('target', pushedBack))) return failed;
    for (const run of putOff) failed.delete(run);
    for (const [run, failure] of await this.#prepareOn(lane, putOff)) failed.set(run, failure);
    return failed;
  }

  #tellLanes({ lanes, reason }: LaneAdvice): void {
    this.#connectionsReason = reason;
    this.#hooks.onEvent({ kind: 'connections', connections: lanes, reason });
  }

  #hear(message: FromLane, lane: LaneDriver): void {
    if (message.kind === 'warning') this.#warn(message.message);
    else this.#driver?.hear(message, lane);
  }

  #warn(message: string): void {
    if (this.#warnings.includes(message)) return;
    this.#warnings.push(message);
    this.#hooks.onEvent({ kind: 'warning', folder: null, message });
  }

  #emitProgress(): void {
    this.#progress.waiting = this.#patience.waiting;
    this.#hooks.onEvent({ kind: 'progress', progress: this.#progress.snapshot() });
  }

  #report(): JobReport {
    const now = this.#clock.now();
    const { failure, stopped } = this.#crew;
    const folders = this.#runs.map((run) => run.report(now));
    const total = (count: (folder: FolderReport) => number) => folders.reduce((sum, folder) => sum + count(folder), 0);
    const refused = total((folder) => folder.refused.length);
    const codes: number[] = this.#runs.flatMap((run) => run.failure?.exitCode ?? []);
    const isPartial = refused > 0 || this.#keptAll;
    if (isPartial) codes.push(exitCodes.partial);
    if (failure !== null) codes.push(failure.exitCode);
    if (stopped) codes.push(exitCodes.interrupted);
    const isParked = failure?.exitCode === exitCodes.parked;
    const ended: Verdict = isParked ? 'parked' : 'failed';
    const verdict: Verdict = stopped ? 'stopped' : failure !== null ? ended : isPartial ? 'partial' : 'complete';
    return {
      verdict,
      exitCode: worstExitCode(codes),
      source: endpointLabel(this.#settings.source),
      target: endpointLabel(this.#settings.target),
      folders,
      copied: total((folder) => folder.copied),
      alreadyThere: total((folder) => folder.alreadyThere),
      gone: total((folder) => folder.gone),
      flagsChanged: total((folder) => folder.flagsChanged),
      deleted: total((folder) => folder.deleted),
      refused,
      resent: total((folder) => folder.resent),
      bytes: total((folder) => folder.bytes),
      seconds: Math.round(now - this.#startedAt) / 1000,
      keptOrder: this.#keepsOrder,
      connections: { most: Math.max(1, this.#crew.most), reason: this.#connectionsReason },
      warnings: this.#warnings,
      pauses: this.#patience.pauses,
      parkedUntil: verdict === 'parked' ? this.#parkedUntil : null,
      failure: failure === null ? null : { code: failure.code, message: failure.message },
    };
  }
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
