import type { Command } from './command.ts';
import { idleCommand } from './commands/idle.ts';
import { LimitError, ProtocolError } from './errors.ts';
import type { Cancel, Clock } from './types.ts';
import type { Unsolicited } from './unsolicited.ts';

export interface IdleOptions {
  /**
   * IDLE is ended and begun anew after so many milliseconds: servers give up on those who are silent for half an hour
   * (RFC 2177 3), some earlier; 540 000 unless given.
   */
  readonly renewMs?: number | undefined;
}

/** What an idle session needs of its client. */
export interface IdleHost {
  readonly clock: Clock;
  execute(command: Command<void>): Promise<void>;
  say(line: string): void;
  /** News that are kept for a slow reader at most. */
  readonly maxNews: number;
}

const defaultRenewMs = 540_000;

/**
 * IDLE (RFC 2177) for as long as it is wanted. A command that is given meanwhile is let through: IDLE ends, the command
 * is executed, IDLE begins again; news of that time are not lost. Iterating waits for news, one after the other; leaving
 * the loop ends it.
 */
export class Idle implements AsyncIterableIterator<Unsolicited>, AsyncDisposable {
  readonly #host: IdleHost;
  readonly #renewMs: number;
  readonly #news: Unsolicited[] = [];
  /** Of the IDLE under way: not asked for, asked for and not confirmed, confirmed, told to end. */
  #state: 'none' | 'begun' | 'idling' | 'ending' = 'none';
  /** DONE is to be said as soon as it may be. */
  #awaited = false;
  #stopped = false;
  #end: { readonly error: Error | null } | null = null;
  #cancelRenewal: Cancel = () => {};
  #wake: () => void = () => {};
  /** Settles when the last IDLE has been answered. Never rejects: `done` does. */
  readonly #finished: Promise<void>;

  constructor(host: IdleHost, options: IdleOptions) {
    this.#host = host;
    this.#renewMs = options.renewMs ?? defaultRenewMs;
    this.#finished = this.#run();
  }

  get ended(): boolean {
    return this.#end !== null;
  }

  /** For the client: something was heard. @throws LimitError when nobody reads them */
  hear(news: Unsolicited): void {
    if (this.#end !== null) return;
    if (this.#news.length >= this.#host.maxNews)
      throw new LimitError(`more than ${this.#host.maxNews} news wait unread`);
    this.#news.push(news);
    this.#wake();
  }

  /** For the client: ends it without waiting. */
  stop(): void {
    this.#stopped = true;
    this.#sayDone();
  }

  /** The next news; `done` once it has ended. @throws the error that ended it */
  async next(): Promise<IteratorResult<Unsolicited, undefined>> {
    await this.#somethingToTell();
    const news = this.#news.shift();
    if (news !== undefined) return { done: false, value: news };
    this.#throwFailure();
    return { done: true, value: undefined };
  }

  /**
   * All news since the last call; waits up to `timeoutMs` until there are some, for ever unless given. Empty when none came.
   * @throws the error that ended it
   */
  async check(timeoutMs?: number): Promise<Unsolicited[]> {
    let late = false;
    const cancel =
      timeoutMs === undefined
        ? () => {}
        : this.#host.clock.after(timeoutMs, () => {
            late = true;
            this.#wake();
          });
    await this.#somethingToTell(() => late);
    cancel();
    if (this.#news.length === 0) this.#throwFailure();
    return this.#news.splice(0);
  }

  /** Says DONE and waits for the answer; resolves with the news not read yet. @throws the error that ended it */
  async done(): Promise<Unsolicited[]> {
    this.stop();
    await this.#finished;
    this.#throwFailure();
    return this.#news.splice(0);
  }

  async return(): Promise<IteratorResult<Unsolicited, undefined>> {
    await this.done();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.done();
  }

  async #run(): Promise<void> {
    let error: Error | null = null;
    try {
      while (!this.#stopped) {
        this.#state = 'begun';
        this.#awaited = false;
        const onStarted = () => this.#onStarted();
        await this.#host.execute(idleCommand({ onStarted, onAwaited: () => this.#sayDone() }));
        this.#cancelRenewal();
        // Beginning anew at once would go round for ever with a server that ends it at once.
        if (this.#stateNow() !== 'ending') throw new ProtocolError('the server ended IDLE before it was told to');
      }
    } catch (cause) {
      error = cause instanceof Error ? cause : new ProtocolError('IDLE failed', { cause });
    }
    this.#cancelRenewal();
    this.#state = 'none';
    this.#end = { error };
    this.#wake();
  }

  /** The state, which callbacks change while `#run` waits. */
  #stateNow(): string {
    return this.#state;
  }

  #onStarted(): void {
    this.#state = 'idling';
    if (this.#awaited || this.#stopped) this.#sayDone();
    else this.#cancelRenewal = this.#host.clock.after(this.#renewMs, () => this.#sayDone());
  }

  #sayDone(): void {
    this.#awaited = true;
    if (this.#state !== 'idling') return;
    this.#state = 'ending';
    this.#host.say('DONE');
  }

  async #somethingToTell(isLate: () => boolean = () => false): Promise<void> {
    while (this.#news.length === 0 && this.#end === null && !isLate()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #throwFailure(): void {
    const error = this.#end?.error ?? null;
    if (error !== null) throw error;
  }
}
