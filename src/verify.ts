import { endpointLabel } from './account.ts';
import { type Cancel, type Clock, systemClock } from './clock.ts';
import type { JobHooks, JobParts } from './coordinator.ts';
import { toPace } from './crew.ts';
import { exitCodes, MigrateError, type WireError, worstExitCode } from './errors.ts';
import type { Difference, VerifyReport, VerifySettings } from './job.ts';
import { LaneDriver, type LaneHost, LaneLostError, ThreadHost, toJobError } from './lanes.ts';
import { Patience } from './patience.ts';
import { compareFolders, type FolderDifference } from './plan/compare.ts';
import { mapFolders } from './plan/folder-map.ts';
import type { FolderPair } from './plan/types.ts';
import { ProgressMeter } from './progress.ts';
import type { FolderContents, LaneFailure } from './worker/contract.ts';

const progressEveryMs = 250;
/** What the lane may take to end once it was told to; what is left then is ended at once. */
const drainMs = 4_000;

/**
 * Compares two accounts folder by folder: every message, its flags and its date, and with `digest` its bytes. Writes nothing.
 * @throws MigrateError when an account cannot be opened, or the folders cannot be mapped.
 */
export async function verify(settings: VerifySettings, hooks: JobHooks, parts?: JobParts): Promise<VerifyReport> {
  const host = parts?.host ?? new ThreadHost(1);
  try {
    return await new Verification(settings, hooks, host, parts?.clock ?? systemClock, parts ?? {}).run();
  } finally {
    await host.close();
  }
}

class Verification {
  readonly #settings: VerifySettings;
  readonly #hooks: JobHooks;
  readonly #host: LaneHost;
  readonly #clock: Clock;
  readonly #lane: LaneDriver;
  readonly #progress: ProgressMeter;
  readonly #patience: Patience;
  readonly #differences: Difference[] = [];
  readonly #folders: VerifyReport['folders'][number][] = [];
  #compared = 0;
  #failure: WireError | null = null;
  #cancelEnd: Cancel | null = null;

