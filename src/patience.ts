import type { Cancel, Clock } from './clock.ts';
import { exitCodes, type WireError } from './errors.ts';
import type { PauseReport, Side, Waiting } from './job.ts';
import { formatLocalTime } from './local-time.ts';
import type { PushBack, PushedBack } from './worker/contract.ts';

/** A wait longer than this is no pause: the job is parked, since nobody wants to watch it. */
const parkFromMs = 10 * 60_000;
/** What is not said in so many words is not believed beyond a day. */
const longestMs = 24 * 3600_000;
/** The first wait where the server does not say how long, before its dice are thrown; then twice as long each time. */
const firstBackOffMs = 2_000;
const longestBackOffMs = 5 * 60_000;
/** So often in a row, with nothing achieved between. Then the server is left alone for longer. */
const maxTries = 8;
/** How long it is left alone then; twice as long after each time that brought nothing. */
const restMs = 30 * 60_000;
/** So many rests in a row: with `--wait` that is about a week. */
const maxRests = 12;
/** Places at a server become free when others log out, or when it notices that a connection is dead. */
const firstPlaceBackOffMs = 5_000;
const maxPlaceTries = 5;

/** What patience needs, and whom it tells. */
export interface PatienceParts {
  readonly clock: Clock;
  /** Milliseconds since 1970, only to say until when. */
  readonly wallClockMs: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Long waits are waited for; else they end the job. */
  readonly staysParked: boolean;
  /** How an account is named to people. */
  readonly label: (side: Side) => string;
  /** A wait begins; `null`: the last one is over. */
  readonly onWaiting: (waiting: Waiting | null) => void;
  /** Until told otherwise nothing is to be asked of that account. */
  readonly onHold: (side: Side, held: boolean) => void;
  /** The wait is so long that connections are better closed, to be opened again. */
  readonly onLeave: (error: WireError) => void;
  /** The job is parked: it ends. */
  readonly onParked: (error: WireError, untilMs: number) => void;
}

/** How one account has pushed back since something was achieved there. */
interface Account {
  tries: number;
  placeTries: number;
  rests: number;
  /** The wait under way, and when it ends by the clock. */
  waiting: Promise<boolean> | null;
  until: number;
}

interface Decision {
  readonly ms: number;
  readonly parks: boolean;
}

/** Decides how long a job waits for servers that push back, waits, and knows when it has waited enough. */
export class Patience {
  readonly #parts: PatienceParts;
  readonly #accounts: Record<Side, Account> = { source: newAccount(), target: newAccount() };
  readonly #sleepers = new Set<() => void>();
  readonly #pauses = new Map<string, { side: Side; why: string; words: string; times: number; ms: number }>();
  readonly #waits = new Set<Waiting>();
  #ended = false;

  constructor(parts: PatienceParts) {
    this.#parts = parts;
  }

  /** What was waited for until now. */
  get pauses(): PauseReport[] {
    return [...this.#pauses.values()].map(({ side, why, words, times, ms }) => {
      return { side, account: this.#parts.label(side), why, words, times, seconds: Math.round(ms) / 1000 };
    });
  }

