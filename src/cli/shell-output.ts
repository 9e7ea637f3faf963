/**
 * What the shell's line editor writes to: the screen, with errors told apart from results.
 */
import { Writable } from 'node:stream';
import type { Output } from './io.ts';

/** What the line editor puts in front of what was thrown and not caught. */
const uncaughtWord = /^Uncaught:?\s/;

export interface ShellOutputOptions {
  readonly stream: Output;
  /** False: commands come from a file or a pipe, and nobody wants to read prompts. */
  readonly interactive: boolean;
  /** Told the line of every error. */
  onError(line: string): void;
}

export class ShellOutput extends Writable {
  readonly isTTY: boolean;
  readonly #options: ShellOutputOptions;

  constructor(options: ShellOutputOptions) {
    super({ decodeStrings: false });
    this.#options = options;
    this.isTTY = options.interactive;
    options.stream.on('resize', () => this.emit('resize'));
  }

  get columns(): number {
    return this.#options.stream.columns ?? 80;
  }

  get rows(): number {
    return this.#options.stream.rows ?? 24;
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const text = String(chunk);
    const uncaught = uncaughtWord.exec(text);
    if (uncaught !== null) {
      this.#options.onError(text.slice(uncaught[0].length).trimEnd());
      done();
    } else if (!this.#options.interactive && !text.endsWith('\n')) {
      // A prompt: everything else the editor prints is whole lines.
      done();
    } else this.#options.stream.write(text, () => done());
  }
}
