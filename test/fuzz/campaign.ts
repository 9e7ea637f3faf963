import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { Random } from '../support/corpus-messages.ts';
import { attempt } from './attempt.ts';
import { mutated } from './mutation.ts';
import { shrunk } from './shrink.ts';
import type { FuzzTarget } from './target.ts';

/** One input that a target does not stand, as small as it could be made. */
export interface Failure {
  readonly target: string;
  readonly seed: number;
  /** Counted from 0: the target's inputs depend on the seed and this number alone. */
  readonly iteration: number;
  readonly input: Buffer;
  readonly error: Error;
}

/** Inputs made by fast-check at a time. */
const batch = 64;

/** One target and its endless row of inputs. The same seed gives the same row, whatever other targets run beside it. */
export class Campaign {
  readonly target: FuzzTarget;
  readonly #seed: number;
  readonly #random: Random;
  #made: Buffer[] = [];
  #batches = 0;
  iterations = 0;

  constructor(target: FuzzTarget, seed: number) {
    this.target = target;
    this.#seed = seed;
    this.#random = new Random(crc32(target.name, seed >>> 0));
  }

  /** Runs the next input, told to `onInput` before. */
  async step(onInput: (input: Buffer, iteration: number) => void = () => {}): Promise<Failure | null> {
    const iteration = this.iterations++;
    const input = this.#next(iteration);
    onInput(input, iteration);
    const error = await attempt(this.target, input);
    if (error === null) return null;
    const smaller = await shrunk(input, async (candidate) => {
      onInput(candidate, iteration);
      return (await attempt(this.target, candidate)) !== null;
    });
    const { name } = this.target;
    const lastError = (await attempt(this.target, smaller)) ?? error;
    return { target: name, seed: this.#seed, iteration, input: smaller, error: lastError };
  }

  /** First the corpus as it is, then mutations of it and made ones in turns. */
  #next(iteration: number): Buffer {
    const { corpus, arbitrary } = this.target;
    const honest = corpus[iteration];
    if (honest !== undefined) return honest;
    if (arbitrary === undefined || iteration % 2 === 0) return mutated(this.#random, this.target);
    if (this.#made.length === 0) {
      const seed = crc32(`${this.target.name} ${this.#batches++}`, this.#seed >>> 0);
      this.#made = fc.sample(arbitrary, { seed, numRuns: batch });
    }
    return this.#made.pop() ?? Buffer.alloc(0);
  }
}
