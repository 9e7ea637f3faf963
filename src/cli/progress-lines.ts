/**
 * Progress for logs and pipes: a line now and then, also when nothing moves.
 */
import type { Cancel, Clock } from '../clock.ts';
import type { Progress } from '../job.ts';
import { formatClock } from './format.ts';
import type { Output } from './io.ts';
import { type ProgressView, progressSentence } from './progress-view.ts';

export interface ProgressLinesOptions {
  readonly stream: Output;
  readonly clock: Clock;
  readonly everyMs: number;
  /** Also the first and the last word, however short the job. */
  readonly always: boolean;
}

/** Prints nothing that moves. */
export function plainView(stream: Output): ProgressView {
  return {
    update() {},
    print(lines) {
      for (const line of lines) stream.write(`${line}\n`);
    },
    stop() {},
  };
}

/** A line every `everyMs` from the first progress on: a heartbeat, which says so when nothing has moved since the last. */
export class ProgressLines implements ProgressView {
  readonly #options: ProgressLinesOptions;
  #latest: Progress | null = null;
  #printed: Progress | null = null;
  #movedAt: number;
  #cancel: Cancel | null = null;
  #stopped = false;

  constructor(options: ProgressLinesOptions) {
    this.#options = options;
    this.#movedAt = options.clock.now();
  }

  update(progress: Progress): void {
    if (this.#stopped) return;
    const before = this.#latest;
    if (
      before === null ||
      before.messages.done !== progress.messages.done ||
      before.bytes.done !== progress.bytes.done
    ) {
      this.#movedAt = this.#options.clock.now();
    }
    this.#latest = progress;
    if (this.#cancel !== null) return;
    if (this.#options.always) this.#beat();
    this.#schedule();
  }

  print(lines: readonly string[]): void {
    for (const line of lines) this.#options.stream.write(`${line}\n`);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancel?.();
    if (this.#options.always && this.#latest !== this.#printed) this.#beat();
  }

  #schedule(): void {
    this.#cancel = this.#options.clock.after(this.#options.everyMs, () => {
      this.#beat();
      this.#schedule();
    });
  }

  #beat(): void {
    if (this.#latest === null) return;
    this.#printed = this.#latest;
    const stillMs = this.#options.clock.now() - this.#movedAt;
    const still = stillMs >= this.#options.everyMs ? `; nothing moved for ${formatClock(stillMs)}` : '';
    this.print([`progress: ${progressSentence(this.#latest)}${still}`]);
  }
}
