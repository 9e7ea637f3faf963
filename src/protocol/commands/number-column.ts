import { LimitError } from '../errors.ts';

/** Numbers in a growing typed array: an array of objects would cost four times as much. */
export class NumberColumn {
  readonly #maxLength: number;
  #numbers = new Uint32Array(256);
  #length = 0;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** @throws LimitError beyond the greatest length. */
  add(number: number): void {
    this.#checkRoom(1);
    if (this.#length === this.#numbers.length) this.#reserve(1);
    this.#numbers[this.#length++] = number;
  }

  /** @throws LimitError beyond the greatest length. */
  addAll(numbers: Uint32Array): void {
    this.#checkRoom(numbers.length);
    this.#reserve(numbers.length);
    this.#numbers.set(numbers, this.#length);
    this.#length += numbers.length;
  }

  /** The numbers as they were added. */
  toArray(): Uint32Array {
    return this.#numbers.slice(0, this.#length);
  }

  /** The numbers in ascending order, each once. Servers send them so, but do not have to. */
  toAscending(): Uint32Array {
    const numbers = this.#numbers.slice(0, this.#length);
    let length = numbers.length;
    for (let at = 1; at < numbers.length; at++) {
      if ((numbers[at] as number) > (numbers[at - 1] as number)) continue;
      numbers.sort();
      length = dropEqualNeighbours(numbers);
      break;
    }
    return length === numbers.length ? numbers : numbers.slice(0, length);
  }

  #checkRoom(count: number): void {
    if (this.#length + count <= this.#maxLength) return;
    throw new LimitError(`a search has more than ${this.#maxLength} hits`);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#numbers.length) return;
    const grown = new Uint32Array(Math.max(needed, 2 * this.#numbers.length));
    grown.set(this.#numbers.subarray(0, this.#length));
    this.#numbers = grown;
  }
}

function dropEqualNeighbours(numbers: Uint32Array): number {
  let kept = 1;
  for (let at = 1; at < numbers.length; at++) {
    if (numbers[at] !== numbers[kept - 1]) numbers[kept++] = numbers[at] as number;
  }
  return Math.min(kept, numbers.length);
}
