import type { AccountSettings } from './account.ts';
import type { Cancel, Clock } from './clock.ts';
import { exitCodes, type WireError, wireErrorOf } from './errors.ts';
import type { JobSettings } from './job.ts';
import { LaneDriver, type LaneHost, LaneLostError, LanePool } from './lanes.ts';
import { makeShared } from './worker/allowance.ts';
import type { FromLane, JobPace, LaneFailure, LaneOptions } from './worker/contract.ts';

/** Time that what is in flight may take after a stop was asked for. */
const drainMs = 4_000;
/** Logins refused in one run, over all lanes: more could lock the account. */
const maxLoginFailures = 2;
/** How often a lost lane is replaced. */
const maxAttempts = 3;
const firstRetryMs = 500;

/** Whom a crew works for. */
export interface CrewHooks {
  /** Everything a lane says. */
  onMessage(message: FromLane, lane: LaneDriver): void;
  /** One more lane is ready for work. */
  onJoined(): void;
  /** A lane that was to join could not. */
  onRefused(failure: WireError): void;
  /** Nothing new may begin; what is in flight is finished. */
  onDrain(): void;
}

/** What every lane is started with. */
interface LaneAccounts extends Pick<LaneOptions, 'compress'> {
  readonly source: AccountSettings;
  readonly target: AccountSettings;
}

type JobLimits = Pick<JobSettings, 'bytesPerSecond' | 'messagesPerSecond'>;

/** What the lanes of a job share of its limits; absent: there are none. */
export function toPace({ bytesPerSecond, messagesPerSecond }: JobLimits): JobPace | undefined {
  if (bytesPerSecond === undefined && messagesPerSecond === undefined) return undefined;
  return {
    bytesPerSecond: bytesPerSecond ?? null,
    messagesPerSecond: messagesPerSecond ?? null,
    shared: makeShared(),
  };
}

/** The lanes of a running job: starts, adds and replaces them, gives them work, and ends them in an orderly way. */
export class Crew {
  readonly #accounts: LaneAccounts;
  readonly #pace: JobPace | undefined;
  readonly #host: LaneHost;
  readonly #clock: Clock;
  readonly #hooks: CrewHooks;
  readonly #lanes = new Set<LaneDriver>();
  readonly #pool = new LanePool((error) => this.fail(wireErrorOf(error)));
  #started = 0;
  #most = 0;
  /** Lanes that are to join and have not begun to log in. */
  #wanted = 0;
  #opening = 0;
  readonly #awaitingJoin: (() => void)[] = [];
  #loginFailures = 0;
  /** A lane being opened because none is left. */
  #replacing: Promise<void> | null = null;
  #stopped = false;
  #failure: WireError | null = null;
  #lastLost: WireError | null = null;
  #cancelEnd: Cancel | null = null;

  constructor(accounts: LaneAccounts & JobLimits, host: LaneHost, clock: Clock, hooks: CrewHooks) {
    this.#accounts = accounts;
    this.#pace = toPace(accounts);
    this.#host = host;
    this.#clock = clock;
    this.#hooks = hooks;
  }

  /** Lanes ready for work. */
  get size(): number {
    return this.#pool.size;
  }

  /** The most lanes that worked at once. */
  get most(): number {
    return this.#most;
  }

  /** Lanes that are to join. */
  get joining(): number {
    return this.#wanted + this.#opening;
  }

