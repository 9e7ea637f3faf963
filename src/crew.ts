import { type EndpointSettings, isTree } from './account.ts';
import type { Cancel, Clock } from './clock.ts';
import { exitCodes, type WireError, wireErrorOf } from './errors.ts';
import type { JobSettings, Side } from './job.ts';
import { LaneDriver, type LaneHost, LaneLostError, LanePool } from './lanes.ts';
import type { Patience } from './patience.ts';
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
  onRefused(failure: LaneFailure): void;
  /** The account with a new token; `null`: there is nowhere to get one from. */
  renew(side: Side): Promise<EndpointSettings> | null;
  /** Nothing new may begin; what is in flight is finished. */
  onDrain(): void;
}

/** What every lane is started with. */
interface LaneAccounts extends Pick<LaneOptions, 'compress' | 'readOnly' | 'keepsManifest'> {
  source: EndpointSettings;
  target: EndpointSettings;
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
  readonly #patience: Patience;
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
  /** Tokens that no login has been tried with. */
  readonly #untried = new Set<Side>();
  readonly #renewing = new Map<Side, Promise<boolean>>();
  /** A lane being opened because none is left. */
  #replacing: Promise<void> | null = null;
  #stopped = false;
  #failure: WireError | null = null;
  #lastLost: LaneFailure | null = null;
  #lastSilence: number | null = null;
  #cancelEnd: Cancel | null = null;

  constructor(accounts: LaneAccounts & JobLimits, host: LaneHost, clock: Clock, patience: Patience, hooks: CrewHooks) {
    this.#accounts = { ...accounts };
    this.#pace = toPace(accounts);
    this.#patience = patience;
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
  get lastLost(): LaneFailure | null {
    return this.#lastLost;
  }

  /** When a lane was lost the last time because a server fell silent, by the job's clock; `null`: none was. */
  get lastSilence(): number | null {
    return this.#lastSilence;
  }

  /** Lanes are being told to drain: nothing new may begin. */
  get isEnding(): boolean {
    return this.#stopped || this.#failure !== null || this.#cancelEnd !== null;
  }

  /** Why there is no lane to do some work. */
  get noLane(): LaneFailure {
    const lost = { code: 'LANE', exitCode: exitCodes.connect, message: 'no connection is left to copy it' };
    return { side: null, scope: 'lane', inDoubt: false, error: this.#lastLost?.error ?? lost, pushedBack: null };
  }

  /** A new lane, being opened; it gets no work before `add`. */
  start(): LaneDriver {
    const laneId = this.#started++;
    const isFirst = this.#lanes.size === 0;
    const handle = this.#host.start({ laneId, isFirst, ...this.#lane(), pace: this.#pace });
    const lane = new LaneDriver(handle, (message, from) => this.#hooks.onMessage(message, from));
    this.#lanes.add(lane);
    void lane.ended.then(() => this.#lanes.delete(lane));
    return lane;
  }

  #lane(): LaneAccounts {
    const { source, target, compress, readOnly, keepsManifest } = this.#accounts;
    return { source, target, compress, readOnly, keepsManifest };
  }

  /** A lane has logged in on both sides. */
  ready(): void {
    if (this.#untried.size > 0) this.#loginFailures = 0;
    this.#untried.clear();
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
    for (let attempt = 0; attempt < maxAttempts && this.size === 0; ) {
      if (this.isEnding || this.#loginFailures >= maxLoginFailures) return;
      const waitMs = attempt === 0 ? 0 : firstRetryMs * 2 ** attempt;
      await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve));
      if (this.isEnding) return;
      const failure = await this.#open();
      this.#lastLost = failure ?? this.#lastLost;
      if (failure === null || failure.pushedBack === null) attempt++;
      else if (!(await this.yieldTo(failure))) this.fail(failure.error);
    }
  }

  /**
   * Does what a server that pushed back wants: waits, or gets a new token. Resolves with true when the same may be tried
   * again; false: it may not, and perhaps the job has ended. `tries`: how often this very thing has been pushed back before.
   */
  async yieldTo(failure: LaneFailure, tries = 0): Promise<boolean> {
    const { side, pushedBack, error } = failure;
    if (pushedBack === null || side === null || this.isEnding) return false;
    const { what, words } = pushedBack;
    if (what.kind !== 'token') return await this.#patience.pushedBack(side, pushedBack, tries);
    if (await this.#renew(side)) return true;
    const account = this.#accounts[side];
    const isToken = !isTree(account) && (account.auth === 'xoauth2' || account.auth === 'oauthbearer');
    // A session may end where a password stays good.
    if (!isToken && error.exitCode !== exitCodes.login)
      return await this.#patience.pushedBack(side, { what: { kind: 'reconnect', why: what.why }, words });
    const advice = isToken ? '; get a new token, or let it be renewed here (oauth2 = yes)' : '';
    this.fail({ code: 'LOGIN', exitCode: exitCodes.login, message: error.message + advice });
    return false;
  }

  /** Gets a new token, once for all who want one; false: there is none to be had, or the newest one is refused. */
  #renew(side: Side): Promise<boolean> {
    const known = this.#renewing.get(side);
    if (known !== undefined) return known;
    if (this.#untried.has(side)) return Promise.resolve(false);
    const renewed = this.#hooks.renew(side);
    if (renewed === null) return Promise.resolve(false);
    const renewing = renewed
      .then(
        (account) => {
          this.#accounts[side] = account;
          this.#untried.add(side);
          return true;
        },
        (error: unknown) => {
          this.fail(wireErrorOf(error));
          return false;
        },
      )
      .finally(() => this.#renewing.delete(side));
    this.#renewing.set(side, renewing);
    return renewing;
  }

  /** Lets no lane begin anything with the messages of one side, or lets them go on. */
  hold(side: Side, held: boolean): void {
    for (const lane of this.#lanes) lane.post({ kind: 'hold', side, held });
  }

  /** Has all lanes end; what they leave others will do. */
  leave(error: WireError): void {
    this.#wanted = 0;
    for (const lane of this.#lanes) lane.post({ kind: 'leave', error });
  }

  /** Opens one more lane and gives it work; answers why that did not succeed. */
  async #open(): Promise<LaneFailure | null> {
    await this.#patience.passed();
    if (this.isEnding) return endedEarly;
    const lane = this.start();
    try {
      await lane.expect(['ready']);
    } catch (error) {
      const failure = failureOf(error);
      if (failure.error.exitCode !== exitCodes.login) return failure;
      this.#loginFailures++;
      // Some servers have but one word for a token that has expired and for one that is wrong.
      const isRenewed = failure.side !== null && this.#most > 0 && (await this.#renew(failure.side));
      return isRenewed && !this.isEnding ? await this.#open() : failure;
    }
    this.ready();
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
  lost(failure: LaneFailure): void {
    this.#lastLost = failure;
    if (failure.error.code === 'TIMEOUT') this.#lastSilence = this.#clock.now();
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

const endedEarly: LaneFailure = {
  side: null,
  scope: 'lane',
  inDoubt: false,
  error: { code: 'STOPPED', exitCode: exitCodes.interrupted, message: 'the job ends' },
  pushedBack: null,
};

/** True: nothing has gone wrong, it only has to wait. */
export function isPutOff({ pushedBack, error }: LaneFailure): boolean {
  return pushedBack !== null || error.exitCode === exitCodes.parked;
}

/** How a lane that did not answer failed. */
export function failureOf(error: unknown): LaneFailure {
  if (error instanceof LaneLostError) return error.failure;
  return { side: null, scope: 'lane', inDoubt: true, error: wireErrorOf(error), pushedBack: null };
}