  constructor(
    settings: VerifySettings,
    hooks: JobHooks,
    host: LaneHost,
    clock: Clock,
    parts: Pick<JobParts, 'wallClockMs' | 'random'>,
  ) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.#host = host;
    this.#clock = clock;
    this.#progress = new ProgressMeter(clock);
    const { source, target } = settings;
    this.#patience = new Patience({
      clock,
      wallClockMs: parts.wallClockMs ?? Date.now,
      random: parts.random ?? Math.random,
      staysParked: false,
      label: (side) => endpointLabel(settings[side]),
      onWaiting: (waiting) => hooks.onEvent(waiting === null ? { kind: 'resumed' } : { kind: 'waiting', waiting }),
      // The one lane there is asks for nothing meanwhile.
      onHold: () => {},
      onLeave: () => {},
      onParked: (error) => {
        this.#failure = error;
      },
    });
    this.#lane = new LaneDriver(
      host.start({
        laneId: 0,
        isFirst: true,
        source,
        target,
        pace: toPace(settings),
        compress: settings.compress,
        readOnly: true,
      }),
      () => {},
    );
  }

  async run(): Promise<VerifyReport> {
    const startedAt = this.#clock.now();
    const { signal } = this.#hooks;
    const end = () => this.#endLane();
    const beat = setInterval(() => this.#emitProgress(), progressEveryMs);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    try {
      this.#lane.post({ kind: 'list' });
      const { source, target } = await this.#lane.expect(['listed']);
      const map = mapFolders(
        { folders: source.folders, naming: source.facts.traits },
        { folders: target?.folders ?? [], naming: (target ?? source).facts.traits },
        this.#settings.mapping,
      );
      const [error] = map.problems.filter((problem) => problem.severity === 'error');
      if (error !== undefined) throw new MigrateError(error.code, exitCodes.usage, error.message);
      const pairs = map.pairs.filter((pair) => !pair.nameOnly);
      for (const pair of pairs) this.#progress.addTotal(pair.source.status?.messages ?? 0, 0);
      for (const [folderId, pair] of pairs.entries()) {
        if (signal.aborted) break;
        await this.#verifyFolder(folderId, pair);
      }
    } catch (error) {
      const isLost = error instanceof LaneLostError;
      // A lane that was told to end answers no more: that is the stop itself, and no failure.
      if (!(isLost && signal.aborted)) {
        // Before anything could be compared there is nothing to report.
        if (!isLost || this.#folders.length === 0) throw this.#parkedError ?? toJobError(error);
        this.#failure ??= error.failure.error;
      }
    } finally {
      clearInterval(beat);
      signal.removeEventListener('abort', end);
      this.#endLane();
      await this.#lane.ended;
      this.#cancelEnd?.();
    }
    this.#emitProgress();
    return this.#report(Math.round(this.#clock.now() - startedAt) / 1000);
  }

  #endLane(): void {
    this.#patience.end();
    this.#lane.post({ kind: 'drain' });
    this.#cancelEnd ??= this.#clock.after(drainMs, () => void this.#host.close());
  }

  async #verifyFolder(folderId: number, pair: FolderPair): Promise<void> {
    const { name } = pair.source;
    this.#progress.folderStarted(name, pair.source.status?.messages ?? 0);
    const source = await this.#inspect(folderId, 'source', pair.source.rawName);
    const target = pair.target === null ? null : await this.#inspect(folderId, 'target', pair.target.rawName);
    // Half a folder proves nothing.
    if (source?.complete === false || target?.complete === false) return;
    const before = this.#differences.length;
    let foreign = 0;
    if (source === null)
      this.#add({
        kind: 'unreadable',
        folder: name,
        sourceUid: null,
        targetUid: null,
        message: 'the source folder cannot be read',
      });
    else if (target === null) {
      const message =
        pair.target === null ? `the target has no folder ${pair.targetName}` : 'the target folder cannot be read';
      this.#add({ kind: 'folder-missing', folder: name, sourceUid: null, targetUid: null, message });
    } else {
      for (const uid of source.unreadable) this.#addUnreadable(name, uid, null);
      for (const uid of target.unreadable) this.#addUnreadable(name, null, uid);
      this.#addUnlisted(name, 'source', source);
      this.#addUnlisted(name, 'target', target);
      const comparison = compareFolders(source, target);
      foreign = comparison.foreign;
      this.#compared += comparison.matched;
      for (const difference of comparison.differences) this.#add(describe(name, difference));
    }
    const sourceMessages = source === null ? 0 : countOf(source);
    const targetMessages = target === null ? 0 : countOf(target);
    this.#folders.push({
      source: name,
      target: pair.targetName,
      sourceMessages,
      targetMessages,
      foreign,
      differences: this.#differences.length - before,
    });
    this.#progress.done(name, sourceMessages, 0);
    this.#progress.folderFinished(name);
  }

  async #inspect(folderId: number, side: 'source' | 'target', raw: string): Promise<FolderContents | null> {
    this.#lane.post({
      kind: 'inspect',
      folderId,
      task: { side, folder: { raw }, bodies: this.#settings.digest, uids: null, fromUid: 1 },
    });
    const answer = await this.#lane.expect(
      ['inspected', 'inspect-failed'],
      (message) => message.folderId === folderId && message.side === side,
    );
    if (answer.kind === 'inspected') {
      this.#patience.achieved();
      return answer.contents;
    }
    const { scope, error } = answer.failure;
    if (scope === 'folder' && (await this.#isWorthRepeating(side, answer.failure)))
      return await this.#inspect(folderId, side, raw);
    if (scope !== 'folder' || this.#failure !== null) throw new LaneLostError(answer.failure);
    this.#hooks.onEvent({ kind: 'warning', folder: null, message: error.message });
    return null;
  }

  /** What is thrown where a server wants to be left alone for long. */
  get #parkedError(): MigrateError | null {
    if (this.#failure === null) return null;
    const { code, exitCode, message } = this.#failure;
    return new MigrateError(code, exitCode, message);
  }

  /** Waits where the account as a whole is put off; false: the folder cannot be read, or the wait is too long. */
  async #isWorthRepeating(side: 'source' | 'target', { pushedBack }: LaneFailure): Promise<boolean> {
    if (pushedBack === null) return false;
    const { what } = pushedBack;
    if (what.kind === 'wait' && what.about !== 'account') return false;
    return await this.#patience.pushedBack(side, pushedBack);
  }

  #addUnreadable(folder: string, sourceUid: number | null, targetUid: number | null): void {
    const side = sourceUid === null ? 'target' : 'source';
    this.#add({
      kind: 'unreadable',
      folder,
      sourceUid,
      targetUid,
      message: `the ${side} does not give this message out`,
    });
  }

  /** What a server counts and does not list has no UID to name it by. */
  #addUnlisted(folder: string, side: 'source' | 'target', { unlisted }: FolderContents): void {
    if (unlisted === 0) return;
    const messages = unlisted === 1 ? '1 message' : `${unlisted} messages`;
    const message = `the ${side} counts ${messages} more than it lists`;
    this.#add({ kind: 'unreadable', folder, sourceUid: null, targetUid: null, message });
  }

  #add(difference: Difference): void {
    this.#differences.push(difference);
  }

  #emitProgress(): void {
    this.#progress.waiting = this.#patience.waiting;
    this.#hooks.onEvent({ kind: 'progress', progress: this.#progress.snapshot() });
  }

  #report(seconds: number): VerifyReport {
    const codes: number[] = this.#differences.length > 0 ? [exitCodes.mismatch] : [];
    if (this.#failure !== null) codes.push(this.#failure.exitCode);
    if (this.#hooks.signal.aborted) codes.push(exitCodes.interrupted);
    const failed = this.#failure !== null || this.#hooks.signal.aborted;
    return {
      verdict: failed ? 'failed' : this.#differences.length > 0 ? 'different' : 'identical',
      exitCode: worstExitCode(codes),
      folders: this.#folders,
      differences: this.#differences,
      compared: this.#compared,
      digest: this.#settings.digest,
      seconds,
      failure: this.#failure === null ? null : { code: this.#failure.code, message: this.#failure.message },
    };
  }
}

/** Messages of a folder, whatever could be learnt of them. */
function countOf({ uids, unreadable, unlisted }: FolderContents): number {
  return uids.length + unreadable.length + unlisted;
}

function describe(folder: string, difference: FolderDifference): Difference {
  const sourceUid = 'sourceUid' in difference ? difference.sourceUid : null;
  const targetUid = 'targetUid' in difference ? difference.targetUid : null;
  return { kind: difference.kind, folder, sourceUid, targetUid, message: wordsFor(difference) };
}

function wordsFor(difference: FolderDifference): string {
  switch (difference.kind) {
    case 'missing':
      return 'not at the target';
    case 'extra':
      return 'one copy more at the target than at the source';
    case 'content':
      return 'the bytes differ';
    case 'flags':
      return `flags are (${difference.source}) at the source and (${difference.target}) at the target`;
    case 'date':
      return `INTERNALDATE is ${isoDate(difference.sourceMs)} at the source and ${isoDate(difference.targetMs)} at the target`;
    default:
      return difference satisfies never;
  }
}

function isoDate(epochMs: number): string {
  return Number.isNaN(epochMs) ? 'unreadable' : new Date(epochMs).toISOString();
}
