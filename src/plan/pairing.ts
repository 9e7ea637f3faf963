import { type GroupVisitor, groupRows, JoinedKeys, type KeyColumn } from './row-groups.ts';

/** What twins may have in common besides their content, as columns of equal length. */
export interface TwinMarks {
  readonly uids: Uint32Array;
  /** INTERNALDATE as epoch milliseconds; NaN: unreadable. */
  readonly dates: Float64Array;
  /** Index into `flagSets`. */
  readonly flags: Uint32Array;
  readonly flagSets: readonly string[];
}

/** Rows that belong together: `source[i]` and `target[i]`, ascending by the source's. */
export interface RowPairs {
  readonly source: Uint32Array;
  readonly target: Uint32Array;
}

/** Which rows belong together, and which are left, each ascending. */
export interface MessageMatch {
  readonly pairs: RowPairs;
  readonly sourceLeft: Uint32Array;
  /** Copies too many: what they hold is at the source, and paired. */
  readonly targetLeft: Uint32Array;
  /** Messages at the target that the source does not hold. */
  readonly foreign: Uint32Array;
}

const unpaired = 0xffff_ffff;
/** What became of a target row; 0: it was in no group. */
const fates = { paired: 1, left: 2, foreign: 3 } as const;

/** A likeness is three words, the flags and two halves of the date: how many of them twins may differ in, best first. */
const likenessDepths = [0, 1, 3];

/** Pairs rows group by group. Rows are numbered as in `JoinedKeys`: target rows behind source rows. */
export class Pairing {
  readonly #source: TwinMarks;
  readonly #target: TwinMarks;
  readonly #sourceRows: number;
  readonly #partners: Uint32Array;
  readonly #fates: Uint8Array;
  #likeness: JoinedKeys | null = null;

  constructor(source: TwinMarks, target: TwinMarks) {
    this.#source = source;
    this.#target = target;
    this.#sourceRows = source.uids.length;
    this.#partners = new Uint32Array(source.uids.length).fill(unpaired);
    this.#fates = new Uint8Array(target.uids.length);
  }

  /** Pairs the rows of one group, `[start, end)` of `rows`, which ascend: twins by flags and date, by date, by row. */
  readonly add: GroupVisitor = (rows, start, end) => {
    if (!this.#isTarget(rows[end - 1])) return;
    if (this.#isTarget(rows[start])) return this.#settle(rows, start, end, fates.foreign);
    if (end - start > 2) this.#pairTwins(rows.subarray(start, end));
    else this.zip(rows, start, end);
  };

  /** Pairs the rows of one group in their order, as far as there are some on both sides. */
  readonly zip: GroupVisitor = (rows, start, end) => {
    const middle = this.#firstTarget(rows, start, end);
    const pairs = Math.min(middle - start, end - middle);
    for (let index = 0; index < pairs; index++) {
      const target = (rows[middle + index] ?? 0) - this.#sourceRows;
      this.#partners[rows[start + index] ?? 0] = target;
      this.#fates[target] = fates.paired;
    }
  };

  pairs(): RowPairs {
    const source = rowsWhere(this.#partners, (partner) => partner !== unpaired);
    return { source, target: this.#partners.filter((partner) => partner !== unpaired) };
  }

  match(): MessageMatch {
    return {
      pairs: this.pairs(),
      sourceLeft: rowsWhere(this.#partners, (partner) => partner === unpaired),
      targetLeft: rowsWhere(this.#fates, (fate) => fate === fates.left),
      foreign: rowsWhere(this.#fates, (fate) => fate === fates.foreign),
    };
  }

  #pairTwins(twins: Uint32Array): void {
    let rest = twins;
    for (const depth of likenessDepths) {
      this.#likeness ??= likenessOf(this.#source, this.#target);
      groupRows(this.#likeness, rest, this.zip, depth);
      rest = rest.filter((row) => !this.#isPaired(row));
      if (this.#isTarget(rest[0]) || !this.#isTarget(rest.at(-1))) break;
    }
    this.#settle(rest, 0, rest.length, fates.left);
  }

  /** Says of target rows why they have no partner. */
  #settle(rows: Uint32Array, start: number, end: number, fate: number): void {
    for (let at = start; at < end; at++) {
      const row = rows[at];
      if (this.#isTarget(row)) this.#fates[row - this.#sourceRows] = fate;
    }
  }

  #isTarget(row: number | undefined): row is number {
    return row !== undefined && row >= this.#sourceRows;
  }

  #isPaired(row: number): boolean {
    return this.#isTarget(row)
      ? this.#fates[row - this.#sourceRows] === fates.paired
      : this.#partners[row] !== unpaired;
  }

  /** Where the target rows of a group begin. */
  #firstTarget(rows: Uint32Array, start: number, end: number): number {
    let from = start;
    let to = end;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#isTarget(rows[middle])) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}

/** The rows of a column whose value passes, ascending. */
function rowsWhere(column: Uint32Array | Uint8Array, passes: (value: number) => boolean): Uint32Array {
  const rows = new Uint32Array(column.length);
  let count = 0;
  for (let row = 0; row < column.length; row++) if (passes(column[row] ?? 0)) rows[count++] = row;
  return rows.slice(0, count);
}

function likenessOf(source: TwinMarks, target: TwinMarks): JoinedKeys {
  const ids = new Map<string, number>();
  return new JoinedKeys(3, likenessColumn(source, ids), likenessColumn(target, ids));
}

/** `ids` numbers the flag sets of both sides. */
function likenessColumn({ uids, dates, flags, flagSets }: TwinMarks, ids: Map<string, number>): KeyColumn {
  for (const flagSet of flagSets) if (!ids.has(flagSet)) ids.set(flagSet, ids.size);
  const idOf = Uint32Array.from(flagSets, (flagSet) => ids.get(flagSet) ?? 0);
  const words = new Uint32Array(uids.length * 3);
  const date = new Float64Array(1);
  const halves = new Uint32Array(date.buffer);
  for (let row = 0; row < uids.length; row++) {
    const epochMs = dates[row] ?? Number.NaN;
    // Equal dates must have equal bits, and NaN has many, as zero has two.
    date[0] = Number.isNaN(epochMs) ? Number.NaN : epochMs + 0;
    words[3 * row] = idOf[flags[row] ?? 0] ?? 0;
    words[3 * row + 1] = halves[0] ?? 0;
    words[3 * row + 2] = halves[1] ?? 0;
  }
  return { words, rows: uids.length };
}
