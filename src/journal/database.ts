/**
 * SQLite as the journal needs it: the one home of the SQLite package.
 */

import { pathToFileURL } from 'node:url';
import { DatabaseSync } from '@photostructure/sqlite';

export type Value = string | number | null | Uint8Array;
export type Row = readonly Value[];

/** A prepared statement. The package cannot finalize one: prepare once, or what is prepared lives as long as the heap likes. */
export interface Statement {
  run(...values: readonly Value[]): void;
  /** The first row as an array of its columns. */
  get(...values: readonly Value[]): Row | undefined;
  all(...values: readonly Value[]): Row[];
}

/** One connection. Every method throws what `databaseProblem` can tell apart. */
export class Database {
  readonly #db: InstanceType<typeof DatabaseSync>;

  /**
   * Opens the file; writers create it where it is missing. `busyMs`: how long a statement waits for others' locks.
   * `immutable`: nobody is going to write, and no log is looked for.
   */
  constructor(
    file: string,
    options: { readonly readOnly?: boolean; readonly busyMs: number; readonly immutable?: boolean },
  ) {
    const { readOnly = false, immutable = false, busyMs } = options;
    // References are for readers of the schema: the checksums hold more than they do, and cost no lookups.
    this.#db = new DatabaseSync(immutable ? immutableUrl(file) : file, {
      readOnly,
      timeout: busyMs,
      enableForeignKeyConstraints: false,
    });
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

function immutableUrl(file: string): URL {
  const url = pathToFileURL(file);
  url.searchParams.set('immutable', '1');
  return url;
}
