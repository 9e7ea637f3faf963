/**
 * Finds rows with equal keys, a million of them in a second: by sorting row numbers, never by a Map of strings.
 */

/** The keys of two sides' rows in one numbering: source rows first, target rows behind them. */
export class JoinedKeys {
  readonly sourceRows: number;
  /** Of both sides. */
  readonly rows: number;
  /** Words of 32 bits in a key. */
  readonly width: number;
  readonly #source: Uint32Array;
  readonly #target: Uint32Array;

  /** @throws RangeError where a column is not `width` words for each of its rows */
  constructor(width: number, source: KeyColumn, target: KeyColumn) {
    for (const { words, rows } of [source, target]) {
      if (words.length !== rows * width) throw new RangeError(`${words.length} words for ${rows} keys of ${width}`);
    }
    this.width = width;
    this.sourceRows = source.rows;
    this.rows = source.rows + target.rows;
    this.#source = source.words;
    this.#target = target.words;
  }

  /** Part `depth` of a row's key. */
  wordAt(row: number, depth: number): number {
    const inSource = row < this.sourceRows;
    const words = inSource ? this.#source : this.#target;
    return words[(inSource ? row : row - this.sourceRows) * this.width + depth] ?? 0;
  }
}

export interface KeyColumn {
  /** A row's words one after the other. */
  readonly words: Uint32Array;
  readonly rows: number;
}

/** Takes a group: `[start, end)` of `rows`, ascending. */
export type GroupVisitor = (rows: Uint32Array, start: number, end: number) => void;

/**
 * Groups `rows` (ascending) by what their keys hold from word `fromDepth` on, and shows each group to `visit`. At most
 * n log n for each word of a key, whatever the keys are: a sender who picks his messages' hashes gains nothing.
 */
export function groupRows(keys: JoinedKeys, rows: Uint32Array, visit: GroupVisitor, fromDepth = 0): void {
  new Refinement(keys, rows).run(visit, fromDepth);
}

/** Rows of both sides in the numbering of their joined keys. Default: all. */
export function joinRows(keys: JoinedKeys, source?: Uint32Array, target?: Uint32Array): Uint32Array {
  const sources = source?.length ?? keys.sourceRows;
  const targets = target?.length ?? keys.rows - keys.sourceRows;
  const rows = new Uint32Array(sources + targets);
  for (let at = 0; at < sources; at++) rows[at] = source?.[at] ?? at;
  for (let at = 0; at < targets; at++) rows[sources + at] = keys.sourceRows + (target?.[at] ?? at);
  return rows;
}

/** Which half of a 64-bit word this machine keeps first. */
const [low, high] = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? [0, 1] : [1, 0];

/**
 * Splits rows into ever smaller runs, one word of the key after the other. Each row is a 64-bit number, the word above the
 * row: the engine sorts those without calling back, and equal words stay in the order of their rows.
 */
class Refinement {
  readonly #keys: JoinedKeys;
  readonly #entries: BigUint64Array<ArrayBuffer>;
  /** The same memory by halves. */
  readonly #halves: Uint32Array;
  readonly #ends: Uint32Array;
  #groups = 0;

  constructor(keys: JoinedKeys, rows: Uint32Array) {
    this.#keys = keys;
    this.#entries = new BigUint64Array(rows.length);
    this.#halves = new Uint32Array(this.#entries.buffer);
    this.#ends = new Uint32Array(rows.length);
    for (let at = 0; at < rows.length; at++) this.#halves[2 * at + low] = rows[at] ?? 0;
  }

  run(visit: GroupVisitor, fromDepth: number): void {
    const { length } = this.#entries;
    if (length > 0) this.#split(0, length, fromDepth);
    const rows = new Uint32Array(length);
    for (let at = 0; at < length; at++) rows[at] = this.#row(at);
    let start = 0;
    for (const end of this.#ends.subarray(0, this.#groups)) {
      visit(rows, start, end);
      start = end;
    }
  }

  /** No deeper than a key has words. */
  #split(start: number, end: number, fromDepth: number): void {
    let depth = fromDepth;
    if (end - start > 1) while (depth < this.#keys.width && this.#isUniform(start, end, depth)) depth++;
    if (end - start === 1 || depth === this.#keys.width) {
      this.#ends[this.#groups++] = end;
      return;
    }
    for (let at = start; at < end; at++) this.#halves[2 * at + high] = this.#keys.wordAt(this.#row(at), depth);
    this.#entries.subarray(start, end).sort();
    let from = start;
    for (let at = start + 1; at < end; at++) {
      if (this.#halves[2 * at + high] === this.#halves[2 * from + high]) continue;
      this.#split(from, at, depth + 1);
      from = at;
    }
    this.#split(from, end, depth + 1);
  }

  #isUniform(start: number, end: number, depth: number): boolean {
    const first = this.#keys.wordAt(this.#row(start), depth);
    for (let at = start + 1; at < end; at++) if (this.#keys.wordAt(this.#row(at), depth) !== first) return false;
    return true;
  }

  #row(at: number): number {
    return this.#halves[2 * at + low] ?? 0;
  }
}
