/**
 * SQLite as the journal needs it: the one home of the SQLite package.
 */

import { DatabaseSync } from '@photostructure/sqlite';

export type Value = string | number | null | Uint8Array;
export type Row = readonly Value[];

/** What went wrong, by SQLite's primary result code. */
export type DatabaseProblem =
  /** The file's content cannot be right (CORRUPT, NOTADB). */
  | 'damaged'
  /** Another connection holds a lock (BUSY, LOCKED). */
  | 'busy'
  /** The disk, the file system or the memory says no (FULL, IOERR, READONLY, CANTOPEN, …). */
  | 'refused'
  /** A statement that does not fit the file or the program. */
  | 'other';

const problemOfCode: Readonly<Record<number, DatabaseProblem>> = {
  3: 'refused',
  5: 'busy',
  6: 'busy',
  7: 'refused',
  8: 'refused',
  10: 'refused',
  11: 'damaged',
  13: 'refused',
  14: 'refused',
  15: 'refused',
  23: 'refused',
  26: 'damaged',
};

/** What kind of failure SQLite reports; `null`: the error is not SQLite's. */
export function databaseProblem(error: unknown): DatabaseProblem | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return problemOfCode[error.errcode & 0xff] ?? 'other';
}

/** A prepared statement. The package cannot finalize one: prepare once, or what is prepared lives as long as the heap likes. */
export interface Statement {
  run(...values: readonly Value[]): void;
  /** The first row as an array of its columns. */
  get(...values: readonly Value[]): Row | undefined;
  all(...values: readonly Value[]): Row[];
}

/** One connection. Every method throws what `databaseProblem` can tell apart. */
export class Database {
  readonly #db: DatabaseSync;

  /** Opens the file; writers create it where it is missing. `busyMs`: how long a statement waits for others' locks. */
  constructor(file: string, options: { readonly readOnly?: boolean; readonly busyMs: number }) {
    this.#db = new DatabaseSync(file, { readOnly: options.readOnly ?? false, timeout: options.busyMs });
  }

  /** Runs statements without values; leaves nothing prepared behind. */
  exec(sql: string): void {
    this.#db.exec(sql);
  }

  prepare(sql: string): Statement {
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    return {
      run: (...values) => {
        statement.run(...values);
      },
      get: (...values) => statement.get(...values) as Row | undefined,
      all: (...values) => statement.all(...values) as Row[],
    };
  }

  /** Value of a pragma; `null` where it gives none. */
  pragma(name: string): Value {
    return this.prepare(`PRAGMA ${name}`).get()?.[0] ?? null;
  }

  /**
   * Runs `work` in one transaction that holds the write lock from the start; rolls back and rethrows when it fails.
   */
  transaction<Result>(work: () => Result): Result {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** Ends a transaction without effect, if there is one: a full disk makes SQLite end it by itself. */
  rollback(): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
  }

  /** Ends the connection, and with it what it still locks. */
  close(): void {
    this.rollback();
    this.#db.close();
  }
}
