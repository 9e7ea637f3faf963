/**
 * Signs for what a transaction wrote: the rows of the folders it changed, and the next link of the chain of commits.
 */

import { type Commit, chainOf, rowCrc, type Tally } from './checksum.ts';
import type { Database, Statement } from './database.ts';
import { type FolderState, folderColumns } from './folder-state.ts';
import { firstKeptCommit, keptCommits } from './schema.ts';

/** What has been signed for so far. */
export interface Signed {
  readonly lastCommit: Commit;
  readonly lastChain: string;
  /** Over `meta`, `flag_sets` and `folders`; whoever adds a row to one of the first two adds it here. */
  readonly rows: Tally;
}

export class CommitWriter {
  readonly #putFolder: Statement;
  readonly #putCommit: Statement;
  readonly #dropCommits: Statement;
  readonly #rows: Tally;
  #lastId: number;
  #lastChain: string;

  constructor(db: Database, { lastCommit, lastChain, rows }: Signed) {
    this.#putFolder = db.prepare(
      `INSERT OR REPLACE INTO folders (${folderColumns.join(', ')}, crc)
      VALUES (${folderColumns.map(() => '?').join(', ')}, ?)`,
    );
    this.#putCommit = db.prepare(
      'INSERT INTO commits (id, at, kind, records, row_count, row_sum, chain) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#dropCommits = db.prepare('DELETE FROM commits WHERE id < ?');
    this.#rows = rows;
    this.#lastId = lastCommit.id;
    this.#lastChain = lastChain;
  }

  /** Ends what the transaction writes. */
  sign(folders: Iterable<FolderState>, { kind, records }: Pick<Commit, 'kind' | 'records'>): void {
    for (const folder of folders) {
      const columns = folder.toColumns();
      const crc = rowCrc(columns);
      if (folder.storedCrc !== null) this.#rows.remove(folder.storedCrc);
      this.#rows.add(crc);
      folder.storedCrc = crc;
      this.#putFolder.run(...columns, crc);
    }
    const { count, sum } = this.#rows;
    const commit = { id: this.#lastId + 1, at: new Date().toISOString(), kind, records, rows: count, sum };
    const chain = chainOf(this.#lastChain, commit);
    this.#putCommit.run(commit.id, commit.at, kind, records, count, sum, chain);
    if (commit.id % keptCommits === 0) this.#dropCommits.run(firstKeptCommit(commit.id));
    this.#lastId = commit.id;
    this.#lastChain = chain;
  }
}
