/**
 * What shows damage: a CRC on every row, tallies over rows, a chain over commits. SQLite itself has no page checksums.
 */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Value } from './database.ts';

/**
 * CRC-32 of a row: over the JSON array of its columns without the last one (`crc`), in which a blob stands as its length,
 * and on over the bytes of the blobs.
 */
export function rowCrc(columns: readonly Value[]): number {
  const blobs: Uint8Array[] = [];
  const text = JSON.stringify(
    columns.map((column) => {
      if (!(column instanceof Uint8Array)) return column;
      blobs.push(column);
      return column.length;
    }),
  );
  return blobs.reduce((crc, blob) => crc32(blob, crc), crc32(text));
}

/** True where the last column of `row` is the CRC of the others. */
export function isIntact(row: readonly Value[]): boolean {
  return rowCrc(row.slice(0, -1)) === row.at(-1);
}

const sumModulus = 2 ** 48;

/**
 * How many things rows hold, and the sum of the rows' CRCs modulo 2^48: a missing row, an extra one and an older version of
 * one show. A sum, because CRCs are linear under XOR: the same change to two rows would cancel out.
 */
export class Tally {
  count: number;
  sum: number;

  constructor(count = 0, sum = 0) {
    this.count = count;
    this.sum = sum;
  }

  /** A row with this CRC, which holds `count` things. */
  add(crc: number, count = 1): void {
    this.count += count;
    this.sum = (this.sum + crc) % sumModulus;
  }

  remove(crc: number, count = 1): void {
    this.count -= count;
    this.sum = (this.sum - crc + sumModulus) % sumModulus;
  }

  clear(): void {
    this.count = 0;
    this.sum = 0;
  }

  equals(other: Tally): boolean {
    return this.count === other.count && this.sum === other.sum;
  }
}

/** A row of the table `commits` without its chain. */
export interface Commit {
  /** 1, 2, 3, …: a gap is damage. */
  readonly id: number;
  /** UTC, ISO 8601. */
  readonly at: string;
  readonly kind: 'created' | 'write' | 'closed';
  /** Records written by it. */
  readonly records: number;
  /** Tally over `meta`, `flag_sets` and `folders`; a folder's row holds those of its messages and intents. */
  readonly rows: number;
  readonly sum: number;
}

/** The chain value of a commit: 128 bits, hexadecimal, over the chain of the commit before (`''` before the first) and its own columns. */
export function chainOf(previous: string, { id, at, kind, records, rows, sum }: Commit): string {
  const text = JSON.stringify([previous, id, at, kind, records, rows, sum]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
