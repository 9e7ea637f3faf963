/**
 * Finds out which source messages a target folder holds already, from headers alone as far as that is certain.
 */
import type { ComparedSide } from './compare.ts';
import { joinKeys } from './message-keys.ts';
import { Pairing, type RowPairs } from './pairing.ts';
import { groupRows, joinRows } from './row-groups.ts';

/** One side of a folder whose bodies were not read, with sizes. */
export interface SizedSide extends ComparedSide {
  /** Bytes, as the server announces them. */
  readonly sizes: Uint32Array;
}

/** Rows of both sides, each ascending. */
export interface SideRows {
  readonly source: Uint32Array;
  readonly target: Uint32Array;
}

export interface Adoption {
  /** Messages that are the same beyond reasonable doubt: same header, size and date, and no other like them. */
  readonly certain: RowPairs;
  /**
   * Rows whose header stands on both sides, but whose content has to be compared. Messages of one header are in one part,
   * so that each part can be settled without the others; they follow the source's order.
   */
  readonly doubtful: readonly SideRows[];
}

/** A doubtful part is closed when it has this many rows: what an interruption may cost to be read again. */
const rowsPerPart = 4_000;

/**
 * Splits what two folders may have in common into what is certain and what must be read. Only `open` rows are adopted. The
 * others, whose messages are accounted for, count as likenesses all the same: what is ambiguous stays so when a part of it
 * was settled by a run that did not come to its end.
 */
export function splitByHeader(source: SizedSide, target: SizedSide, open: SideRows): Adoption {
  const keys = joinKeys(source, target, 'header');
  const isOpen = new Uint8Array(keys.rows);
  for (const row of joinRows(keys, open.source, open.target)) isOpen[row] = 1;
  const isCertain = (sourceRow: number, targetRow: number) =>
    source.sizes[sourceRow] === target.sizes[targetRow] &&
    Object.is(source.dates[sourceRow], target.dates[targetRow]) &&
    !isEmptyKey(source, sourceRow);
  const certain = new Pairing(source, target);
  const doubtful = new RowChains(keys.rows);
  groupRows(keys, joinRows(keys), (rows, start, end) => {
    const [first = 0, last = 0] = [rows[start], rows[end - 1]];
    const isSharedPair = end - start === 2 && first < keys.sourceRows && last >= keys.sourceRows;
    if (isSharedPair && isOpen[first] === 1 && isOpen[last] === 1 && isCertain(first, last - keys.sourceRows)) {
      certain.zip(rows, start, end);
      return;
    }
    if (first >= keys.sourceRows || last < keys.sourceRows) return;
    const group = rows.subarray(start, end).filter((row) => isOpen[row] === 1);
    if ((group[0] ?? keys.rows) < keys.sourceRows && (group.at(-1) ?? 0) >= keys.sourceRows) doubtful.add(group);
  });
  return { certain: certain.pairs(), doubtful: doubtful.parts(open.source, keys.sourceRows) };
}

/** Rows strung together, one chain a header: eight bytes a row at most, however many chains there are. */
class RowChains {
  /** The row behind, plus one; 0: there is none. */
  readonly #next: Uint32Array;
  readonly #isHead: Uint8Array;

  constructor(rows: number) {
    this.#next = new Uint32Array(rows);
    this.#isHead = new Uint8Array(rows);
  }

  add(rows: Uint32Array): void {
    for (let at = 0; at < rows.length; at++) this.#next[rows[at] ?? 0] = (rows[at + 1] ?? -1) + 1;
    this.#isHead[rows[0] ?? 0] = 1;
  }

  /** Whole chains in the order of their heads. */
  parts(heads: Uint32Array, sourceRows: number): SideRows[] {
    const parts: SideRows[] = [];
    let rows: number[] = [];
    const close = () => {
      const sorted = Uint32Array.from(rows).sort();
      const source = sorted.filter((row) => row < sourceRows);
      parts.push({ source, target: sorted.subarray(source.length).map((row) => row - sourceRows) });
      rows = [];
    };
    for (const head of heads) {
      if (this.#isHead[head] !== 1) continue;
      for (let next = head + 1; next > 0; next = this.#next[next - 1] ?? 0) rows.push(next - 1);
      if (rows.length >= rowsPerPart) close();
    }
    if (rows.length > 0) close();
    return parts;
  }
}

/** The key of a header without any identifying field: SHA-256 of nothing begins so. */
function isEmptyKey(side: ComparedSide, row: number): boolean {
  const at = (row * side.headerKeys.length) / side.uids.length;
  return side.headerKeys[at] === 0xe3 && side.headerKeys[at + 1] === 0xb0 && side.headerKeys[at + 2] === 0xc4;
}
