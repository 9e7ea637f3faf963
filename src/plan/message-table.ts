/**
 * The messages of one folder as columns: two numbers a message instead of an object, so that a million of them
 * are 8 MB and cross to another thread in a millisecond.
 */

/** Columns of equal length, one row a message, ascending by UID. */
export interface MessageColumns {
  readonly uids: Uint32Array;
  /** RFC822.SIZE in bytes. */
  readonly sizes: Uint32Array;
}

const initialRows = 256;
/** What a size column can hold; a message above it is as good as endless. */
const maxSize = 0xffff_ffff;

/**
 * A growing table of messages. Whoever reads it sees it strictly ascending by UID, whatever order the rows came in:
 * windows overlap after an EXPUNGE, and servers may answer in any order. Of rows with one UID the first stands.
 * Rows that come in order cost two stores each; others are sorted once, when the table is read next.
 */
export class MessageTable {
  #uids: Uint32Array;
  #sizes: Uint32Array;
  #length = 0;
  /** Rows up to here ascend strictly. */
  #settled = 0;

  /** An empty table with room for `expectedRows`; it grows as needed. */
  constructor(expectedRows = 0) {
    const rows = Math.max(expectedRows, initialRows);
    this.#uids = new Uint32Array(rows);
    this.#sizes = new Uint32Array(rows);
  }

  /** A table of the rows of `columns`, which are copied. Throws RangeError as `append` does. */
  static from(columns: MessageColumns): MessageTable {
    const table = new MessageTable(columns.uids.length);
    table.append(columns);
    return table;
  }

  /** The rows of all `tables` as one new table, in UID order. */
  static concat(tables: readonly MessageTable[]): MessageTable {
    const table = new MessageTable(tables.reduce((rows, part) => rows + part.length, 0));
    for (const part of tables) table.append(part);
    return table;
  }

  get length(): number {
    this.#settle();
    return this.#length;
  }

  /** A view of the UIDs. Valid until the table grows. */
  get uids(): Uint32Array {
    this.#settle();
    return this.#uids.subarray(0, this.#length);
  }

  /** A view of the sizes. Valid until the table grows. */
  get sizes(): Uint32Array {
    this.#settle();
    return this.#sizes.subarray(0, this.#length);
  }

  /** The highest UID, 0 where the table is empty (no message has UID 0). */
  get lastUid(): number {
    this.#settle();
    return this.#lastSettledUid;
  }

  /**
   * Adds one row.
   * @throws RangeError for a UID outside 1…2³²-1 or a size that is not a whole number of at least 0.
   */
  push(uid: number, size: number): void {
    checkUid(uid);
    const bytes = toSize(size);
    const inOrder = this.#settled === this.#length && uid > this.#lastSettledUid;
    this.#reserve(this.#length + 1);
    this.#uids[this.#length] = uid;
    this.#sizes[this.#length] = bytes;
    this.#length += 1;
    if (inOrder) this.#settled = this.#length;
  }

  /**
   * Adds a window of rows, copying them.
   * @throws RangeError where the columns differ in length or hold the UID 0.
   */
  append(window: MessageColumns): void {
    const { uids, sizes } = window;
    if (uids.length !== sizes.length) throw new RangeError(`${uids.length} UIDs but ${sizes.length} sizes`);
    const inOrder = this.#settled === this.#length && follows(uids, this.#lastSettledUid);
    if (!inOrder) for (const uid of uids) checkUid(uid);
    this.#reserve(this.#length + uids.length);
    this.#uids.set(uids, this.#length);
    this.#sizes.set(sizes, this.#length);
    this.#length += uids.length;
    if (inOrder) this.#settled = this.#length;
  }

  /** Rows `[start, end)` as a table of its own. */
  slice(start = 0, end = this.length): MessageTable {
    return MessageTable.from({ uids: this.uids.subarray(start, end), sizes: this.sizes.subarray(start, end) });
  }

  /** The given rows (ascending row numbers) as a table of its own. */
  pick(rows: Uint32Array): MessageTable {
    const { uids: ownUids, sizes: ownSizes } = this;
    const uids = new Uint32Array(rows.length);
    const sizes = new Uint32Array(rows.length);
    for (let index = 0; index < rows.length; index += 1) {
      const row = rows[index] ?? 0;
      if (row >= ownUids.length) throw new RangeError(`row ${row} of a table of ${ownUids.length}`);
      uids[index] = ownUids[row] ?? 0;
      sizes[index] = ownSizes[row] ?? 0;
    }
    return MessageTable.from({ uids, sizes });
  }

  /** Sum of the sizes of rows `[start, end)` in bytes. */
  totalBytes(start = 0, end = this.length): number {
    return sumOf(this.sizes, start, Math.min(end, this.length));
  }

  /** The rows in memory of their own and of exactly their size: post them with `transfer` and nothing is copied again. */
  columns(): MessageColumns {
    return { uids: this.uids.slice(), sizes: this.sizes.slice() };
  }

  get #lastSettledUid(): number {
    return this.#settled === 0 ? 0 : (this.#uids[this.#settled - 1] ?? 0);
  }

  #reserve(rows: number): void {
    if (rows <= this.#uids.length) return;
    const capacity = Math.max(rows, this.#uids.length * 2);
    this.#uids = grow(this.#uids, capacity);
    this.#sizes = grow(this.#sizes, capacity);
  }

  /** Puts rows that came out of order in their places. */
  #settle(): void {
    if (this.#settled === this.#length) return;
    const length = this.#length;
    const order = Uint32Array.from({ length }, (_, row) => row);
    const oldUids = this.#uids;
    const oldSizes = this.#sizes;
    order.sort((a, b) => (oldUids[a] ?? 0) - (oldUids[b] ?? 0) || a - b);
    this.#uids = new Uint32Array(oldUids.length);
    this.#sizes = new Uint32Array(oldSizes.length);
    let last = 0;
    this.#length = 0;
    for (const row of order) {
      const uid = oldUids[row] ?? 0;
      if (uid === last) continue;
      this.#uids[this.#length] = uid;
      this.#sizes[this.#length] = oldSizes[row] ?? 0;
      this.#length += 1;
      last = uid;
    }
    this.#settled = this.#length;
  }
}

/** Sum of `sizes[start, end)`. Exact up to 2⁵³ bytes. */
export function sumOf(sizes: Uint32Array | Float64Array, start = 0, end = sizes.length): number {
  let sum = 0;
  for (let row = start; row < end; row += 1) sum += sizes[row] ?? 0;
  return sum;
}

/** True where `uids` is strictly ascending and starts above `floor`. */
export function follows(uids: Uint32Array, floor: number): boolean {
  let last = floor;
  for (let row = 0; row < uids.length; row += 1) {
    const uid = uids[row] ?? 0;
    if (uid <= last) return false;
    last = uid;
  }
  return true;
}

function grow(column: Uint32Array, capacity: number): Uint32Array {
  const larger = new Uint32Array(capacity);
  larger.set(column);
  return larger;
}

function checkUid(uid: number): void {
  // RFC 3501 2.3.1.1: a UID is a non-zero 32-bit number.
  if (!Number.isInteger(uid) || uid < 1 || uid > 0xffff_ffff) throw new RangeError(`${uid} is not a UID`);
}

function toSize(size: number): number {
  if (!Number.isInteger(size) || size < 0) throw new RangeError(`${size} is not a size in bytes`);
  return Math.min(size, maxSize);
}
