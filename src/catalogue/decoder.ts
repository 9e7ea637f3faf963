import { Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '../clock.ts';
import { exitCodes, MigrateError } from '../errors.ts';
import { decoderThread } from '../program-files.ts';
import { type MailDetails, plainDetails } from './mail-details.ts';
import type { MessageOutline } from './outline.ts';

/** What the decoder's thread is asked. */
export type DecoderQuestion =
  | { readonly kind: 'details'; readonly outlines: readonly MessageOutline[] }
  /** True where all of the words are in the text; they are folded (see `fold`). */
  | { readonly kind: 'find'; readonly message: Uint8Array; readonly words: readonly string[] };

/** `ready` comes once, before the first answer. */
export type DecoderAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'details'; readonly details: readonly MailDetails[] }
  | { readonly kind: 'found'; readonly found: boolean }
  | { readonly kind: 'failed' };

export const decoderLimits = {
  /** Heap of the thread. It is given the header's pieces, or one message. */
  heapMegabytes: 256,
  /** How long a thread may take to begin. */
  startMs: 60_000,
  /** How long it may take for a message, and for several of them. */
  messageMs: 5_000,
  batchMs: 20_000,
} as const;

export interface DecoderOptions {
  readonly clock?: Clock;
  /** `null`: on a thread, but for sources run as TypeScript, which a thread may not be able to load. */
  readonly inline?: boolean | null;
  readonly thread?: URL;
}

/**
 * The MIME parser on a thread of its own, where it may run out of memory or time, or fail: that costs the message that did it
 * its details, and nothing else. One question at a time.
 */
export class Decoder implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #inline: boolean;
  readonly #file: URL;
  #thread: DecoderThread | null = null;

  constructor(options: DecoderOptions = {}) {
    const { clock = systemClock, inline = null, thread = decoderThread } = options;
    this.#clock = clock;
    this.#inline = inline ?? import.meta.url.endsWith('.ts');
    this.#file = thread;
  }

  /** The details of each, in order. @throws MigrateError where no thread can be started */
  async details(outlines: readonly MessageOutline[]): Promise<MailDetails[]> {
    const all = await this.#ask({ kind: 'details', outlines }, decoderLimits.batchMs);
    if (all?.kind === 'details') return [...all.details];
    const details: MailDetails[] = [];
    for (const outline of outlines) {
      const one = await this.#ask({ kind: 'details', outlines: [outline] }, decoderLimits.messageMs);
      details.push((one?.kind === 'details' ? one.details[0] : undefined) ?? plainDetails(outline));
    }
    return details;
  }

  /** True where the message's text has all of the words; `null`: nobody can tell. @throws MigrateError as `details` */
  async find(message: Buffer, words: readonly string[]): Promise<boolean | null> {
    // Of a view, all of the memory that it is a part of would be handed over.
    const answer = await this.#ask({ kind: 'find', message: new Uint8Array(message), words }, decoderLimits.messageMs);
    return answer?.kind === 'found' ? answer.found : null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.end();
    this.#thread = null;
  }

  /** `null`: the thread did not survive it, or took too long. */
  async #ask(question: DecoderQuestion, withinMs: number): Promise<DecoderAnswer | null> {
    if (this.#inline) {
      const { answerQuestion } = await import('./decoder-service.ts');
      return answerQuestion(question);
    }
    this.#thread ??= await DecoderThread.start(this.#file, this.#clock);
    const answer = await this.#thread.ask(question, withinMs);
    if (answer === null) {
      await this.#thread.end();
      this.#thread = null;
    }
    return answer?.kind === 'failed' ? null : answer;
  }
}

class DecoderThread {
  readonly #worker: Worker;
  readonly #clock: Clock;
  /** Takes the next answer; `null`: there will be none. */
  #take: ((answer: DecoderAnswer | null) => void) | null = null;
  #ended = false;

  private constructor(file: URL, clock: Clock) {
    this.#clock = clock;
    this.#worker = new Worker(file, {
      name: 'decoder',
      execArgv: [],
      // What a parser writes in its distress is nobody's business.
      stderr: true,
      stdout: true,
      resourceLimits: { maxOldGenerationSizeMb: decoderLimits.heapMegabytes, maxYoungGenerationSizeMb: 32 },
    });
    this.#worker.on('message', (answer: DecoderAnswer) => this.#settle(answer));
    this.#worker.on('error', () => this.#lost());
    this.#worker.on('exit', () => this.#lost());
  }

  static async start(file: URL, clock: Clock): Promise<DecoderThread> {
    const thread = new DecoderThread(file, clock);
    const answer = await thread.#next(decoderLimits.startMs);
    if (answer?.kind === 'ready') return thread;
    await thread.end();
    throw new MigrateError('THREAD', exitCodes.internal, 'the thread that reads headers does not start');
  }

  ask(question: DecoderQuestion, withinMs: number): Promise<DecoderAnswer | null> {
    if (this.#ended) return Promise.resolve(null);
    const answer = this.#next(withinMs);
    this.#worker.postMessage(question);
    return answer;
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }

  #next(withinMs: number): Promise<DecoderAnswer | null> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(withinMs, () => this.#settle(null));
      this.#take = (answer) => {
        cancel();
        resolve(answer);
      };
    });
  }

  #lost(): void {
    this.#ended = true;
    this.#settle(null);
  }

  #settle(answer: DecoderAnswer | null): void {
    const take = this.#take;
    this.#take = null;
    take?.(answer);
  }
}