  /** Resolves when one of those that are joining has joined, or could not. */
  joined(): Promise<void> {
    return new Promise((resolve) => this.#awaitingJoin.push(resolve));
  }

  /** True while something is queued or runs. */
  get isBusy(): boolean {
    return this.#pool.isBusy;
  }

  /** True when somebody asked for the stop. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** What ended the job; `null`: nothing did. */
  get failure(): WireError | null {
    return this.#failure;
  }

  /** Why a lane was lost the last time. */
  get lastLost(): WireError | null {
    return this.#lastLost;
  }

  /** Lanes are being told to drain: nothing new may begin. */
  get isEnding(): boolean {
    return this.#stopped || this.#failure !== null || this.#cancelEnd !== null;
  }

  /** Why there is no lane to do some work. */
  get noLane(): LaneFailure {
    const lost = { code: 'LANE', exitCode: exitCodes.connect, message: 'no connection is left to copy it' };
    return { side: null, scope: 'lane', inDoubt: false, error: this.#lastLost ?? lost };
  }

  /** A new lane, being opened; it gets no work before `add`. */
  start(): LaneDriver {
    const { source, target, compress } = this.#accounts;
    const laneId = this.#started++;
    const isFirst = this.#lanes.size === 0;
    const handle = this.#host.start({ laneId, isFirst, source, target, compress, pace: this.#pace });
    const lane = new LaneDriver(handle, (message, from) => this.#hooks.onMessage(message, from));
    this.#lanes.add(lane);
    void lane.ended.then(() => this.#lanes.delete(lane));
    return lane;
  }

  /** Lets a lane that is ready take part. */
  add(lane: LaneDriver): void {
    this.#pool.add(lane);
    this.#most = Math.max(this.#most, this.size);
  }

  /** Adds lanes, as many at once as may be refused: a login the server refuses is tried by no more. */
  grow(count: number): void {
    this.#wanted += Math.max(0, count);
    while (this.#wanted > 0 && this.#opening < maxLoginFailures - this.#loginFailures && !this.isEnding) {
      this.#wanted--;
      this.#opening++;
      void this.#open().then((failure) => {
        this.#opening--;
        for (const resolve of this.#awaitingJoin.splice(0)) resolve();
        if (failure !== null && !this.isEnding) this.#hooks.onRefused(failure);
        this.grow(0);
      });
    }
  }

  /** Sets how many lanes work, beside those that are to join: wakes or adds some, or lets some rest. */
  employ(lanes: number): void {
    this.#wanted = 0;
    const missing = lanes - this.size - this.#opening;
    if (missing < 0) this.#pool.rest(-missing);
    else this.grow(missing - this.#pool.wake(missing));
  }

  /** Opens a lane where none is left; resolves when there is one, or when that cannot be. */
  async ensureLane(): Promise<void> {
    if (this.size > 0 || this.#pool.wake(1) > 0) return;
    this.#replacing ??= this.#replace().finally(() => {
      this.#replacing = null;
    });
    await this.#replacing;
  }

  async #replace(): Promise<void> {
    for (let attempt = 0; attempt < maxAttempts && this.size === 0; attempt++) {
      if (this.isEnding || this.#loginFailures >= maxLoginFailures) return;
      const waitMs = attempt === 0 ? 0 : firstRetryMs * 2 ** attempt;
      await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve));
      if (this.isEnding) return;
      this.#lastLost = (await this.#open()) ?? this.#lastLost;
    }
  }

  /** Opens one more lane and gives it work; answers why that did not succeed. */
  async #open(): Promise<WireError | null> {
    const lane = this.start();
    try {
      await lane.expect(['ready']);
    } catch (error) {
      const failure = failureOf(error).error;
      if (failure.exitCode === exitCodes.login) this.#loginFailures++;
      return failure;
    }
    this.add(lane);
    this.#hooks.onJoined();
    return null;
  }

  /** Runs `work` with a free lane, higher `priority` first; with `null` when no lane is left. */
  run(priority: number, work: (lane: LaneDriver | null) => Promise<void>): void {
    this.#pool.run(priority, work);
  }

  /** Resolves when nothing is queued and nothing runs. */
  idle(): Promise<void> {
    return this.#pool.idle();
  }

  /** A lane was lost, for this reason. */
  lost(error: WireError): void {
    this.#lastLost = error;
  }

  /** No lane can succeed any more: what is in flight is finished, nothing else begun. The first reason stands. */
  fail(failure: WireError): void {
    this.#failure ??= failure;
    this.#drain();
  }

  /** Somebody asked for the end: lanes have `drainMs` to finish and log out. */
  stop(): void {
    this.#stopped = true;
    this.#drain();
    this.#endBy();
  }

  /** Ends the lanes; resolves when none is left. */
  async end(): Promise<void> {
    this.#endBy();
    for (const lane of this.#lanes) lane.post({ kind: 'drain' });
    await Promise.all([...this.#lanes].map((lane) => lane.ended));
    this.#cancelEnd?.();
  }

  #drain(): void {
    this.#pool.clear();
    this.#hooks.onDrain();
    for (const lane of this.#lanes) lane.post({ kind: 'drain' });
  }

  /** What is left after `drainMs` is ended at once. */
  #endBy(): void {
    this.#cancelEnd ??= this.#clock.after(drainMs, () => void this.#host.close());
  }
}

/** How a lane that did not answer failed. */
export function failureOf(error: unknown): LaneFailure {
  if (error instanceof LaneLostError) return error.failure;
  return { side: null, scope: 'lane', inDoubt: true, error: wireErrorOf(error) };
}