  /** What is being waited for, the longest; `null`: nothing. */
  get waiting(): Waiting | null {
    return [...this.#waits].sort((a, b) => b.until.localeCompare(a.until))[0] ?? null;
  }

  /** Something was achieved: whatever pushes back from now on begins anew. */
  achieved(): void {
    for (const account of Object.values(this.#accounts)) {
      account.tries = 0;
      account.placeTries = 0;
      account.rests = 0;
    }
  }

  /**
   * A server pushed back; resolves when the same may be tried again. False: it may not, since the job is parked or ends, or
   * since there was no place for a connection so many times. `tries`: how often this very thing has been pushed back before.
   */
  async pushedBack(side: Side, { what, words }: PushedBack, tries = 0): Promise<boolean> {
    if (this.#ended) return false;
    const account = this.#accounts[side];
    if (what.kind === 'wait' && what.about !== 'account') return await this.#pause(side, what, words, tries);
    const stated = statedMs(what);
    if (account.waiting !== null) {
      // Others were told the same at about the same time: that counts once, and the longest counts.
      if (stated !== null && stated <= parkFromMs)
        account.until = Math.max(account.until, this.#parts.clock.now() + stated);
      return await account.waiting;
    }
    const decision = this.#decide(account, what);
    if (decision === null) return false;
    account.waiting = this.#wait(side, what, words, decision).finally(() => {
      account.waiting = null;
    });
    return await account.waiting;
  }

  /** Lets nothing be asked of an account for a moment. */
  slowDown(side: Side, why: string, words: string, ms: number): void {
    const account = this.#accounts[side];
    if (this.#ended || account.waiting !== null) return;
    const what = { kind: 'wait', why, waitMs: ms, slower: true, about: 'account' } as const;
    account.waiting = this.#wait(side, what, words, { ms, parks: false }).finally(() => {
      account.waiting = null;
    });
  }

  /** Resolves when neither account is being waited for. */
  async passed(): Promise<void> {
    const accounts = Object.values(this.#accounts);
    while (accounts.some(({ waiting }) => waiting !== null)) await Promise.all(accounts.map(({ waiting }) => waiting));
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#ended = true;
    for (const wake of this.#sleepers) wake();
  }

  /** How long to wait; `null`: not at all any more. */
  #decide(account: Account, what: PushBack): Decision | null {
    if (what.kind === 'connections') {
      if (account.placeTries >= maxPlaceTries) return null;
      return { ms: this.#backOff(firstPlaceBackOffMs, account.placeTries++), parks: false };
    }
    if (what.kind === 'park') return this.#rest(account, what.waitMs);
    const stated = statedMs(what);
    if (stated !== null && stated > parkFromMs) {
      account.rests++;
      return { ms: Math.min(stated, longestMs), parks: true };
    }
    if (account.tries >= maxTries) return this.#rest(account, restMs);
    const backOffMs = this.#backOff(firstBackOffMs, account.tries++);
    return { ms: stated ?? backOffMs, parks: false };
  }

  #rest(account: Account, ms: number): Decision {
    account.tries = 0;
    return { ms: Math.min(longestMs, ms * 2 ** account.rests++), parks: true };
  }

  /** Full jitter: whoever was sent away together does not come back together. */
  #backOff(firstMs: number, tries: number): number {
    return this.#parts.random() * Math.min(longestBackOffMs, firstMs * 2 ** tries);
  }

  async #wait(side: Side, what: PushBack, words: string, { ms, parks }: Decision): Promise<boolean> {
    const { clock, wallClockMs, staysParked, onHold, onLeave, onParked } = this.#parts;
    const account = this.#accounts[side];
    const untilMs = wallClockMs() + ms;
    if (parks) {
      const error = this.#parkedError(side, what, words, untilMs);
      if (!staysParked || account.rests > maxRests) {
        onParked(error, untilMs);
        return false;
      }
      onLeave(error);
    }
    account.until = clock.now() + ms;
    onHold(side, true);
    const goesOn = await this.#sleepUntil(() => account.until, this.#told(side, what, words, { untilMs, parks }));
    onHold(side, false);
    return goesOn;
  }

  /** Only who was put off waits. */
  async #pause(side: Side, what: PushBack, words: string, tries: number): Promise<boolean> {
    const { clock, wallClockMs } = this.#parts;
    const ms = statedMs(what) ?? this.#backOff(firstBackOffMs, tries);
    const until = clock.now() + ms;
    return await this.#sleepUntil(
      () => until,
      this.#told(side, what, words, { untilMs: wallClockMs() + ms, parks: false }),
    );
  }

  #told(
    side: Side,
    { why }: PushBack,
    words: string,
    { untilMs, parks }: { readonly untilMs: number; readonly parks: boolean },
  ): Waiting {
    return {
      side,
      account: this.#parts.label(side),
      why,
      words,
      until: new Date(untilMs).toISOString(),
      parked: parks,
    };
  }

  async #sleepUntil(until: () => number, waiting: Waiting): Promise<boolean> {
    const { clock, onWaiting } = this.#parts;
    const from = clock.now();
    this.#waits.add(waiting);
    onWaiting(waiting);
    while (!this.#ended && clock.now() < until()) await this.#sleep(until() - clock.now());
    this.#waits.delete(waiting);
    const { side, why, words } = waiting;
    const pause = this.#pauses.get(`${side} ${why}`) ?? { side, why, words, times: 0, ms: 0 };
    this.#pauses.set(`${side} ${why}`, { ...pause, words, times: pause.times + 1, ms: pause.ms + clock.now() - from });
    if (this.#waits.size === 0) onWaiting(null);
    return !this.#ended;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      let cancel: Cancel = () => {};
      const wake = () => {
        cancel();
        this.#sleepers.delete(wake);
        resolve();
      };
      this.#sleepers.add(wake);
      cancel = this.#parts.clock.after(ms, wake);
    });
  }

  #parkedError(side: Side, { why }: PushBack, words: string, untilMs: number): WireError {
    const until = formatLocalTime(untilMs);
    const said = words === '' ? '' : `: ${words}`;
    const message = `${side} ${this.#parts.label(side)} is parked until ${until} (local time): ${why}${said}`;
    return { code: 'PARKED', exitCode: exitCodes.parked, message };
  }
}

function newAccount(): Account {
  return { tries: 0, placeTries: 0, rests: 0, waiting: null, until: 0 };
}

function statedMs(what: PushBack): number | null {
  return what.kind === 'wait' || what.kind === 'park' ? what.waitMs : null;
}
