import { UsageError } from '../errors.ts';
import { parseSequenceSet } from '../sequence-set.ts';

const maxNumber = 0xffff_ffff;

/**
 * The messages a command asked for, as ranges: says of each answer whether it was asked for. Answers mostly come in
 * order, so the range that matched last is tried first.
 */
export class AskedMessages {
  /** from, to, from, to, … ascending and apart. */
  readonly #ranges: Uint32Array;
  /** `$` (RFC 5182): whatever the server remembers. */
  readonly #anything: boolean;
  /** The set has a `*`: it names the folder's last message, whatever its number. */
  readonly #last: boolean;
  readonly #answered = new AnsweredMessages();
  #hint = 0;

  /** @throws UsageError when the set is no sequence set. */
  constructor(set: string | ArrayLike<number>) {
    this.#anything = set === '$';
    this.#last = typeof set === 'string' && set.includes('*');
    this.#ranges = this.#anything ? new Uint32Array(0) : typeof set === 'string' ? rangesOf(set) : runsOf(set);
  }

  /**
   * True when the message was asked for and is answered for the first time. `isLast`: it is the folder's last message,
   * which `*` names.
   */
  take(number: number, isLast: boolean): boolean {
    return this.has(number, isLast) && this.#answered.add(number);
  }

  /** True when the message was asked for. */
  has(number: number, isLast: boolean): boolean {
    if (this.#anything || (this.#last && isLast)) return true;
    const ranges = this.#ranges;
    let at = this.#hint;
    if (at < ranges.length && number >= (ranges[at] as number) && number <= (ranges[at + 1] as number)) return true;
    at = this.#find(number);
    if (at === -1) return false;
    this.#hint = at;
    return true;
  }

  /** Index of the range around `number`, -1 when there is none. */
  #find(number: number): number {
    const ranges = this.#ranges;
    let low = 0;
    let high = ranges.length / 2 - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (number < (ranges[2 * middle] as number)) high = middle - 1;
      else if (number > (ranges[2 * middle + 1] as number)) low = middle + 1;
      else return 2 * middle;
    }
    return -1;
  }
}

/** Remembers numbers that mostly ascend, four bytes each; only those out of order cost more. */
class AnsweredMessages {
  #ascending = new Uint32Array(64);
  #length = 0;
  #last = 0;
  readonly #strays = new Set<number>();

  /** False when the number was added before. */
  add(number: number): boolean {
    if (number <= this.#last) {
      if (this.#strays.has(number) || this.#isAmongAscending(number)) return false;
      this.#strays.add(number);
      return true;
    }
    if (this.#length === this.#ascending.length) {
      const grown = new Uint32Array(2 * this.#length);
      grown.set(this.#ascending);
      this.#ascending = grown;
    }
    this.#ascending[this.#length++] = number;
    this.#last = number;
    return true;
  }

  #isAmongAscending(number: number): boolean {
    let low = 0;
    let high = this.#length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const there = this.#ascending[middle] as number;
      if (there === number) return true;
      if (there < number) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  }
}

function runsOf(numbers: ArrayLike<number>): Uint32Array {
  const ranges: number[] = [];
  for (let index = 0; index < numbers.length; index++) {
    const number = numbers[index] as number;
    const end = ranges.length - 1;
    if (end > 0 && number <= (ranges[end] as number) + 1) ranges[end] = Math.max(number, ranges[end] as number);
    else ranges.push(number, number);
  }
  return Uint32Array.from(ranges);
}

function rangesOf(set: string): Uint32Array {
  const sorted = [...parseOrRefuse(set)].sort((a, b) => a[0] - b[0]);
  const ranges: number[] = [];
  for (const [from, to] of sorted) {
    const end = ranges.length - 1;
    if (end > 0 && from <= (ranges[end] as number) + 1) ranges[end] = Math.max(to, ranges[end] as number);
    else ranges.push(from, to);
  }
  return Uint32Array.from(ranges);
}

function parseOrRefuse(set: string): (readonly [number, number])[] {
  try {
    return [...parseSequenceSet(set, maxNumber)];
  } catch (cause) {
    throw new UsageError(`${JSON.stringify(set.slice(0, 40))} is no sequence set`, { cause });
  }
}
